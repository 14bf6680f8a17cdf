"""Locks that wait by handing the baton back, in the place of those of `threading`.

Everything else in `threading` and `queue` is built on them, in Python: conditions, semaphores,
events, barriers and queues need nothing of their own.
"""

from __future__ import annotations

import queue
import threading
import time
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from interleave.replay.misuse import refuse

if TYPE_CHECKING:
    from interleave.replay.scheduler import Scheduler

Factory = Callable[..., Any]


class Lock:
    """`threading.Lock`. Each operation has a switch point before it.

    A timeout elapses whenever the lock is held at the moment its thread is chosen.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        _reach(self._scheduler, lambda: not self._held, blocking, timeout)
        if self._held:
            return False
        self._held = True
        return True

    def release(self) -> None:
        self._scheduler.switch()
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False

    def locked(self) -> bool:
        self._scheduler.switch()
        return self._held

    def _is_owned(self) -> bool:
        # A condition asks, of a lock that its thread should hold.
        return self._held

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()


class RLock:
    """`threading.RLock`, in the same way."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._owner: int | None = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        me = get_ident()
        _reach(self._scheduler, lambda: self._owner in (None, me), blocking, timeout)
        if self._owner not in (None, me):
            return False
        self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        self._scheduler.switch()
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        self._depth -= 1
        if not self._depth:
            self._owner = None

    def _is_owned(self) -> bool:
        return self._owner == get_ident()

    # A condition gives all levels back while it waits.

    def _release_save(self) -> int:
        depth, self._depth = self._depth, 1
        self.release()
        return depth

    def _acquire_restore(self, depth: int) -> None:
        self.acquire()
        self._depth = depth

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *exception: object) -> None:
        self.release()


def _reach(
    scheduler: Scheduler, is_free: Callable[[], bool], blocking: bool, timeout: float
) -> None:
    """Come to the point at which a thread takes a lock, or finds that it cannot."""
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be a non-negative number")
    if blocking and timeout == -1:
        scheduler.switch(is_free)
    else:
        scheduler.switch()


@contextmanager
def cooperative(scheduler: Scheduler) -> Iterator[None]:
    """What the threads of `scheduler` make and call here is cooperative. Other threads see nothing.

    That is: locks, and all that is built on them; a sleep is a switch point and takes no time.
    """

    def ours(own: Factory, original: Factory) -> Factory:
        def choose(*arguments: Any, **keywords: Any) -> Any:
            function = own if scheduler.manages_this_thread() else original
            return function(*arguments, **keywords)

        return choose

    def start(thread: threading.Thread) -> NoReturn:
        refuse("a thread of the program starts another", "give all threads to the program")

    def sleep(seconds: float) -> None:
        scheduler.switch()

    def lock() -> Lock:
        return Lock(scheduler)

    def rlock() -> RLock:
        return RLock(scheduler)

    replaced: list[tuple[Any, str, Factory]] = [
        (threading, "Lock", lock),
        (threading, "_allocate_lock", lock),
        (threading, "RLock", rlock),
        (queue, "SimpleQueue", queue._PySimpleQueue),  # type: ignore[attr-defined]
        (time, "sleep", sleep),
        (threading.Thread, "start", start),
    ]
    originals = [getattr(owner, name) for owner, name, _ in replaced]
    for (owner, name, own), original in zip(replaced, originals, strict=True):
        setattr(owner, name, ours(own, original))
    try:
        yield
    finally:
        for (owner, name, _), original in zip(replaced, originals, strict=True):
            setattr(owner, name, original)
