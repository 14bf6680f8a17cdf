"""What objects refer to, in the state as a step has it so far, in the order in which CPython lets
go of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Any

from interleave.errors import ModelError
from interleave.machine.places import Places
from interleave.memory.containers import SharedSequence
from interleave.memory.made import Held
from interleave.memory.values import Freezer, Key, Shared, Uncapturable, is_weak, number_in
from interleave.program import Program
from interleave.program.interning import FIRST_MADE
from interleave.world.twins import finalizer_of

_FROM_THE_LAST = (list, tuple)
"""Types of what lets go of its items from the last one to the first."""


class Referents:
    """The objects of a state, by their numbers in the heap, and what they lead to."""

    def __init__(self, program: Program, places: Places) -> None:
        self._program = program
        self._heap = program.heap
        self._places = places

    def _leads(self, value: object) -> bool:
        return any(map(self._is_finalized, self.led_to(self._in_value(value))))

    def _in_value(self, value: object) -> Iterator[int]:
        try:
            return self._in(Freezer(mutable=True).freeze(value))
        except Uncapturable:
            return iter(())

    def led_to(self, numbers: Iterable[int], beyond: Set[int] = frozenset()) -> set[int]:
        """Some objects, and all that they lead to by others than those `beyond`."""
        waiting = [*numbers]
        found = set(waiting)
        while waiting:
            for each in self._within(waiting.pop()):
                if each not in found and each not in beyond:
                    found.add(each)
                    waiting.append(each)
        return found

    def _within(self, number: int) -> list[int]:
        """The objects that an object refers to, in the order in which CPython lets go of them."""
        found: list[int] = []
        kind = self._kind(number)
        if kind is None or is_weak(kind):
            return found
        values = self._heap.values
        known = self._program.references
        for location in self._program.locations_of(number):
            value = location.initial if location.index < 0 else self._places.at(location.index)
            if (kind, value) not in known:
                known[kind, value] = [*self._contents(kind, values.key(value), values[value])]
            found += known[kind, value]
        return found

    def _contents(self, kind: type, key: Key, value: object) -> Iterator[int]:
        if isinstance(value, Held):
            kind = value.kind.stand_in
            key = Freezer(mutable=True).freeze(value.contents)
        if is_weak(kind):
            return iter(())
        if key[0] is tuple:
            items = reversed(key[1]) if issubclass(kind, SharedSequence) else key[1]
            return self._in_all(items)
        return self._in(key)

    def _in_all(self, keys: Iterable[object]) -> Iterator[int]:
        for key in keys:
            yield from self._in(key)

    def _in(self, key: object, around: tuple[int, ...] = ()) -> Iterator[int]:
        """The objects that a key refers to, as often as it does. Raises `ModelError` for a value of
        a thread's own that refers to itself.
        """
        if type(key) is not tuple or (key and is_weak(key[0])):
            return
        if len(key) == 2 and key[0] is Shared:
            number: int = key[1]
            yield number if number < FIRST_MADE else self._heap.room(number).location.owner
            return
        if len(key) == 2 and key[0] == "again" and key[1] in around:
            raise ModelError(
                "a value of a thread's own refers to itself, where there are objects with a "
                "__del__: the garbage collector finds it at any time",
                remedy="do not let it refer to itself",
            )
        if (own := number_in(key)) is not None:
            around = (*around, own)
        parts: Iterable[object] = key
        if key and key[0] in _FROM_THE_LAST:
            parts = reversed(key[-1])
        for part in parts:
            yield from self._in(part, around)

    def _kind(self, number: int) -> type | None:
        """The class of what stands for an object; None where a room is empty."""
        room = self._program.rooms_by_owner.get(number)
        if room is None:
            return type(self._heap.stand_ins[number])
        held = self._heap.values[self._places.at(room.location.index)]
        return None if held is None else held.kind.stand_in

    def _is_finalized(self, number: int) -> bool:
        kind = self._kind(number)
        return kind is not None and finalizer_of(kind) is not None

    def _stand_in(self, number: int) -> Any:
        room = self._program.rooms_by_owner.get(number)
        if room is None:
            return self._heap.stand_ins[number]
        held = self._heap.values[self._places.at(room.location.index)]
        return self._heap.made(room, held.kind)
