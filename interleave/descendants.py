"""The processes that a model has started, which do not outlive the command.

The command ends without what Python does at its end, so nobody else ends them: the server of a
`multiprocessing.Manager`, say, or a program that a model file runs.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress

_TASKS = "/proc/{}/task"


def descendants(process: int) -> list[int]:
    """The processes that one has started and has not waited for, and theirs."""
    found = [process]
    for each in found:  # which grows
        found += _children(each)
    return found[1:]


def end_all(processes: list[int]) -> None:
    """End processes by force."""
    for each in processes:
        with suppress(OSError):  # it has ended
            os.kill(each, signal.SIGKILL)


def _children(process: int) -> Iterator[int]:
    tasks = _TASKS.format(process)
    try:
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/children") as file:
                yield from map(int, file.read().split())
    except OSError:  # it has ended, or this system tells of no children
        if process == os.getpid() and "multiprocessing" in sys.modules:
            from multiprocessing import active_children

            yield from (each.pid for each in active_children() if each.pid is not None)
