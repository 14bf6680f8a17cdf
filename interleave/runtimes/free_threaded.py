"""Python without a global interpreter lock: threads can switch before every access."""

from __future__ import annotations

from interleave.runtimes.base import Races, Runtime, ThreadKind
from interleave.runtimes.gil import GIL

FREE_THREADED = Runtime("free-threaded", races=Races())

THREAD = ThreadKind("thread", (FREE_THREADED, GIL), new_context=True)
