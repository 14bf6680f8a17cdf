"""`Condition` and `Barrier` of `asyncio`.

After docs.python.org/3.12/library/asyncio-sync.html and Lib/asyncio/locks.py of CPython 3.12.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.memory.bag import Line
from interleave.memory.coroutine import coroutine
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.lines import Waiters
from interleave.stdlib.asyncio.locks import Lock, LockState, WithLock
from interleave.stdlib.barriers import (
    BROKEN,
    DRAINING,
    FILLING,
    RESETTING,
    AnyBarrier,
    after_one_left,
)
from interleave.stdlib.conditions import OnLock


class ConditionState(NamedTuple):
    """Its lock, and who waits to be notified."""

    lock: Any
    waiters: Waiters = Line()
    loop: Any = None


class Condition(OnLock, WithLock):
    """`asyncio.Condition`."""

    besides = frozenset({"acquire", "locked", "release"})

    @classmethod
    def initial(cls, real: Any) -> object:
        return ConditionState(real._lock)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return asyncio.Condition(real._lock)

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"{len(state.waiters)} waiting"

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

        def begin() -> bool:
            if not self._lock.is_locked():
                raise RuntimeError("cannot wait on un-acquired lock")
            self._lock.give()
            is_foreign = self.is_foreign()
            if not is_foreign:
                self.park_in_line()
            return is_foreign

        raised: BaseException | None = None
        if self.operate("wait", begin):
            raised = self.of_other_loop()
        else:
            try:
                self.stand_in_line("wait", self.go_on_from_line)
            except asyncio.CancelledError as error:
                raised = error
        while True:  # the lock must be taken, however often the task is cancelled
            try:
                self._lock.take()
                break
            except asyncio.CancelledError as error:
                raised = error
        if raised is not None:
            raise raised
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
        for task in self._pending()[: max(0, n)]:
            task.wake()


class BarrierState(NamedTuple):
    """A barrier: its phase, how many tasks are inside, how many it needs, and its condition."""

    phase: str
    inside: int
    parties: int
    condition: Any


class Barrier(AnyBarrier):
    """`asyncio.Barrier`."""

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
        self.state = left = after_one_left(self.state)
        if left.inside == 0:
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


PRIMITIVES: dict[type, type[Primitive]] = {asyncio.Condition: Condition, asyncio.Barrier: Barrier}
