"""Memory and pipes that a running thread makes for processes: all of one is in its room."""

from __future__ import annotations

from typing import Any

from interleave.memory.port import AccessKind, Location, current_port
from interleave.showing import show
from interleave.stdlib.multiprocessing import memory, pipes
from interleave.stdlib.multiprocessing.locks import Between


class Connection(pipes.Connection):
    """One that a running thread has made: its other end is a part of its state."""

    def __init__(self, number: int, location: Location, ways: tuple[bool, bool]) -> None:
        super().__init__(number, location)
        self.readable, self.writable = ways

    @property
    def peer(self) -> Any:  # type: ignore[override]
        return self.state.peer


class _Memory(Between):
    """Mixed into what a running thread makes: one location, whose value has all elements."""

    is_variable = True
    _locations: tuple[Location, ...]
    _kind: Any
    _lock: Any

    def __init__(self, number: int, location: Location, kind: Any, length: int, lock: Any) -> None:
        super().__init__(number, location)
        self._locations = (location,) * length
        self._kind = kind
        self._lock = lock

    @classmethod
    def describe(cls, state: Any) -> str:
        return show(list(state) if issubclass(cls, memory.RawArray) else state[0])

    @classmethod
    def part(cls, state: Any, part: Any) -> object:
        """An element, as a tuple of one."""
        return (state[part[0]],)

    def _one(self, name: str, place: int) -> AccessKind:
        return AccessKind(
            name, self._location, f"[{place}]" if isinstance(self, memory.RawArray) else ""
        )

    def _several(self, name: str, places: range) -> AccessKind:
        return AccessKind(name, self._location, f"[{places.start}:{places.stop}]")

    def _load(self, place: int) -> Any:
        port = current_port()
        port.read(self._location, part=(place,))
        return port.read(self._location, part=None)[place]

    def _store(self, place: int, value: Any) -> None:
        port = current_port()
        elements = list(port.read(self._location, part=None))
        elements[place] = value
        port.write(self._location, tuple(elements), part=(place,))


class RawValue(_Memory, memory.RawValue):
    """A value without a lock."""


class Value(_Memory, memory.Value):
    """A value with a lock."""


class RawArray(_Memory, memory.RawArray):
    """An array without a lock."""


class Array(_Memory, memory.Array):
    """An array with a lock."""


class RawString(_Memory, memory.RawString):
    """An array of characters without a lock."""


class String(_Memory, memory.String):
    """An array of characters with a lock."""
