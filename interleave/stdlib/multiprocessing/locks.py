"""`Lock`, `RLock`, `Semaphore`, `BoundedSemaphore` and `Event` of `multiprocessing`.

After docs.python.org/3.12/library/multiprocessing.html#synchronization-primitives, and where that
is silent Modules/_multiprocessing/semaphore.c and Lib/multiprocessing/synchronize.py of CPython
3.12.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.events import AnyEvent
from interleave.stdlib.holding import Holdable, taker
from interleave.stdlib.reentrant import Reentrant
from interleave.stdlib.timeouts import begin_waiting

TOO_OFTEN = "semaphore or lock released too many times"


class Between(Primitive):
    """A primitive that all processes share. Threads of another process run at any time."""

    _between_processes = True
    written_in_python = True


class _SemLock(Between, Holdable):
    """What all of them share: the arguments of `acquire`."""

    besides = frozenset({"acquire", "release"})

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take it: see `Holdable`. A timeout below 0 is 0."""
        return self.take_or_wait(
            waits=block and timeout is None, timeout=timeout if block else None
        )


class Lock(_SemLock):
    """`multiprocessing.Lock`. State: None, or who took it. Any process may release it."""

    is_lock = True
    excludes = True

    @classmethod
    def initial(cls, real: Any) -> object:
        if real._semlock._get_value() == 0:
            raise ModelError(
                f"a multiprocessing.{cls.__name__} is held when the processes start",
                remedy="release it at the end of setup; or use Semaphore(0), which has no owner",
            )
        return None

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return multiprocessing.Lock()

    @classmethod
    def describe(cls, state: Any) -> str:
        return "unlocked" if state is None else "locked"

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        return () if state is None else (state,)

    def is_owned(self) -> bool:
        """Whether the running thread holds it, within an access."""
        return bool(self.state == current_port().thread)

    def is_free(self) -> bool:
        """Whether the running thread could take it, within an access."""
        return self.state is None

    def let_go(self) -> int:
        """Give it back altogether, within an access; how often it was held."""
        self.state = None
        return 1

    def take_back(self, depth: int) -> None:
        """Take it as often as `let_go` has said, within an access. It must be free."""
        self.state = current_port().thread

    def take(self) -> bool:
        if self.state is not None:
            return False
        self.state = current_port().thread
        return True

    def give(self) -> None:
        if self.state is None:
            raise ValueError(TOO_OFTEN)
        self.state = None


class RLock(Reentrant, Lock):
    """`multiprocessing.RLock`."""

    not_owned = AssertionError("attempt to release recursive lock not owned by thread")

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return multiprocessing.RLock()


class Semaphore(_SemLock):
    """`multiprocessing.Semaphore`. State: its value, and the most it can be."""

    excludes = True

    @classmethod
    def initial(cls, real: Any) -> object:
        return (real._semlock._get_value(), real._semlock.maxvalue)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return multiprocessing.Semaphore(real._semlock._get_value())

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"value {state[0]}"

    @classmethod
    def holders_after(
        cls, holders: tuple[int, ...], thread: int, before: Any, after: Any
    ) -> tuple[int, ...]:
        return taker(holders, thread, taken_before=before[0] == 0, taken=after[0] == 0)

    @classmethod
    def is_free_for_one(cls, state: Any) -> bool:
        return bool(state[0] <= 1)

    def get_value(self) -> int:
        """How often it can be taken now."""
        return int(self.operate("get_value", lambda: self.state[0]))

    def take(self) -> bool:
        value, limit = self.state
        if value == 0:
            return False
        self.state = (value - 1, limit)
        return True

    def give(self) -> None:
        value, limit = self.state
        if value == limit:
            raise ValueError(TOO_OFTEN)
        self.state = (value + 1, limit)


class BoundedSemaphore(Semaphore):
    """`multiprocessing.BoundedSemaphore`: its value is never above what it was made with."""

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = multiprocessing.BoundedSemaphore(real._semlock.maxvalue)
        for _ in range(real._semlock.maxvalue - real._semlock._get_value()):
            made.acquire()
        return made


class Event(AnyEvent, Between):
    """`multiprocessing.Event`. Unlike that of `threading`, a wait looks again when it is woken.

    So one that is woken by `set` returns False where somebody has called `clear` in between.
    """

    _real = staticmethod(multiprocessing.Event)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set. A timeout may expire whenever nobody has set it meanwhile."""
        me = current_port().thread
        waiting = begin_waiting(timeout)

        def begin() -> bool:
            if not self.state.is_set:
                self.state = self.state._replace(waiters=self.state.waiters.plus(me))
            return bool(self.state.is_set)

        def wake() -> bool:
            if me in self.state.waiters:
                if timeout is None:
                    self.block()
                self.state = self.state._replace(waiters=self.state.waiters.minus(me))
                waiting.expire()
            return bool(self.state.is_set)

        return bool(self.operate("wait", begin) or self.operate("wait", wake))
