"""`Lock`, `Event`, `Semaphore`, `BoundedSemaphore`, `Condition` and `Barrier` of `asyncio`.

After docs.python.org/3.12/library/asyncio-sync.html and Lib/asyncio/locks.py of CPython 3.12. The
state of each has the tasks that wait, in order; whether one of them was woken or cancelled is in
the state of the task (`tasks.Task`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from interleave.memory.coroutine import coroutine
from interleave.memory.made import Kind
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
    """Those who wait, without the first that is `task`."""
    place = waiters.index(task)
    return waiters[:place] + waiters[place + 1 :]


def waiting(count: int) -> str:
    """How many wait, in words."""
    return f", {count} waiting" if count else ""


class _WithLock(Waited):
    """`async with`."""

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


class Lock(_WithLock):
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


class Semaphore(_WithLock):
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
                raise
            finally:
                while self.state.value > 0 and self._wake_next():
                    pass
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

    def _wake_next(self) -> bool:
        for task in self.state.waiters:
            if task.waiter_is_pending():
                self._add(-1)
                task.wake()
                return True
        return False


class ConditionState(NamedTuple):
    """Its lock, and who waits to be notified."""

    lock: Any
    waiters: Waiters = ()


class Condition(_WithLock):
    """`asyncio.Condition`."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return ConditionState(real._lock)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return asyncio.Condition(real._lock)

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return state._replace(lock=visit(state.lock, ".lock"))

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"{len(state.waiters)} waiting"

    @property
    def _lock(self) -> Any:
        # It never changes, so that to look at it is no access.
        return self.state.lock

    def locked(self) -> bool:
        """Whether its lock is locked."""
        return bool(self._lock.locked())

    def take(self) -> bool:
        return bool(self._lock.take())

    def release(self) -> None:
        self._lock.release()

    @coroutine
    def wait(self) -> bool:
        """Give the lock back, wait to be notified, and take the lock again."""
        return self.until_notified()

    def until_notified(self) -> bool:
        """The same, in the task that runs. Raises `RuntimeError` without the lock."""

        def begin() -> None:
            if not self._lock.is_locked():
                raise RuntimeError("cannot wait on un-acquired lock")
            self._lock.give()
            self.get_in_line()

        self.operate("wait", begin)
        cancelled: asyncio.CancelledError | None = None
        try:
            self.stand_in_line("wait", self.leave_line)
        except asyncio.CancelledError as error:
            cancelled = error
        while True:  # the lock must be taken, however often the task is cancelled
            try:
                self._lock.take()
                break
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled
        return True

    @coroutine
    def wait_for(self, predicate: Callable[[], Any]) -> Any:
        """Wait until `predicate()` holds."""
        return self.until(predicate)

    def until(self, predicate: Callable[[], Any]) -> Any:
        """The same, in the task that runs."""
        result = predicate()
        while not result:
            self.until_notified()
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake `n` of those who wait, in order. Raises `RuntimeError` without the lock."""
        self.operate("notify", lambda: self.wake(n))

    def notify_all(self) -> None:
        """Wake all who wait."""
        self.operate("notify_all", lambda: self.wake(len(self.state.waiters)))

    def wake(self, n: int) -> None:
        """The same, within an access."""
        if not self._lock.is_locked():
            raise RuntimeError("cannot notify on un-acquired lock")
        pending = [task for task in self.state.waiters if task.waiter_is_pending()]
        for task in pending[: max(0, n)]:
            task.wake()


class BarrierState(NamedTuple):
    """What it is doing, how many are in it, how many it needs, and its condition."""

    phase: str
    inside: int
    parties: int
    condition: Any


FILLING, DRAINING, RESETTING, BROKEN = "filling", "draining", "resetting", "broken"


class Barrier(Primitive):
    """`asyncio.Barrier`."""

    written_in_python = True

    @classmethod
    def initial(cls, real: Any) -> object:
        return BarrierState(FILLING, 0, real.parties, real._cond)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return asyncio.Barrier(real.parties)

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return state._replace(condition=visit(state.condition, ".condition"))

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"{state.phase}, {state.inside} of {state.parties}"

    @property
    def _condition(self) -> Any:
        return self.state.condition

    @property
    def parties(self) -> int:
        """How many it needs. It never changes: looking is no access."""
        return int(self.state.parties)

    @property
    def n_waiting(self) -> int:
        def effect() -> int:
            return int(self.state.inside) if self.state.phase == FILLING else 0

        return int(self.operate("n_waiting", effect))

    @property
    def broken(self) -> bool:
        return bool(self.operate("broken", lambda: self.state.phase == BROKEN))

    def _set(self, **changes: Any) -> None:
        self.state = self.state._replace(**changes)

    @coroutine
    def __aenter__(self) -> int:
        return self._pass()

    @coroutine
    def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        return None

    @coroutine
    def wait(self) -> int:
        """Wait until as many wait as it needs. Gives who came as which, from 0."""
        return self._pass()

    def _pass(self) -> int:
        condition = self._condition
        condition.take()
        try:
            return self._pass_locked(condition)
        finally:
            condition.release()

    def _pass_locked(self, condition: Any) -> int:
        condition.until(lambda: self._phase() not in (DRAINING, RESETTING))
        if self._phase() == BROKEN:
            raise asyncio.BrokenBarrierError("Barrier aborted")
        try:
            index = int(self.operate("wait", self._come))
            if index + 1 < self.parties:
                condition.until(lambda: self._phase() != FILLING)
                if self._phase() in (BROKEN, RESETTING):
                    raise asyncio.BrokenBarrierError("Abort or reset of barrier")
            return index
        finally:
            self.operate("wait", self._go)

    def _phase(self) -> str:
        return str(self.operate("wait", lambda: self.state.phase))

    def _come(self) -> int:
        index = int(self.state.inside)
        self._set(inside=index + 1)
        if index + 1 == self.state.parties:
            self._set(phase=DRAINING)
            self._condition.wake(len(self._condition.state.waiters))
        return index

    def _go(self) -> None:
        self._set(inside=self.state.inside - 1)
        if self.state.inside == 0:
            if self.state.phase in (RESETTING, DRAINING):
                self._set(phase=FILLING)
            self._condition.wake(len(self._condition.state.waiters))

    @coroutine
    def reset(self) -> None:
        """Have all who wait raise `BrokenBarrierError`, and begin again."""

        def effect() -> None:
            self._set(phase=RESETTING if self.state.inside > 0 else FILLING)
            self._condition.wake(len(self._condition.state.waiters))

        self._locked("reset", effect)

    @coroutine
    def abort(self) -> None:
        """Have all who wait, and who come later, raise `BrokenBarrierError`."""

        def effect() -> None:
            self._set(phase=BROKEN)
            self._condition.wake(len(self._condition.state.waiters))

        self._locked("abort", effect)

    def _locked(self, kind: str, effect: Callable[[], None]) -> None:
        condition = self._condition
        condition.take()
        try:
            self.operate(kind, effect)
        finally:
            condition.release()


def make_condition(lock: Any = None) -> Any:
    """`asyncio.Condition(...)` in a running task."""
    port = current_port()
    if lock is None:
        lock = port.make(Kind(Lock), LockState())
    return port.make(Kind(Condition), ConditionState(lock))


def make_barrier(parties: int) -> Any:
    """`asyncio.Barrier(...)` in a running task."""
    if parties < 1:
        raise ValueError("parties must be > 0")
    state = BarrierState(FILLING, 0, parties, make_condition())
    return current_port().make(Kind(Barrier), state)


PRIMITIVES: dict[type, type[Primitive]] = {
    asyncio.Lock: Lock,
    asyncio.Event: Event,
    asyncio.Semaphore: Semaphore,
    asyncio.BoundedSemaphore: Semaphore,
    asyncio.Condition: Condition,
    asyncio.Barrier: Barrier,
}
