"""What learnt cases depend on, as a digest: cases are known again only where it is the same.

A case is what code did, given the part of a state that it looked at. So it depends on that code, on
all that it can name and no thread changes, on what `setup` leaves behind, and on what runs it:
interleave and Python. All of these are asked as they are in this process, and not as some file
says: the environment that a file has read when it was imported shows in what it left in variables.
What cannot be told so that another process can compare it, cannot be known again.
"""

from __future__ import annotations

import builtins
import copyreg
import gc
import hashlib
import linecache
import locale
import os
import sys
import types
import warnings
from abc import ABCMeta
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from interleave.memory.port import Location
from interleave.memory.values import Shared, attributes_of, is_defined_in_python
from interleave.program import Program, ThreadInstance
from interleave.recorded.names import Unwritable
from interleave.world import policy, table
from interleave.world.holders import Holder
from interleave.world.homes import (
    CLASS_MODULE,
    CLASS_NAME,
    MODULE_DICT,
    MRO,
    Absent,
    Home,
    derives,
)
from interleave.world.plans import NAMES_OF_CLASS, NAMES_OF_MODULE
from interleave.world.policy import Treatment
from interleave.world.reachable import Record
from interleave.world.registered import registered_with
from interleave.world.snapshot import Snapshot
from interleave.world.watched import home as home_of_watched

_OF_DECIMAL = {
    "prec": 28, "rounding": "ROUND_HALF_EVEN", "Emin": -999999, "Emax": 999999, "capitals": 1,
    "clamp": 0,
}  # fmt: skip
_TRAPS = ["DivisionByZero", "InvalidOperation", "Overflow"]
"""The context of `decimal` to begin with."""

_BY_ANY_NAME = frozenset(
    {"__dict__", "attrgetter", "dir", "eval", "exec", "getattr", "getmembers", "globals", "hasattr",
     "vars"}
)  # fmt: skip
"""What asks for names that need not stand in the code."""

_PLAIN = (int, str, bytes, bool, float, complex, type(None), range, type(...), type(NotImplemented))
_VALUES = (int, str, bytes, float, complex)
"""Types of Python's own that are known by their text; classes may derive from the latter."""

_COVERED = (
    dict, list, set, frozenset, tuple, deque, bytearray, object, BaseException, type,
    types.ModuleType, types.FunctionType,
)  # fmt: skip
"""Types in C of which a snapshot has all that is in them."""

_MEMBERS = (
    staticmethod, classmethod, property, types.GetSetDescriptorType, types.MemberDescriptorType,
    types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType,
)  # fmt: skip
"""Types of what is in classes."""


def fingerprint(program: Program, followed: Iterable[types.FunctionType]) -> str:
    """The digest of all that cases of a program depend on which have run some functions.

    Raises `Unwritable`.
    """
    digest = hashlib.sha256()
    try:
        for part in _parts(program, followed):
            digest.update(part.encode("utf-8", "backslashreplace"))
            digest.update(b"\n")
    except (ValueError, RecursionError) as error:  # a number with too many digits, say
        raise Unwritable(str(error)) from None
    return digest.hexdigest()


def _parts(program: Program, followed: Iterable[types.FunctionType]) -> Iterator[str]:
    yield own_sources()
    yield from _process()
    yield from _program(program)
    description = Description(Snapshot([program.model]))
    yield from description.lines()
    yield from description.builtins()
    for package in sorted(table.OPAQUE & description.packages):
        # They run as they are.
        module = sys.modules.get(package)
        yield repr((package, getattr(module, "__version__", None)))
    functions = [each for each in program.begins_with if type(each) is types.FunctionType]
    yield from _texts([*functions, *followed])


# What runs it


@lru_cache(maxsize=1)
def own_sources() -> str:
    """The digest of the sources of this package."""
    digest = hashlib.sha256()
    files = [
        os.path.join(folder, name)
        for folder, _, names in os.walk(policy.OURS)
        for name in names
        if name.endswith(".py")
    ]
    for file in sorted(files):
        digest.update(os.path.relpath(file, policy.OURS).encode())
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def _process() -> Iterator[str]:
    """What Python and its library go by that is no variable of the model's."""
    yield sys.version
    yield repr((sys.platform, sys.flags, sys.getrecursionlimit(), sys.warnoptions))
    yield repr(sys.get_int_max_str_digits())
    for action, text, kind, name, line in warnings.filters:
        patterns = [str(getattr(each, "pattern", each)) for each in (text, name)]
        yield repr((action, patterns, str(kind), line))
    yield locale.setlocale(locale.LC_ALL)
    if (decimal := sys.modules.get("decimal")) is not None:
        context = decimal.getcontext()
        fields = [getattr(context, name) for name in _OF_DECIMAL]
        traps = sorted(kind.__name__ for kind, on in context.traps.items() if on)
        if (*fields, traps) != (*_OF_DECIMAL.values(), _TRAPS):  # as it is where nobody uses it
            yield repr((*fields, traps))


# The program


def _program(program: Program) -> Iterator[str]:
    """What `setup` has left behind, and what is to be run. Values have their keys elsewhere."""
    heap = program.heap
    yield repr((program.model.__module__, program.model.__qualname__))
    yield _of_field(program.runtime)
    yield repr([*program.parameters.items()])
    yield repr([*program.settings.items()])
    yield repr([_of_thread(each) for each in program.threads])
    yield from (_of_field(kind) for kind in dict.fromkeys(each.kind for each in program.threads))
    yield repr([(each.kind, each.name) for each in program.properties])
    for each, name in zip(heap.stand_ins, heap.names, strict=True):
        # What is in a module, a function or a cell can be named.
        own = [] if isinstance(each, Holder) else sorted(attributes_of(each).items())
        yield f"{name} {type(each).__qualname__} {[(field, _of_field(it)) for field, it in own]}"
    for each in heap.locations:
        yield repr((each.key, each.name, each.owner, each.index, each.initial, each.constant))
        yield repr((each.shown, each.is_room, sorted(each.known), sorted(each.varying or ())))
    yield repr(heap.initial)


def _of_thread(it: ThreadInstance) -> tuple[object, ...]:
    return it.name, it.kind.name, it.method, it.index, it.daemon, it.process


def _of_field(value: Any) -> str:
    """An attribute of what stands for a shared object, which is the same in all states."""
    kind = type(value)
    if kind in _PLAIN:
        return f"{kind.__name__} {value!r}"
    if isinstance(value, Location):
        return f"location {value.number}"
    if issubclass(kind, Shared):
        return f"object {value._number}"
    if kind in (tuple, list):
        return f"{kind.__name__}({','.join(map(_of_field, value))})"
    if kind is dict:
        return f"dict({','.join(f'{_of_field(key)}:{_of_field(it)}' for key, it in value.items())})"
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, types.ModuleType):
        return value.__name__
    if issubclass(kind, int | str | float | bytes):
        return f"{kind.__name__} {value!r}"
    if kind is frozenset:
        return f"frozenset({','.join(sorted(map(_of_field, value)))})"
    if kind.__module__.startswith("interleave."):
        own = sorted(attributes_of(value).items())
        return f"{kind.__qualname__}({','.join(f'{name}={_of_field(it)}' for name, it in own)})"
    raise Unwritable(f"nobody knows what is in a {kind.__qualname__}")


def _texts(functions: list[types.FunctionType]) -> Iterator[str]:
    """The code of functions, and the text that they are compiled from.

    Raises `Unwritable` for what has no text.
    """
    codes = dict.fromkeys(each.__code__ for each in functions)
    files: dict[str, None] = {}
    for code in codes:
        if not code.co_filename.startswith(policy.OURS):
            yield of_code(code)
            files[code.co_filename] = None
    for file in files:
        # What `dataclass` makes is compiled from a text that nobody has.
        if file != "<string>":
            lines = linecache.getlines(file)
            if not lines:
                raise Unwritable(f"{file} has no text")
            yield f"{file} {_digest(''.join(lines))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def of_code(code: types.CodeType) -> str:
    """All that is in compiled code."""
    constants = [
        of_code(each) if type(each) is types.CodeType else _of_constant(each)
        for each in code.co_consts
    ]
    return _digest(repr((
        code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars,
        code.co_flags, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount,
        code.co_filename, code.co_qualname, code.co_firstlineno, code.co_linetable,
        code.co_exceptiontable, constants,
    )))  # fmt: skip


def _of_constant(value: Any) -> str:
    if type(value) is tuple:
        return f"({','.join(map(_of_constant, value))})"
    if type(value) is frozenset:
        return f"{{{','.join(sorted(map(_of_constant, value)))}}}"
    return f"{type(value).__name__} {value!r}"


# What code can name


class Description:
    """All that is in a snapshot, in words that are the same in another process."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._records = snapshot.records
        self._names = snapshot.names
        self._numbers: dict[int, int] = {}
        for record in self._records:
            self._numbers.setdefault(id(record.it), len(self._numbers))
        self.packages: set[str] = set()
        """The names of those of which something is named."""
        self._inside: list[int] = []
        """The ids of what is being described, outermost first."""

    def lines(self) -> Iterator[str]:
        """One for each record. Raises `Unwritable`."""
        for record in self._records:
            if _is_modelled(record):
                continue
            home = type(record.home).__name__
            name = f"{self._numbers[id(record.it)]} {self._name_of(record.kind)} {home}"
            yield f"{name} {self._own(record.it)} {self._contents(record)}"

    def builtins(self) -> Iterator[str]:
        """What code means by the names that are in no module. Raises `Unwritable`."""
        for name in sorted(self._names & vars(builtins).keys()):
            value = vars(builtins)[name]
            kind = type(value)
            if not (kind in _PLAIN or derives(kind, type) or kind is types.BuiltinFunctionType):
                if CLASS_MODULE(kind) != "_sitebuiltins":  # `exit`, say
                    raise Unwritable(f"nobody knows what {name} is")
            yield f"{name} {self._of(value)}"

    def _contents(self, record: Record) -> str:
        contents: Any = record.contents
        if type(contents) is bytes:
            return repr(contents)
        if type(contents) is set:
            return "{" + ",".join(sorted(map(self._of, contents))) + "}"
        if type(contents) is list:
            return f"[{','.join(map(self._of, contents))}]"
        named = self._is_asked_by_name(record)
        items = [
            f"{self._of(key)}:{self._of(value)}"
            for key, value in contents.items()
            if not named or key in self._names or id(value) in self._numbers or _is_special(key)
        ]
        return "{" + ",".join(sorted(items) if not record.home.ordered else items) + "}"

    def _is_asked_by_name(self, record: Record) -> bool:
        """Whether code goes by those names of a module or class only that stand in it."""
        if record.home is NAMES_OF_MODULE:
            module = record.it.get("__name__")
        elif record.home is NAMES_OF_CLASS:
            module = CLASS_MODULE(record.it)
        else:
            return False
        return policy.is_of_others(str(module)) or self._names.isdisjoint(_BY_ANY_NAME)

    def _of(self, value: Any) -> str:
        number = self._numbers.get(id(value))
        if number is not None:
            return f"#{number}"
        kind = type(value)
        if any(kind is each for each in _PLAIN):
            return f"{kind.__name__} {value!r}"
        if kind is types.CodeType:
            return of_code(value)
        if kind is object or kind is Absent:
            return kind.__name__  # which is told from others by where it is only
        if derives(kind, type):
            return self._name_of(value)
        if derives(kind, types.ModuleType):
            return f"module {self._full(MODULE_DICT(value).get('__name__'), '')}"
        if kind is types.FunctionType:
            name = self._full(value.__module__, value.__qualname__)
            return f"function {name} {of_code(value.__code__)}"
        if id(value) in self._inside:
            return f"^{len(self._inside) - self._inside.index(id(value))}"
        self._inside.append(id(value))
        try:
            return f"{self._name_of(kind)}({self._parts(value)})"
        finally:
            self._inside.pop()

    def _name_of(self, kind: type) -> str:
        number = self._numbers.get(id(kind))
        name = self._full(CLASS_MODULE(kind), CLASS_NAME(kind))
        return name if number is None else f"#{number}"

    def _full(self, module: object, name: str) -> str:
        self.packages.add(str(module).partition(".")[0])
        return f"{module}.{name}"

    def _parts(self, value: Any) -> str:
        """What is in a value that the snapshot has no record of, for nothing changes it."""
        kind = type(value)
        if derives(kind, tuple):
            return ",".join(map(self._of, tuple.__iter__(value)))
        if derives(kind, frozenset):
            return ",".join(sorted(map(self._of, frozenset.__iter__(value))))
        if kind is types.MappingProxyType:
            return ",".join(map(self._of, gc.get_referents(value)))
        if kind is types.MethodType:
            return f"{self._of(value.__self__)},{self._of(value.__func__)}"
        if kind is types.MethodWrapperType:  # of a slot of the object's class
            return f"{self._of(value.__self__)},{value.__qualname__}"
        if kind is types.BuiltinFunctionType:
            return f"{self._of(value.__self__)},{self._full(value.__module__, value.__qualname__)}"
        if kind in _MEMBERS:
            return str(getattr(value, "__qualname__", ""))
        return self._own(value)

    def _own(self, value: Any) -> str:
        """What a type in C keeps in an object where no home is. Raises `Unwritable`."""
        kind = type(value)
        if derives(kind, ABCMeta):
            return f"({','.join(map(self._name_of, registered_with(value)))})"
        if derives(kind, type) or kind in _MEMBERS or home_of_watched_in(kind) is not None:
            return ""
        native = next(base for base in MRO(kind) if not is_defined_in_python(base))
        if native in _COVERED or native is types.CellType:
            return ""
        if native in _VALUES:
            return f"{native.__name__} {native.__repr__(value)}"
        if native is not kind:
            raise Unwritable(f"nobody knows what is in a {kind.__qualname__}")
        try:
            reduce = copyreg.dispatch_table.get(kind)
            if reduce is not None and policy.is_standard(reduce.__module__):
                reduced = reduce(value)
            else:
                reduced = kind.__reduce_ex__(value, 4)  # type: ignore[call-arg]
        except TypeError:
            raise Unwritable(f"nobody knows what is in a {kind.__qualname__}") from None
        return reduced if type(reduced) is str else ",".join(map(self._of, reduced))


def _is_modelled(record: Record | None) -> bool:
    """Whether something is a part of what is modelled: the heap has what it was at first."""
    while record is not None:
        if policy.of_class(record.kind).treatment is Treatment.MODELLED:
            return True
        record = record.parent
    return False


def home_of_watched_in(kind: type) -> Home | None:
    """Where a type in C that a class derives from keeps something that is looked at."""
    return next((found for base in MRO(kind) if (found := home_of_watched(base)) is not None), None)


def _is_special(name: object) -> bool:
    return type(name) is str and name.startswith("__") and name.endswith("__")
