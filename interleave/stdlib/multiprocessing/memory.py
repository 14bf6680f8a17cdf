"""Shared memory: `Value` and `Array` of `multiprocessing`, with a lock and without.

After docs.python.org/3.12/library/multiprocessing.html#shared-ctypes-objects. Each value, and each
element of an array, is a location. With a lock, a single read or write takes that for itself, so it
waits while another process holds the lock; but `v.value += 1` is a read and a write.
"""

from __future__ import annotations

import ctypes
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing import sharedctypes
from typing import Any

from interleave.errors import ModelError
from interleave.memory.containers import SharedArray
from interleave.memory.port import AccessKind, Location, current_port
from interleave.memory.values import Shared
from interleave.stdlib.multiprocessing.locks import Lock


def is_shared_memory(real: Any) -> bool:
    """Whether an object is what `Value`, `Array`, `RawValue` or `RawArray` give."""
    return isinstance(real, sharedctypes.SynchronizedBase) or hasattr(real, "_wrapper")


def lock_of(real: Any) -> Any:
    """The lock of a `Value` or `Array`; None where there is none."""
    return real.get_lock() if isinstance(real, sharedctypes.SynchronizedBase) else None


def _raw(real: Any) -> Any:
    return real.get_obj() if isinstance(real, sharedctypes.SynchronizedBase) else real


def is_array(real: Any) -> bool:
    """Whether it is an array, and not a single value."""
    return isinstance(_raw(real), ctypes.Array)


def kind_of(real: Any) -> Any:
    """The type of its elements, as of ctypes."""
    raw = _raw(real)
    return raw._type_ if isinstance(raw, ctypes.Array) else type(raw)


def contents(real: Any) -> list[Any]:
    """The elements of an array as Python values; of a single value, a list of that.

    Raises `ModelError` for structures.
    """
    raw = _raw(real)
    if isinstance(raw, ctypes.Array) and issubclass(raw._type_, ctypes._SimpleCData):
        return list(raw)
    if isinstance(raw, ctypes._SimpleCData):
        return [raw.value]
    raise no_counterpart(type(raw).__name__)


def no_counterpart(kind: str) -> ModelError:
    """What is to be said of shared memory of a type that is not modelled."""
    return ModelError(
        f"shared memory that holds a {kind} has no modelled counterpart",
        remedy="use Value or Array with a typecode such as 'i' or 'd'",
    )


def class_of(real: Any) -> type[RawValue | RawArray]:
    """The class of what stands for shared memory."""
    has_lock = lock_of(real) is not None
    if not is_array(real):
        return Value if has_lock else RawValue
    if kind_of(real) is ctypes.c_char:
        return String if has_lock else RawString
    return Array if has_lock else RawArray


class _Memory(Shared):
    """What values and arrays share: single accesses, each under the lock if there is one."""

    __slots__ = ()
    _between_processes = True
    _locations: tuple[Location, ...]
    _kind: Any
    _lock: Any

    def give_lock(self, lock: Any) -> None:
        """Say what stands for its lock. Raises `ModelError` where that cannot be."""
        if not isinstance(lock, Lock):
            raise ModelError(
                "a Value or Array has a lock that is none of multiprocessing",
                remedy="give it a multiprocessing.Lock() or RLock(), or none",
            )
        if self._lock not in (None, lock):
            raise ModelError(
                "setup gives a Value or Array one lock or another",
                remedy="give it the same whatever the choices in setup are",
            )
        self._lock = lock

    @classmethod
    def fresh(cls, real: Any) -> Any:
        """New shared memory with the contents of `real`, and the same lock, if it has one."""
        lock = lock_of(real) or False
        if is_array(real):
            return multiprocessing.Array(kind_of(real), list(_raw(real)), lock=lock)
        return multiprocessing.Value(kind_of(real), _raw(real).value, lock=lock)

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        """Put a copy in place of the lock of what `fresh` has made."""
        if (lock := lock_of(real)) is not None:
            real.__init__(real.get_obj(), copy(lock))

    @property
    def lock(self) -> Any:
        """What stands for its lock, or None."""
        return self._lock

    def _read(self, place: int) -> Any:
        return self._access(self._one("read", place), lambda: self._load(place))

    def _write(self, place: int, value: Any) -> None:
        converted = self._converted(value)
        self._access(self._one("write", place), lambda: self._store(place, converted))

    def _one(self, name: str, place: int) -> AccessKind:
        return AccessKind(name, self._locations[place])

    def _load(self, place: int) -> Any:
        """An element, within an access."""
        return current_port().read(self._locations[place])

    def _store(self, place: int, value: Any) -> None:
        """Set an element, within an access."""
        current_port().write(self._locations[place], value)

    def _access(self, kind: AccessKind, effect: Callable[[], Any]) -> Any:
        port = current_port()

        def locked() -> Any:
            if self._lock is not None and not self._lock.is_free():
                port.block()
            return effect()

        if self._lock is None and kind.location is not None and kind.name == "read":
            if kind.location.constant:
                return effect()
        port.switch_point()
        result = port.access(kind._replace(atomic=self._lock is not None), locked)
        port.switch_point()
        return result

    def _converted(self, value: Any) -> Any:
        """`value` as memory of this type keeps it. Raises `TypeError` as ctypes does."""
        cell = self._kind()
        cell.value = value
        return cell.value


class _Locked:
    """What those with a lock have besides."""

    __slots__ = ()
    _lock: Any

    def get_lock(self) -> Any:
        """The lock."""
        return self._lock

    def get_obj(self) -> Any:
        """Not modelled: raises `ModelError`."""
        raise ModelError(
            "get_obj() has no modelled counterpart",
            remedy="make the Value or Array with lock=False",
        )

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take the lock."""
        return bool(self._lock.acquire(block, timeout))

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class RawValue(_Memory):
    """A value without a lock."""

    __slots__ = ("_kind", "_locations", "_lock", "_number")

    def __init__(self, number: int, locations: tuple[Location, ...], kind: Any) -> None:
        self._number = number
        self._locations = locations
        self._kind = kind
        self._lock = None

    @property
    def value(self) -> Any:
        return self._read(0)

    @value.setter
    def value(self, value: Any) -> None:
        self._write(0, value)

    def __repr__(self) -> str:
        return f"{self._kind.__name__}({self.value!r})"


class Value(_Locked, RawValue):
    """A value with a lock."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<Synchronized wrapper for {super().__repr__()}>"


class RawArray(_Memory, SharedArray):
    """An array without a lock: fixed length, each element a location."""

    __slots__ = ("_kind", "_lock")

    def __init__(self, number: int, locations: tuple[Location, ...], kind: Any) -> None:
        super().__init__(number, locations)
        self._kind = kind
        self._lock = None

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            found = self._read_all(range(*index.indices(len(self))))
            return b"".join(found) if self._kind is ctypes.c_char else found
        return self._read(self._place(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        if not isinstance(index, slice):
            self._write(self._place(index), value)
            return
        places = range(*index.indices(len(self)))
        values = [value[i : i + 1] for i in range(len(value))] if type(value) is bytes else value
        self._write_all(places, list(values))

    def _place(self, index: Any) -> int:
        places = range(len(self._locations))
        try:
            return places[index]
        except IndexError:
            raise IndexError("invalid index") from None

    def _read_all(self, places: range) -> list[Any]:
        """Several elements: in one access under the lock, else in one for each."""
        if self._lock is None:
            return [self._read(place) for place in places]
        return list(self._access(self._several("read", places), lambda: [*map(self._load, places)]))

    def _write_all(self, places: range, values: list[Any]) -> None:
        if len(values) != len(places):
            raise ValueError("Can only assign sequence of same size")
        if self._lock is None:
            for place, value in zip(places, values, strict=True):
                self._write(place, value)
            return
        converted = [self._converted(value) for value in values]

        def effect() -> None:
            for place, value in zip(places, converted, strict=True):
                self._store(place, value)

        self._access(self._several("write", places), effect)

    def _several(self, name: str, places: range) -> AccessKind:
        group = self._locations[0].group if self._locations else ""
        return AccessKind(name, None, f"{group}[{places.start}:{places.stop}]")

    def __iter__(self) -> Iterator[Any]:
        return (self._read(place) for place in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None

    def __repr__(self) -> str:
        return f"<{self._kind.__name__}_Array_{len(self)}>"


class Array(_Locked, RawArray):
    """An array with a lock."""

    __slots__ = ()


class RawString(RawArray):
    """An array of characters (typecode 'c') without a lock."""

    __slots__ = ()

    @property
    def raw(self) -> bytes:
        return b"".join(self._read_all(range(len(self))))

    @raw.setter
    def raw(self, value: bytes) -> None:
        places = range(min(len(value), len(self)))
        if len(value) > len(self):
            raise ValueError("byte string too long")
        self._write_all(places, [value[i : i + 1] for i in places])

    @property
    def value(self) -> bytes:
        return self.raw.partition(b"\0")[0]

    @value.setter
    def value(self, value: bytes) -> None:
        if len(value) > len(self):
            raise ValueError("byte string too long")
        ended = value + b"\0" if len(value) < len(self) else value
        self._write_all(range(len(ended)), [ended[i : i + 1] for i in range(len(ended))])


class String(_Locked, RawString):
    """An array of characters with a lock."""

    __slots__ = ()
