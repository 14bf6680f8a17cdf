"""Threads that share the work of a round, and whether that is worth it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import Any


class Workers:
    """Threads that run the kernel, which does not hold the interpreter's lock.

    This thread is the first of them: the fewer threads have to be woken, the sooner all are at it.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._others: ThreadPoolExecutor | None = None
        if count > 1:
            begun = Barrier(count)
            self._others = ThreadPoolExecutor(
                count - 1, "interleave", initializer=_begin, initargs=(begun,)
            )
            for _ in range(count - 1):
                self._others.submit(int)
            begun.wait()

    def __call__(self, call: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call a function with the number of each worker, at the same time."""
        futures = []
        if self._others is not None:
            for number in range(1, self.count):
                futures.append(self._others.submit(call, number, *arguments))
        try:
            return [call(0, *arguments), *[future.result() for future in futures]]
        finally:
            wait(futures)  # an interrupted search leaves nobody at work on its arrays

    def close(self) -> None:
        if self._others is not None:
            self._others.shutdown()


def _begin(begun: Barrier) -> None:
    """Begin a thread, with no trace or profile function.

    This thread answers signals, and in the kernel it does not until the others have come there too.
    Under a trace function (of a debugger, of coverage), CPython 3.11 lets no thread call anything
    while a signal waits to be answered.
    """
    sys.settrace(None)
    sys.setprofile(None)
    begun.wait()


class Pace:
    """Whether workers at the same time are faster than one after the other: by trying both.

    Two cores of a machine are at times two halves of one, or taken by somebody else.
    """

    LOOK_AGAIN = 40
    """After so many times of the one, the other is tried."""

    LEAST = 300_000
    """Transitions that tell something about speed."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seconds = {True: 0.0, False: 0.0}
        """What a transition took the last time: at the same time, and one after the other."""
        self._noted = {True: (0, 0.0), False: (0, 0.0)}
        """Transitions since then, and seconds."""
        self._times = 0

    def parallel(self) -> bool:
        """Whether to work at the same time now."""
        if self._workers == 1:
            return False
        self._times += 1
        better = self._seconds[True] <= self._seconds[False] or not self._seconds[False]
        return better != (self._times % self.LOOK_AGAIN == 0)

    def note(self, parallel: bool, transitions: int, seconds: float) -> None:
        """Take note of how long something took."""
        transitions += self._noted[parallel][0]
        seconds += self._noted[parallel][1]
        if transitions >= self.LEAST:
            self._seconds[parallel] = seconds / transitions
            transitions, seconds = 0, 0.0
        self._noted[parallel] = transitions, seconds
