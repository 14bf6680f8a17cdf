"""`Lock`, `Event`, `Semaphore` and `BoundedSemaphore` of `asyncio`.

After docs.python.org/3.12/library/asyncio-sync.html and Lib/asyncio/locks.py of CPython 3.12. The
state of each has the tasks that wait, in order; whether one of them was woken or cancelled is in
the state of the task (`tasks.Task`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from interleave.memory.coroutine import coroutine
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.futures import park, resume, resumed

Waiters = tuple[Any, ...]


class Waited(Primitive):
    """A primitive that tasks wait for in a line: its state has a field `waiters`."""

    written_in_python = True

    def get_in_line(self) -> None:
        """The present task is about to wait, as the last one. It must `stand_in_line` next."""
        self.state = self.state._replace(waiters=(*self.state.waiters, park()))

    def leave_line(self) -> None:
        """The present task is resumed, and does not wait any more. Raises `CancelledError`."""
        task = current_port().tasks.current()
        try:
            resumed()
        finally:
            waiters = self.state.waiters
            if task in waiters:
                self.state = self.state._replace(waiters=without(waiters, task))

    def stand_in_line(self, kind: str, effect: Callable[[], Any]) -> Any:
        """The operation in which the present task is suspended."""
        return resume(self, kind, effect)

    def all_cancelled(self) -> bool:
        """Whether nobody waits who was not cancelled."""
        return all(task.waiter_was_cancelled() for task in self.state.waiters)


def without(waiters: Waiters, task: Any) -> Waiters:
    """A line of waiting tasks, without the first place that `task` has in it."""
    place = waiters.index(task)
    return waiters[:place] + waiters[place + 1 :]


def waiting(count: int) -> str:
    """How many wait, in words."""
    return f", {count} waiting" if count else ""


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
    waiters: Waiters = ()


class Lock(WithLock):
    """`asyncio.Lock`. Who comes while somebody waits who was not cancelled goes to the end."""

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
        # A lock has no owner: it is held by whoever took it last.
        takers = [thread for thread, before, after in history if after.locked and not before.locked]
        return tuple(takers[-1:]) if state.locked else ()

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
            self.get_in_line()
            return False

        def go_on() -> bool:
            try:
                self.leave_line()
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


class EventState(NamedTuple):
    """Whether it is set, and who waits."""

    is_set: bool = False
    waiters: Waiters = ()


class Event(Waited):
    """`asyncio.Event`."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return EventState(real.is_set())

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = asyncio.Event()
        if real.is_set():
            made.set()
        return made

    @classmethod
    def content(cls, state: Any) -> object:
        return state.is_set

    @classmethod
    def describe(cls, state: Any) -> str:
        return ("set" if state.is_set else "not set") + waiting(len(state.waiters))

    def is_set(self) -> bool:
        """Whether it is set."""
        return bool(self.operate("is_set", lambda: self.state.is_set))

    def set(self) -> None:
        """Set it, and wake all who wait."""

        def effect() -> None:
            if not self.state.is_set:
                waiters = self.state.waiters
                self.state = self.state._replace(is_set=True)
                for task in waiters:
                    if task.waiter_is_pending():
                        task.wake()

        self.operate("set", effect)

    def clear(self) -> None:
        """Set it no longer."""

        def effect() -> None:
            self.state = self.state._replace(is_set=False)

        self.operate("clear", effect)

    @coroutine
    def wait(self) -> bool:
        """Wait until it is set. Who was woken does not look again."""

        def begin() -> bool:
            if not self.state.is_set:
                self.get_in_line()
                return False
            return True

        if not self.operate("wait", begin):
            self.stand_in_line("wait", self.leave_line)
        return True


class SemaphoreState(NamedTuple):
    """How often it can be taken, the most that can be (None: any number), and who waits."""

    value: int
    bound: int | None = None
    waiters: Waiters = ()


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
            self.get_in_line()
            return False

        def go_on() -> bool:
            task = current_port().tasks.current()
            was_woken = not (task.waiter_is_pending() or task.waiter_was_cancelled())
            try:
                self.leave_line()
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
        for task in self.state.waiters:
            if task.waiter_is_pending():
                self._add(-1)
                task.wake()
                return


PRIMITIVES: dict[type, type[Primitive]] = {
    asyncio.Lock: Lock,
    asyncio.Event: Event,
    asyncio.Semaphore: Semaphore,
    asyncio.BoundedSemaphore: Semaphore,
}
