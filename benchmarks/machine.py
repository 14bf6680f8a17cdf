"""What the figures were measured on."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from measuring import Failed, succeed
from peers.base import Engine


def describe(engines: Sequence[Engine]) -> list[str]:
    """The date, the machine and the versions, each a few words."""
    versions = dict.fromkeys(engine.version() for engine in engines)
    return [
        datetime.date.today().isoformat(),
        _processor(),
        f"{len(os.sched_getaffinity(0))} cores",
        f"{_memory() / 2**30:.0f} GiB of memory",
        f"Python {platform.python_version()}",
        *_libraries("numba", "numpy"),
        *versions,
        *_compiler(),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _libraries(*names: str) -> list[str]:
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def _compiler() -> list[str]:
    try:
        return [f"gcc {succeed(['gcc', '-dumpfullversion']).out.strip()}"]
    except (OSError, Failed):
        return []
