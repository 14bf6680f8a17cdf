"""How much memory there is, and how much of it this process has."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

MOST = 0.85
"""Part of the memory there is from which on a search gives up, rather than be ended."""


def resident(process: int | None = None) -> int:
    """Bytes of memory that this process has: now, or, where only that is known, at most so far.

    Or another `process`. 0 where the system does not tell.
    """
    try:
        return int(Path(f"/proc/{process or 'self'}/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    except (OSError, ValueError, AttributeError, IndexError):
        pass
    if process is not None:
        return 0
    try:
        import resource
    except ImportError:
        return 0
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else 1024 * size


@cache
def installed() -> int:
    """Bytes of memory that the machine has; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def available() -> int:
    """Bytes of memory that this process can have: what is installed, or its cgroup's limit."""
    return min(filter(None, (installed(), *limits_of_cgroups())), default=0)


@cache
def limits_of_cgroups() -> tuple[int, ...]:
    """What the cgroups of this process, and those around them, allow; see man 7 cgroups."""
    found = []
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return ()
    for line in lines:
        _, controllers, path = line.split(":", 2)
        root, name = Path("/sys/fs/cgroup"), "memory.max"
        if "memory" in controllers.split(","):
            root, name = root / "memory", "memory.limit_in_bytes"
        elif controllers:
            continue
        inner = root / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if not folder.is_relative_to(root):
                break
            try:
                found.append(int((folder / name).read_text()))
            except (OSError, ValueError):  # there is none, or "max"
                continue
    return tuple(found)


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1e9:g} GB" if bytes_ >= 1e9 else f"{bytes_ / 1e6:g} MB"


def shortage(most: int | None = None) -> str:
    """What stops a search for want of memory, in words; "" while there is enough.

    `most` bytes, or what there is, less a margin.
    """
    if most is not None:
        return f"reached the limit of {_size(most)}" if resident() > most else ""
    limit = MOST * available()
    if limit and resident() > limit:
        return f"reached {limit / 1e9:.1f} GB, nearly all the memory of this machine"
    return ""
