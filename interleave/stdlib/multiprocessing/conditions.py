"""`Condition` of `multiprocessing`.

After docs.python.org/3.12/library/multiprocessing.html#multiprocessing.Condition and
Lib/multiprocessing/synchronize.py of CPython 3.12. Unlike that of `threading`, it is made of
semaphores, and those wake anybody: `notify` wakes one of those who wait, not the one who has waited
longest. Nobody is woken without a notify.
"""

from __future__ import annotations

import itertools
import multiprocessing
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.memory.port import current_port
from interleave.memory.wait_line import IN_ANY_ORDER, HasLine, WaitLine
from interleave.stdlib.conditions import OnLock
from interleave.stdlib.multiprocessing.locks import Between
from interleave.stdlib.threading.conditions import wait_for
from interleave.stdlib.timeouts import Waiting, begin_waiting


class ConditionState(NamedTuple):
    """The lock, who waits, and who was notified and does not have the lock as yet."""

    lock: Any
    line: WaitLine = IN_ANY_ORDER


class Condition(OnLock, Between, HasLine):
    """`multiprocessing.Condition`."""

    besides = frozenset({"acquire", "release"})

    @classmethod
    def initial(cls, real: Any) -> object:
        return ConditionState(real._lock)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return multiprocessing.Condition(real._lock)

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        real._lock = copy(real._lock)
        real._make_methods()

    @classmethod
    def describe(cls, state: Any) -> str:
        waiting, notified = len(state.line.waiting), len(state.line.woken)
        return f"{waiting} waiting" + (f", {notified} notified" if notified else "")

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take the lock."""
        return bool(self._lock.acquire(block, timeout))

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def __enter__(self) -> bool:
        return bool(self._lock.__enter__())

    def __exit__(self, *_: object) -> None:
        self._lock.__exit__()

    def wait(self, timeout: float | Waiting | None = None) -> bool:
        """Give the lock back, wait to be notified, and take the lock again: two steps.

        A timeout may expire whenever the lock can be taken again. One that expires too late to
        keep a notify from choosing this thread has swallowed it: False, and nobody else is woken.
        Raises `AssertionError` without the lock.
        """
        me = current_port().thread
        waiting = begin_waiting(timeout)

        def park() -> int:
            state: ConditionState = self.state
            if not state.lock.is_owned():
                raise AssertionError("must acquire() condition before using wait()")
            self.get_in_line()
            return int(state.lock.let_go())

        def wake(depth: int) -> bool:
            state: ConditionState = self.state
            notified = me in state.line.woken
            if not (notified or waiting.timeout is not None) or not state.lock.is_free():
                self.block()
            state.lock.take_back(depth)
            self.state = state._replace(line=state.line.left(me))
            expires_late = waiting.timeout is not None and notified
            if notified and not (expires_late and current_port().choose((False, True))):
                return True
            waiting.expire()
            return False

        depth = self.operate("wait", park)
        return bool(self.operate("wait", lambda: wake(depth)))

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until `predicate()` holds, or a timeout has expired."""
        return wait_for(self.wait, predicate, timeout)

    def notify(self, n: int = 1) -> None:
        """Wake `n` of those who wait: any of them. Raises `AssertionError` without the lock."""

        def effect() -> None:
            state: ConditionState = self.state
            if not state.lock.is_owned():
                raise AssertionError("lock is not owned")
            count = max(0, min(n, len(state.line.waiting)))
            ways = list(itertools.combinations(state.line.waiting, count))
            chosen = ways[current_port().choose(ways) if len(ways) > 1 else 0]
            self.state = state._replace(line=state.line.after_waking(*chosen))

        self.operate("notify", effect)

    def notify_all(self) -> None:
        """Wake all who wait."""
        self.notify(sys.maxsize)
