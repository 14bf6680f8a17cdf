"""`Lock`, `Event`, `Semaphore` and `BoundedSemaphore` of `asyncio`.

After docs.python.org/3.12/library/asyncio-sync.html and Lib/asyncio/locks.py of CPython 3.12. The
state of each has the tasks that wait, in order (see `asyncio.lines`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from interleave.memory.bag import Line
from interleave.memory.coroutine import coroutine
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.lines import Waited, Waiters, is_woken, waiting
from interleave.stdlib.events import AnyEvent, EventState
from interleave.stdlib.holding import last_taker, taker


class WithLock(Waited):
    """One that `async with` takes and gives back."""

    @coroutine
    def __aenter__(self) -> None:
        self.take()

    @coroutine
    def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        self.release()

    def take(self) -> bool:
        """Wait for it and take it, in the task that runs."""
        raise NotImplementedError

    @coroutine
    def acquire(self) -> bool:
        """Wait for it, and take it."""
        return self.take()

    def release(self) -> None:
        """Give it back."""
        raise NotImplementedError


class LockState(NamedTuple):
    """Whether it is locked, and who waits."""

    locked: bool = False
    waiters: Waiters = Line()
    loop: Any = None


class Lock(WithLock):
    """`asyncio.Lock`. Who comes while somebody waits who was not cancelled goes to the end."""

    excludes = True

    @classmethod
    def initial(cls, real: Any) -> object:
        return LockState(real.locked())

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = asyncio.Lock()
        made._locked = real.locked()  # type: ignore[attr-defined]
        return made

    @classmethod
    def describe(cls, state: Any) -> str:
        return ("locked" if state.locked else "unlocked") + waiting(len(state.waiters))

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        return last_taker(state, history, lambda each: each.locked)

    @classmethod
    def holders_after(
        cls, holders: tuple[int, ...], thread: int, before: Any, after: Any
    ) -> tuple[int, ...]:
        return taker(holders, thread, taken_before=before.locked, taken=after.locked)

    def locked(self) -> bool:
        """Whether it is locked."""
        return bool(self.operate("locked", self.is_locked))

    def is_locked(self) -> bool:
        """The same, within an access."""
        return bool(self.state.locked)

    def take(self) -> bool:
        def begin() -> bool:
            if not self.state.locked and self.all_cancelled():
                self.state = self.state._replace(locked=True)
                return True
            self.park_in_line()
            return False

        def go_on() -> bool:
            try:
                self.go_on_from_line()
            except asyncio.CancelledError:
                if not self.state.locked:
                    self._wake_first()
                raise
            self.state = self.state._replace(locked=True)
            return True

        return bool(self.operate("acquire", begin) or self.stand_in_line("acquire", go_on))

    def release(self) -> None:
        """Give it back. Raises `RuntimeError` where it is not locked."""
        self.operate("release", self.give)

    def give(self) -> None:
        """The same, within an access."""
        if not self.state.locked:
            raise RuntimeError("Lock is not acquired.")
        self.state = self.state._replace(locked=False)
        self._wake_first()

    def _wake_first(self) -> None:
        for first in self.state.waiters[:1]:
            if first.waiter_is_pending():
                first.wake()


class Event(AnyEvent, Waited):
    """`asyncio.Event`."""

    _real = asyncio.Event
    _unset = EventState(waiters=Line())

    @classmethod
    def describe(cls, state: Any) -> str:
        return super().describe(state) + waiting(len(state.waiters))

    def _raise_flag(self) -> None:
        if not self.state.is_set:
            self.state = self.state._replace(is_set=True)
            for task in self._pending():
                task.wake()

    @coroutine
    def wait(self) -> bool:
        """Wait until it is set. Who was woken does not look again."""

        def begin() -> bool:
            if not self.state.is_set:
                self.park_in_line()
                return False
            return True

        if not self.operate("wait", begin):
            self.stand_in_line("wait", self.go_on_from_line)
        return True


class SemaphoreState(NamedTuple):
    """How often it can be taken, the most that can be (None: any number), and who waits."""

    value: int
    bound: int | None = None
    waiters: Waiters = Line()
    loop: Any = None


class Semaphore(WithLock):
    """`asyncio.Semaphore`. Who comes while somebody waits who was not cancelled goes to the end."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return SemaphoreState(real._value, getattr(real, "_bound_value", None))

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = type(real)(getattr(real, "_bound_value", real._value))
        made._value = real._value
        return made

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"value {state.value}" + waiting(len(state.waiters))

    def locked(self) -> bool:
        """Whether it cannot be taken at once."""
        return bool(self.operate("locked", self._is_locked))

    def _is_locked(self) -> bool:
        return self.state.value == 0 or not self.all_cancelled()

    def take(self) -> bool:
        def begin() -> bool:
            if not self._is_locked():
                self._add(-1)
                return True
            self.park_in_line()
            return False

        def go_on() -> bool:
            was_woken = is_woken()
            try:
                self.go_on_from_line()
            except asyncio.CancelledError:
                if was_woken:
                    self._add(1)
                    self._wake_next()
                raise
            if self.state.value > 0:
                self._wake_next()
            return True

        return bool(self.operate("acquire", begin) or self.stand_in_line("acquire", go_on))

    def release(self) -> None:
        """Give it back. Raises `ValueError` where a bounded one was given back too often."""

        def effect() -> None:
            bound = self.state.bound
            if bound is not None and self.state.value >= bound:
                raise ValueError("BoundedSemaphore released too many times")
            self._add(1)
            self._wake_next()

        self.operate("release", effect)

    def _add(self, number: int) -> None:
        self.state = self.state._replace(value=self.state.value + number)

    def _wake_next(self) -> None:
        for task in self._pending()[:1]:
            self._add(-1)
            task.wake()


PRIMITIVES: dict[type, type[Primitive]] = {
    asyncio.Lock: Lock,
    asyncio.Event: Event,
    asyncio.Semaphore: Semaphore,
    asyncio.BoundedSemaphore: Semaphore,
}
