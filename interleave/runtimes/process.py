"""Processes alone, as `multiprocessing` forks them: each has an interpreter of its own."""

from __future__ import annotations

from interleave.runtimes.base import Races, Runtime, ThreadKind

PROCESSES = Runtime("process", races=Races())

PROCESS = ThreadKind("process", (PROCESSES,), is_process=True)
