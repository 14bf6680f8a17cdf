"""What of a state is content: the values of variables, and what queues, channels and events hold.

All else only says who has to wait: locks, lines of those who wait, what an event loop is to do.
"""

from __future__ import annotations

from functools import cached_property

from interleave.machine import Machine
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive

NOTHING = -1
"""In place of the number of a content: there is none."""


class Contents:
    """The content at each place of the states of a machine, as a number for each value there."""

    def __init__(self, machine: Machine) -> None:
        self._heap = machine.program.heap
        self._known: dict[tuple[int, int], int] = {}

    @cached_property
    def variables(self) -> frozenset[int]:
        """The places at which all of the value is content."""
        heap = self._heap
        return frozenset(
            location.index
            for location in heap.changing
            if location.name and not location.is_room
            if not isinstance(heap.owner(location), Primitive)
        )

    @cached_property
    def partial(self) -> tuple[int, ...]:
        """The places at which content is a part of the value, or of some values."""
        named = [location for location in self._heap.changing if location.name]
        return tuple(each.index for each in named if each.index not in self.variables)

    def of(self, place: int, value: int) -> int:
        """The content of a value; NOTHING where there is none, or no object is in a room."""
        if place in self.variables:
            return value
        found = self._known.get((place, value))
        if found is None:
            found = self._known[place, value] = self._part_of(place, value)
        return found

    def _part_of(self, place: int, value: int) -> int:
        location, values = self._heap.changing[place], self._heap.values
        if not location.name:
            return NOTHING
        kind, state = type(self._heap.owner(location)), values[value]
        if location.is_room:
            if state is None:
                return NOTHING
            if not state.kind.is_primitive:
                return value
            kind, state = state.kind.stand_in, state.contents
        content = kind.content(state)
        return NOTHING if content is None else values.id_of(content)

    def may_be_at(self, location: Location) -> bool:
        """Whether any value at a location has content."""
        if location.index in self.variables or location.is_room:
            return True
        if location.index < 0 or not location.name:
            return False
        own = type(self._heap.owner(location)).content.__func__
        return own is not Primitive.content.__func__  # type: ignore[attr-defined]

    def differ(self, place: int, before: int, after: int) -> bool:
        """Whether there is content before and after, and not the same."""
        one, other = self.of(place, before), self.of(place, after)
        return one != other and NOTHING not in (one, other)
