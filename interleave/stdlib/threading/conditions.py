"""`Condition`, after docs.python.org/3.12/library/threading.html#condition-objects.

Where that is silent: Lib/threading.py of CPython 3.12. It keeps a queue of those who wait and wakes
the one who has waited longest; whoever is woken, or does not wait any longer, must take the lock
again. Nobody is woken without a notify, unless the model asks for it: see `SPURIOUS_WAKEUPS`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.identity import ThreadId
from interleave.memory.made import Kind
from interleave.memory.port import Location, current_port
from interleave.memory.wait_line import FIRST_COME, HasLine, WaitLine
from interleave.stdlib.threading.locks import Lock, RLock
from interleave.stdlib.timeouts import Waiting, begin_waiting, check_timeout


class ConditionState(NamedTuple):
    """Who waits, and who was notified and does not have the lock as yet.

    One whose timeout has expired goes on waiting until it has the lock: see `Condition.wait`.
    """

    line: WaitLine = FIRST_COME
    spurious: int = 0
    """How many were woken without a notify."""


class Condition(HasLine):
    """`threading.Condition`. Its lock never changes, and is no part of the state."""

    besides = frozenset({"acquire", "release"})

    written_in_python = True
    can_be_left = True

    def __init__(self, number: int, location: Location, lock: Any) -> None:
        super().__init__(number, location)
        self._lock = lock

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return threading.Condition(real._lock)

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        real.__init__(copy(real._lock))

    @classmethod
    def describe(cls, state: Any) -> str:
        line: WaitLine = state.line
        words = {"waiting": len(line.waiting), "notified": len(line.woken)}
        return ", ".join(f"{n} {word}" for word, n in words.items() if n) or "nobody waiting"

    def acquire(self, *args: Any, **kwargs: Any) -> bool:
        """Take the lock."""
        return bool(self._lock.acquire(*args, **kwargs))

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def __enter__(self) -> bool:
        current_port().switch_point()
        return bool(self._lock.__enter__())

    def __exit__(self, *args: object) -> None:
        current_port().switch_point()
        self._lock.__exit__(*args)

    def wait(self, timeout: float | Waiting | None = None) -> bool:
        """Give the lock back, wait to be notified, and take the lock again: two steps.

        A timeout may expire whenever it is waited for. Where the thread does not have the lock
        again before it is notified all the same, it has swallowed that notify: False, and nobody
        else is woken. Raises `RuntimeError` without the lock.
        """
        me = current_port().thread
        waiting = begin_waiting(timeout)

        def park() -> object:
            if not self._lock.is_owned():
                raise RuntimeError("cannot wait on un-acquired lock")
            self.get_in_line()
            return self._lock.let_go()

        def wake(before: object) -> bool:
            state: ConditionState = self.state
            notified = me in state.line.woken
            spurious = not notified and self._may_wake_anyway(state)
            if not (notified or spurious or waiting.timeout is not None):
                self.block()
            if not self._lock.is_free():
                self.block(self._lock.acquiring)
            self._lock.take_back(before)
            in_time = (notified or spurious) and not self._has_expired(waiting)
            if not in_time:
                waiting.expire()
            more = state.spurious + (in_time and spurious)
            self.state = ConditionState(state.line.left(me), more)
            check_timeout(waiting.timeout)
            return in_time

        def leave(before: object) -> None:
            if not self._lock.is_free():
                self.block(self._lock.acquiring)
            self._lock.take_back(before)
            self.state = self.state._replace(line=self.state.line.left(me))

        before = self.operate("wait", park)
        return bool(self.operate_or("wait", lambda: wake(before), lambda: leave(before)))

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until `predicate()` holds, or a timeout has expired."""
        return wait_for(self.wait, predicate, timeout)

    def notify(self, n: int = 1) -> None:
        """Wake the `n` threads that have waited longest. Raises `RuntimeError` without the lock."""
        self._notify("notify", lambda _: n)

    def notify_all(self) -> None:
        """Wake all who wait. Raises `RuntimeError` without the lock."""
        self._notify("notify_all", len)

    def notifyAll(self) -> None:
        """`notify_all`, by its old name."""
        self.notify_all()

    def _notify(self, kind: str, count: Callable[[tuple[ThreadId, ...]], int]) -> None:
        def effect() -> None:
            if not self._lock.is_owned():
                raise RuntimeError("cannot notify on un-acquired lock")
            waiting = self.state.line.waiting
            n, woken = count(waiting), 0
            while woken < len(waiting) and n > 0:
                n, woken = n - 1, woken + 1
            self.wake(woken)

        self.operate(kind, effect)

    def _may_wake_anyway(self, state: ConditionState) -> bool:
        most: int = current_port().setting("SPURIOUS_WAKEUPS") or 0
        return state.spurious < most

    def _has_expired(self, waiting: Waiting) -> bool:
        """Whether a timeout has expired before the thread was woken: a choice, if there is one."""
        return waiting.timeout is not None and bool(current_port().choose((False, True)))


def wait_for(
    wait: Callable[[Any], bool], predicate: Callable[[], Any], timeout: float | None
) -> Any:
    """`wait` until `predicate()` holds, or a timeout has expired; what it gave last.

    However often it waits, the time counts from the beginning.
    """
    port = current_port()
    waiting = begin_waiting(timeout)
    begin = port.progress()
    result = predicate()
    while not result:
        if timeout is not None:
            0.0 + timeout  # raises what adding it to the time would
        in_time = wait(waiting)
        if in_time:
            port.forget(begin)  # each round is like the first
        result = predicate()
        if not in_time:
            break
    return result


def capture_condition(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a condition that was made before the threads, and of its lock.

    `walk` is that of `program.capture`.
    """
    lock = _checked(walk.visit(real._lock, f"{path}.lock"))
    made = walk.stand_in(
        (path, (Condition, lock._number)),
        lambda number: Condition(number, walk.location(path, number), lock),
        real,
    )
    walk.contents[made.location.number] = ConditionState()
    return made


def make_condition(lock: Any = None) -> Any:
    """`threading.Condition(...)` in a running thread."""
    port = current_port()
    port.switch_point()  # the real one is Python code
    if lock is None:
        lock = port.make(Kind(RLock), None)
    return port.make(Kind(Condition, (_checked(lock),)), ConditionState())


def _checked(lock: Any) -> Any:
    if not isinstance(lock, Lock | RLock):
        raise ModelError(
            f"a Condition has a {type(lock).__name__} for its lock",
            remedy="give it a Lock or an RLock, or nothing",
        )
    return lock
