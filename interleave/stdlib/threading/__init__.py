"""The `threading` module, after docs.python.org/3.12/library/threading.html."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Any

from interleave.memory.primitive import Primitive
from interleave.stdlib import threads
from interleave.stdlib.registry import made_by_threads
from interleave.stdlib.threading import conditions, derived, derived_local, local, timers
from interleave.stdlib.threading.barriers import Barrier
from interleave.stdlib.threading.conditions import Condition
from interleave.stdlib.threading.events import Event
from interleave.stdlib.threading.locks import Lock, RLock
from interleave.stdlib.threading.semaphores import BoundedSemaphore, Semaphore

PRIMITIVES: dict[type, type[Primitive]] = {
    _thread.LockType: Lock,
    type(threading.RLock()): RLock,
    threading._PyRLock: RLock,  # type: ignore[attr-defined]
    threading.Barrier: Barrier,
    threading.BoundedSemaphore: BoundedSemaphore,
    threading.Condition: Condition,
    threading.Event: Event,
    threading.Semaphore: Semaphore,
}
FUNCTIONS = {
    "Lock": made_by_threads(threading.Lock, Lock),
    "RLock": made_by_threads(threading.RLock, RLock),
    # What its code calls itself: a function, and from CPython 3.13 on a class.
    **dict.fromkeys(("allocate_lock", "lock"), made_by_threads(threading.Lock, Lock)),
    "Barrier": made_by_threads(threading.Barrier, Barrier),
    "BoundedSemaphore": made_by_threads(threading.BoundedSemaphore, BoundedSemaphore),
    "Condition": conditions.make_condition,
    "Event": made_by_threads(threading.Event, Event),
    "Semaphore": made_by_threads(threading.Semaphore, Semaphore),
    "Timer": timers.make_timer,
    "local": local.make_local,
    **threads.FUNCTIONS,
}
BASES = {threading.Thread: derived.BASE, threading.local: derived_local.BASE}

_CAPTURING = {
    threading.Condition: conditions.capture_condition,
    threading.Thread: threads.capture_thread,
    threading.Timer: timers.capture_timer,
    threading.local: local.capture_local,
}


def capturing(real: Any) -> Callable[..., Any] | None:
    """What makes the stand-in of what is more than one primitive; None for the others."""
    return _CAPTURING.get(type(real))
