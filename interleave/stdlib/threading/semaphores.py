"""`Semaphore` and `BoundedSemaphore`.

After docs.python.org/3.12/library/threading.html#semaphore-objects and Lib/threading.py of CPython
3.12. A thread that is woken takes its turn with those that have just come, and nothing tells who
waits already, so the state has the value alone and each operation is one access.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from interleave.memory.port import AccessKind, current_port
from interleave.stdlib.holding import InWith, taker
from interleave.stdlib.timeouts import begin_waiting, check_timeout


class Count(NamedTuple):
    """How often a semaphore can be taken, and the most that this may be; None: any number."""

    value: int
    most: int | None = None


class Semaphore(InWith):
    """`threading.Semaphore`. State: its `Count`."""

    besides = frozenset({"_value"})

    written_in_python = True
    under_lock = True
    excludes = True

    @classmethod
    def initial(cls, real: Any) -> object:
        return Count(real._value)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return type(real)(real._value)

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"value {state.value}"

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        # Those that took it and have not given it back; nobody, where some only give.
        taken: Counter[int] = Counter()
        for thread, before, after in history:
            taken[thread] += before.value - after.value
            if taken[thread] < 0:
                return ()
        return tuple(sorted(thread for thread, times in taken.items() if times > 0))

    @classmethod
    def holders_after(
        cls, holders: tuple[int, ...], thread: int, before: Any, after: Any
    ) -> tuple[int, ...]:
        return taker(holders, thread, taken_before=before.value == 0, taken=after.value == 0)

    @classmethod
    def is_free_for_one(cls, state: Any) -> bool:
        return bool(state.value <= 1)

    @property
    def _value(self) -> int:
        """How often it can be taken now, by the name that the real one has for it."""
        access = AccessKind("read", current_port().locate(self._location))
        return int(current_port().access(access, lambda: self.state.value))

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take it. Where it cannot: wait, or return False if not to wait for ever.

        A timeout may expire whenever it is not to be had. Raises `ValueError` for one that is given
        without waiting.
        """
        waits = blocking and timeout is None
        waiting = begin_waiting(timeout if blocking else None)

        def effect() -> bool:
            count: Count = self.state
            if count.value == 0:
                if waits:
                    self.block()
                if timeout is not None:
                    0.0 + timeout  # raises what adding it to the time would
                check_timeout(timeout)
                waiting.expire()
                return False
            self.state = count._replace(value=count.value - 1)
            return True

        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        return bool(self.operate("acquire" if waits else "try acquire", effect))

    def release(self, n: int = 1) -> None:
        """Give it back, `n` times. Raises `ValueError` below 1, and above what may be."""
        if n < 1:
            raise ValueError("n must be one or more")

        def effect() -> None:
            value, most = self.state
            if most is not None and value + n > most:
                raise ValueError("Semaphore released too many times")
            self.state = Count(value + n, most)

        self.operate("release", effect)


class BoundedSemaphore(Semaphore):
    """`threading.BoundedSemaphore`: its value is never above what it was made with."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return Count(real._value, real._initial_value)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = threading.BoundedSemaphore(real._initial_value)
        made._value = real._value
        return made
