"""Machine code of the kernel in object files: kept from one run to the next, and loaded.

To compile takes seconds, and to import numba a quarter of a second. What was compiled once is
loaded by LLVM's linker, without numba. It is kept beside the package, or, where nothing can be
written there, in the user's cache directory, under a name that stands for all that it follows from.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from llvmlite import binding as llvm

from interleave import kept
from interleave.kept import cache_directory

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()

SUFFIX = ".kernel"

MOST_BYTES = 20_000_000
"""What all files in a folder take together, at most: those of some sixty versions of the engine."""

Call = Callable[[Any, None, int], int]
"""A function as numba compiles it: where its result goes, where an exception goes, and a block."""


class Object(NamedTuple):
    """An object file, and what one must know to use it."""

    symbol: str
    """The name of the function that is called."""
    needs: tuple[str, ...]
    """Names of what is not in it: functions of the C library."""
    code: bytes


# Keeping


def name_for(kinds: str) -> str:
    """What code is kept under, if it is for arguments of some types."""
    return hashlib.sha256((VERSION + kinds).encode()).hexdigest()[:32]


def find(name: str) -> Object | None:
    """What is kept under a name, if that is whole."""
    for folder in _folders():
        said = kept.read(folder / (name + SUFFIX), private=folder != _beside())
        if said is not None:
            symbol, needs, code = said.split(b"\n", 2)
            return Object(symbol.decode(), tuple(needs.decode().split()), code)
    return None


def keep(name: str, made: Object) -> bool:
    """Keep an object file under a name. False where there is no place for it."""
    said = b"\n".join([made.symbol.encode(), " ".join(made.needs).encode(), made.code])
    return any(
        kept.write(folder / (name + SUFFIX), said, private=folder != _beside(), most=MOST_BYTES)
        for folder in _folders()
    )


def _folders() -> Iterator[Path]:
    """Where object files may be, the better place first."""
    yield _beside()
    with contextlib.suppress(OSError):  # nobody's home
        yield cache_directory()


def _beside() -> Path:
    """Where Python has what it compiles of this package: whoever can write there can change it."""
    return Path(importlib.util.cache_from_source(__file__)).parent


def _version() -> str:
    """Stands for all that machine code follows from, but for the types of what it is given."""
    found = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        found.update(file.read_bytes())
    found.update(_version_of_numba())
    processor = (llvm.get_default_triple(), llvm.get_host_cpu_name(), _features())
    for each in (sys.implementation.cache_tag, *llvm.llvm_version_info, *processor):
        found.update(f"{each}\n".encode())
    for setting in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_ENABLE_AVX", "NUMBA_OPT"):
        found.update(f"{os.environ.get(setting)}\n".encode())
    return found.hexdigest()


def _version_of_numba() -> bytes:
    """What numba says of its version. It is not imported, which takes longer than all else."""
    found = importlib.util.find_spec("numba")
    if found is None or found.origin is None:
        raise ImportError("No module named 'numba'")
    return Path(found.origin).with_name("_version.py").read_bytes()


def _features() -> str:
    try:
        return str(llvm.get_host_cpu_features().flatten())
    except RuntimeError:  # it is not known here
        return ""


VERSION = _version()

# Loading

_engines: list[Any] = []
"""They have the machine code, for as long as the process lasts."""


def load(made: Object) -> Call | None:
    """The function of an object file; None where something that it needs is not there."""
    if any(llvm.address_of_symbol(name) is None for name in made.needs):
        return None
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(made.code))
    engine.finalize_object()
    _engines.append(engine)
    function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    return function(engine.get_function_address(made.symbol))
