"""`sync.WaitGroup`, `sync.Once` and `sync.Cond`, after pkg.go.dev/sync and src/sync of Go 1.25."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.go.base import GoPrimitive, Panic
from interleave.go.goroutines import named, spawn
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import stepwise, stepwise_method
from interleave.memory.wait_line import FIRST_COME, IN_ANY_ORDER, HasLine, WaitLine
from interleave.stdlib.conditions import OnLock


class Group(NamedTuple):
    """The state of a `WaitGroup`: who waits, and who was let go on and did not yet."""

    counter: int = 0
    line: WaitLine = IN_ANY_ORDER


ADD_BEFORE_WAIT = (
    "An Add that raises the counter of a WaitGroup from 0 must happen before Wait: call Add before "
    "the go statement."
)
"""Go's race detector is told of it: `Add` from 0 as a read, and who waits first as a write.

`Wait` while the counter is 0 is no access for it; but the same two, in the order in which it does
wait, are as little kept apart.
"""


class WaitGroup(GoPrimitive, HasLine):
    """`sync.WaitGroup`."""

    @classmethod
    def zero(cls) -> object:
        """Nothing to wait for."""
        return Group()

    @classmethod
    def describe(cls, state: Any) -> str:
        waiting = len(state.line.waiting)
        return f"{state.counter} ({waiting} waiting)" if waiting else str(state.counter)

    def Add(self, delta: int) -> None:
        """Change the counter. Panics where it becomes negative, or is raised under who waits."""
        self.operate("sync.WaitGroup.Add", lambda: self._add(delta))

    def Done(self) -> None:
        """Take one from the counter."""
        self.operate("sync.WaitGroup.Done", lambda: self._add(-1))

    def _add(self, delta: int) -> None:
        group: Group = self.state
        counter = group.counter + delta
        if counter < 0:
            raise Panic("sync: negative WaitGroup counter")
        if group.line.waiting and delta > 0 and counter == delta:
            raise Panic("sync: WaitGroup misuse: Add called concurrently with Wait")
        if delta > 0 and counter == delta:
            self.exclude(ADD_BEFORE_WAIT, writes=False)
        self.state = group._replace(counter=counter)
        if counter == 0:
            self.wake()

    def Wait(self) -> None:
        """Wait until the counter is 0: a step, and one more where it is not.

        Panics where the group is used again before this has returned.
        """

        def park() -> bool:
            self.exclude(ADD_BEFORE_WAIT, writes=True)
            if self.state.counter == 0:
                return True
            self.get_in_line()
            return False

        def go_on() -> None:
            self.leave_line()
            if self.state.counter or self.state.line.waiting:
                raise Panic("sync: WaitGroup is reused before previous Wait has returned")

        if not self.operate("sync.WaitGroup.Wait", park):
            self.operate("sync.WaitGroup.Wait", go_on)

    def Go(self, f: Callable[[], Any]) -> None:
        """Run `f` in a goroutine that is waited for (new in Go 1.25)."""
        self.Add(1)
        spawn(_run, self, f)


@stepwise
@named("wg.Go")
def _run(group: WaitGroup, f: Callable[[], Any]) -> None:
    try:
        f()
    finally:
        group.Done()


DONE = "done"


class Once(GoPrimitive):
    """`sync.Once`. State: None, the goroutine that runs the function, or "done"."""

    is_run = True

    @classmethod
    def zero(cls) -> object:
        """Not done."""
        return None

    @classmethod
    def describe(cls, state: Any) -> str:
        return "not done" if state is None else "done" if state == DONE else "running"

    @classmethod
    def holders(cls, state: Any, history: Any) -> tuple[int, ...]:
        return () if state in (None, DONE) else (state,)

    @stepwise_method
    def Do(self, f: Callable[[], Any]) -> None:
        """Call `f`, if nobody has; wait for it, if somebody does. Done even where `f` panics."""
        if self._begin():
            try:
                f()
            finally:
                self._end()

    def _begin(self) -> bool:
        def effect() -> bool:
            if self.state == DONE:
                return False
            if self.state is not None:
                # There is a mutex inside, and the runtime says so.
                self.block(AccessKind("sync.Mutex.Lock", self.location))
            self.state = current_port().thread
            return True

        return bool(self.operate("sync.Once.Do", effect))

    def _end(self) -> None:
        def effect() -> None:
            self.state = DONE

        self.operate("sync.Once.Do", effect)


class Condition(NamedTuple):
    """The state of a `Cond`: its lock, and who waits."""

    lock: Any
    line: WaitLine = FIRST_COME


class Cond(OnLock, GoPrimitive, HasLine):
    """`sync.Cond`. `Signal` wakes who has waited longest; nobody wakes without one."""

    _lock_is_called = ".L"

    @classmethod
    def zero(cls, lock: Any = None) -> object:
        """`sync.NewCond(lock)`; or, without it, a `sync.Cond`, whose field L is set later."""
        cls._check(lock)
        return Condition(lock)

    @staticmethod
    def _check(lock: Any) -> None:
        if lock is not None and not hasattr(getattr(lock, "kind", lock), "give"):
            raise ModelError(
                f"a Cond is made with {lock!r} as its lock",
                remedy="give it a Mutex, an RWMutex, or what its RLocker gives",
            )

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"{len(state.line.waiting)} waiting"

    @property
    def L(self) -> Any:
        """Its lock, which never changes once it is set."""
        return self._lock

    @L.setter
    def L(self, lock: Any) -> None:
        self._check(lock)

        def effect() -> None:
            self.state = self.state._replace(lock=lock)

        self.operate("set L", effect)

    def Wait(self) -> None:
        """Give the lock back and wait to be woken, then take it again: three steps."""

        def park() -> None:
            self.get_in_line()
            self.state.lock.give()

        lock = self.L
        self.operate("sync.Cond.Wait", park)
        self.operate("sync.Cond.Wait", self.leave_line)
        lock.Lock()

    def Signal(self) -> None:
        """Wake the one that has waited longest, if there is any."""
        self.operate("sync.Cond.Signal", lambda: self.wake(1))

    def Broadcast(self) -> None:
        """Wake all that wait."""
        self.operate("sync.Cond.Broadcast", self.wake)
