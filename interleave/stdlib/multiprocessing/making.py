"""What `multiprocessing.Lock()` and its like make in a running thread or process.

No real one is made: those have finalizers, and files. After context.py, queues.py, sharedctypes.py
and synchronize.py in Lib/multiprocessing of CPython 3.12.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from multiprocessing import sharedctypes, synchronize
from typing import Any

from interleave.errors import ModelError
from interleave.memory.made import Kind
from interleave.memory.port import BETWEEN, AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.events import EventState
from interleave.stdlib.multiprocessing import conditions, locks, memory, pipes, queues, rooms

_MOST: int = synchronize.SEM_VALUE_MAX  # type: ignore[attr-defined]
"""What a semaphore can be at most."""

_TYPES: dict[Any, Any] = vars(sharedctypes)["typecode_to_type"]
"""The types of ctypes, by their codes."""


def _made(kind: type[Primitive], state: object) -> Any:
    port = current_port()
    port.switch_point()  # the real ones are Python code
    if issubclass(kind, pipes.Holding):
        port.know(BETWEEN)
    return port.make(Kind(kind), state)


def _checked_value(value: int) -> int:
    """The value of a semaphore. Raises what the system does."""
    if not 0 <= value <= _MOST:
        raise OSError(22, "Invalid argument")
    return value


def _lock() -> Any:
    return _made(locks.Lock, None)


def _rlock() -> Any:
    return _made(locks.RLock, None)


def _semaphore(value: int = 1) -> Any:
    return _made(locks.Semaphore, (_checked_value(value), _MOST))


def _bounded_semaphore(value: int = 1) -> Any:
    return _made(locks.BoundedSemaphore, (_checked_value(value), value))


def _event() -> Any:
    return _made(locks.Event, EventState())


def _condition(lock: Any = None) -> Any:
    lock = _rlock() if lock is None else _checked(lock)
    return _made(conditions.Condition, conditions.ConditionState(lock))


def _queue(maxsize: int = 0) -> Any:
    return _made(queues.Queue, queues.QueueState(maxsize if maxsize > 0 else _MOST))


def _joinable_queue(maxsize: int = 0) -> Any:
    limit = maxsize if maxsize > 0 else _MOST
    return _made(queues.JoinableQueue, queues.QueueState(limit))


def _simple_queue() -> Any:
    return _made(pipes.SimpleQueue, pipes.Pipe())


def _pipe(duplex: bool = True) -> tuple[Any, Any]:
    port = current_port()
    port.know(BETWEEN)
    port.switch_point()
    one = port.make(Kind(rooms.Connection, ((True, bool(duplex)),)), pipes.Pipe())
    other = port.make(Kind(rooms.Connection, ((bool(duplex), True),)), pipes.Pipe(peer=one))

    def join() -> None:
        one.state = one.state._replace(peer=other)

    port.access(AccessKind("", one.location), join, private=True)
    return one, other


def _raw_value(typecode_or_type: Any, *args: Any) -> Any:
    return _value(typecode_or_type, *args, lock=False)


def _value(typecode_or_type: Any, *args: Any, lock: Any = True) -> Any:
    kind = _type_of(typecode_or_type)
    return _memory(kind, (kind(*args).value,), lock, rooms.RawValue, rooms.Value)


def _raw_array(typecode_or_type: Any, size_or_initializer: Any) -> Any:
    return _array(typecode_or_type, size_or_initializer, lock=False)


def _array(typecode_or_type: Any, size_or_initializer: Any, *, lock: Any = True) -> Any:
    kind, given = _type_of(typecode_or_type), size_or_initializer
    real = (kind * given)() if isinstance(given, int) else (kind * len(given))(*given)
    if kind is ctypes.c_char:
        return _memory(kind, list(real), lock, rooms.RawString, rooms.String)
    return _memory(kind, list(real), lock, rooms.RawArray, rooms.Array)


def _type_of(typecode_or_type: Any) -> Any:
    kind = _TYPES.get(typecode_or_type, typecode_or_type)
    if isinstance(kind, type) and issubclass(kind, ctypes._SimpleCData):
        return kind
    raise memory.no_counterpart(getattr(kind, "__name__", str(kind)))


def _memory(kind: Any, elements: Sequence[Any], lock: Any, raw: type, locked: type) -> Any:
    port = current_port()
    port.switch_point()
    if lock is False:
        return port.make(Kind(raw, (kind, len(elements), None)), tuple(elements))
    lock = _rlock() if lock in (True, None) else _checked(lock)
    return port.make(Kind(locked, (kind, len(elements), lock)), tuple(elements))


def _checked(lock: Any) -> Any:
    if isinstance(lock, locks.Lock):
        return lock
    raise ModelError(
        f"something of multiprocessing is given a {type(lock).__name__} for its lock",
        remedy="give it a multiprocessing.Lock() or _rlock(), or nothing",
    )


FUNCTIONS = {
    "Array": _array,
    "BoundedSemaphore": _bounded_semaphore,
    "Condition": _condition,
    "Event": _event,
    "JoinableQueue": _joinable_queue,
    "Lock": _lock,
    "Pipe": _pipe,
    "Queue": _queue,
    "RLock": _rlock,
    "RawArray": _raw_array,
    "RawValue": _raw_value,
    "Semaphore": _semaphore,
    "SimpleQueue": _simple_queue,
    "Value": _value,
}
"""What makes them, by its name in `multiprocessing`."""
