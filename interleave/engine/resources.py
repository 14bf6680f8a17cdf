"""How much memory there is, and how much of it this process has."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

MOST = 0.85
"""Part of the machine's memory from which on a search gives up, rather than be ended."""


def resident() -> int:
    """Bytes of memory that this process has: now, or, where only that is known, at most so far.

    0 where the system does not tell.
    """
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError, IndexError):
        pass
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


def shortage() -> str:
    """What stops a search for want of memory, in words; "" while there is enough."""
    limit = MOST * installed()
    if limit and resident() > limit:
        return f"reached {limit / 1e9:.1f} GB, nearly all the memory of this machine"
    return ""
