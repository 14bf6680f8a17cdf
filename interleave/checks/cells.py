"""Cells: the least of the shared state that threads change and look at, for the checks."""

from __future__ import annotations

from typing import NamedTuple

from interleave.machine import Machine, State, Step
from interleave.machine.step import Touch
from interleave.memory.port import WHOLE, Location
from interleave.said import shown_by
from interleave.view import View


class Cell(NamedTuple):
    """A location, or what is at one key of a container."""

    location: Location
    part: object = WHOLE

    def is_in(self, touch: Touch) -> bool:
        """Whether an access that touches this much touches this."""
        return self.location is touch.location and touch.part in (WHOLE, self.part)

    def common(self, touch: Touch) -> Cell | None:
        """What is both in this and in what an access touches."""
        if self.location is not touch.location:
            return None
        if self.part is WHOLE:
            return Cell(self.location, touch.part)
        return self if touch.part in (WHOLE, self.part) else None

    def value(self, machine: Machine, state: State) -> int:
        """The id of what is there in a state."""
        return self.value_in(machine, state[self.location.index])

    def plain(self, machine: Machine, state: State) -> tuple[object, ...]:
        """What is there in a state, as a person would write it; nothing where the key is not."""
        view = View(machine, state)
        if self.part is WHOLE:
            return (view.at(self.location),)
        found: tuple[object, ...] = machine.program.heap.values[self.value(machine, state)]
        return tuple(map(view.plain, found))

    def value_in(self, machine: Machine, number: int) -> int:
        """The id of what is there where the location has the value of this id."""
        if self.part is WHOLE:
            return number
        heap = machine.program.heap
        part = heap.owner(self.location).part(heap.values[number], self.part)
        return heap.values.id_of(part)


def reads_of(cell: Cell, step: Step) -> list[int]:
    """The accesses of a step that read a cell, by index."""
    return [
        number
        for number, access in enumerate(step.accesses)
        if any(cell.is_in(touch) for touch in access.reads)
    ]


def in_order_of(cell: Cell) -> tuple[int, str]:
    """What cells are sorted by: it depends on nothing but themselves."""
    return (cell.location.number, shown_by(cell.part))
