"""The numbers of what states are made of: each is counted in the order in which it was met.

That order is a function of the model: of how it is captured, and of the order in which cases are
learnt. So whoever learns the same cases in the same order has the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any

import interleave.memory.matches  # noqa: F401 (so that states can hold them)
from interleave.compiler import Code
from interleave.memory.made import Kind
from interleave.memory.values import Freezer, Key, Shared, Thawer
from interleave.world.refusal import Refused

FIRST_MADE = 1 << 32
"""Numbers of stand-ins from here on are of objects that threads make: a room and a kind."""

MOST_KINDS = 1 << 16


def number_made(room: int, kind: int) -> int:
    """The number of the stand-in for what is in a room, if it is of some kind."""
    return FIRST_MADE + room * MOST_KINDS + kind


def room_and_kind(number: int) -> tuple[int, int]:
    """The room and the kind that the number of a stand-in stands for."""
    return divmod(number - FIRST_MADE, MOST_KINDS)


def rooms_in(key: object) -> tuple[int, ...]:
    """The rooms that a frozen value refers to, as often as it does."""
    if type(key) is not tuple:
        return ()
    if len(key) == 2 and key[0] is Shared:
        return (room_and_kind(key[1])[0],) if key[1] >= FIRST_MADE else ()
    return tuple(room for part in key for room in rooms_in(part))


class Keys:
    """Frozen values and their numbers. Equal numbers mean equal keys."""

    def __init__(self) -> None:
        self._ids: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._rooms: dict[int, tuple[int, ...]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, number: int) -> Key:
        """What a number stands for, frozen."""
        return self._keys[number]

    def number(self, key: Key) -> int:
        """The number of a frozen value."""
        found = self._ids.get(key)
        if found is None:
            self._met(key)
            found = self._ids[key] = len(self._keys)
            self._keys.append(key)
        return found

    def _met(self, key: Key) -> None:
        """What is to be done with a key that is about to have a number."""

    def rooms(self, number: int) -> tuple[int, ...]:
        """The rooms (see `memory.made`) that it refers to, as often as it does."""
        found = self._rooms.get(number)
        if found is None:
            found = self._rooms[number] = rooms_in(self._keys[number])
        return found


class Values(Keys):
    """The values of shared locations. Equal numbers mean equal values of equal types."""

    def __init__(self, stand_in: Callable[[int], Any]) -> None:
        super().__init__()
        self._stand_in = stand_in
        self._values: list[Any] = []

    def id_of(self, value: object, share: Callable[[object], object] | None = None) -> int:
        """The id of an immutable value or a reference. Raises `Uncapturable`.

        `share` gives a reference for what is neither.
        """
        return self.number(Freezer(share=share).freeze(value))

    def _met(self, key: Key) -> None:
        self._values.append(Thawer(self._stand_in).thaw(key))

    def __getitem__(self, number: int) -> Any:
        return self._values[number]

    def holds(self, value: object, more: Iterable[object]) -> bool:
        """Whether an object is one of the values, or of `more`, or within a tuple or dataclass that
        is one.
        """
        waiting = [*self._values, *more]
        while waiting:
            each = waiting.pop()
            if each is value:
                return True
            if isinstance(each, tuple):
                waiting += each
            elif not isinstance(each, Shared | type | Refused) and is_dataclass(each):
                waiting += [getattr(each, field.name) for field in fields(each)]
        return False


class LocalStates(Keys):
    """The local states of threads, and the functions that they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[Code] = []
        """The functions that local states refer to, by their numbers."""
        self._code_numbers: dict[Code, int] = {}
        for ended in ("finished", "failed"):
            self.id_of((ended,))

    id_of = Keys.number
    """The number of a local state: its frames, the log of the innermost one's block, and what is
    unsent.
    """

    __getitem__ = Keys.key

    def code_number(self, code: Code) -> int:
        """The number by which local states refer to a function."""
        found = self._code_numbers.get(code)
        if found is None:
            found = self._code_numbers[code] = len(self.codes)
            self.codes.append(code)
        return found


class Interner:
    """All numbers of one program. `stand_in` gives what stands for a shared object, by its number.

    Shared objects and locations have their numbers from the heap, which has them in lists; steps
    have them from the cases that were learnt.
    """

    def __init__(self, stand_in: Callable[[int], Any]) -> None:
        self.values = Values(stand_in)
        self.locals = LocalStates()
        self.kinds: list[Kind] = []
        """The kinds of objects that threads have made."""
        self._kind_numbers: dict[Kind, int] = {}

    def kind_number(self, kind: Kind) -> int:
        """The number of a kind of objects that threads make."""
        found = self._kind_numbers.get(kind)
        if found is None:
            found = self._kind_numbers[kind] = len(self.kinds)
            self.kinds.append(kind)
        return found
