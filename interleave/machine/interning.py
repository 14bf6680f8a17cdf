"""Numbers for the local states of threads, and for the functions that these are in."""

from __future__ import annotations

from interleave.compiler import Code
from interleave.memory.values import Key
from interleave.program.heap import rooms_in


class LocalStates:
    """The local states that one machine has met. Equal numbers mean equal local states."""

    def __init__(self, *, with_rooms: bool) -> None:
        self._ids: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._with_rooms = with_rooms
        self._rooms: list[tuple[int, ...]] = []
        self.codes: list[Code] = []
        """The functions that local states refer to, by their numbers."""
        self._code_numbers: dict[Code, int] = {}
        for ended in ("finished", "failed"):
            self.id_of((ended,))

    def id_of(self, key: Key) -> int:
        """The number of a local state: its frames, the log of the innermost one's block, and what
        is unsent.
        """
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self._keys)
            self._keys.append(key)
            self._rooms.append(rooms_in(key) if self._with_rooms else ())
        return found

    def __getitem__(self, number: int) -> Key:
        return self._keys[number]

    def rooms(self, number: int) -> tuple[int, ...]:
        """The rooms (see `memory.made`) that a local state refers to, as often as it does."""
        return self._rooms[number]

    def code_number(self, code: Code) -> int:
        """The number by which local states refer to a function."""
        found = self._code_numbers.get(code)
        if found is None:
            found = self._code_numbers[code] = len(self.codes)
            self.codes.append(code)
        return found
