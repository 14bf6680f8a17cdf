"""Who gets nowhere in a component of a state graph that is never left.

A thread **works** there if it changes some content (see `engine.contents`), or reads what another
thread changes there. One that moves and does not work gets nowhere. A daemon need not get anywhere;
and a thread that comes to its end there, and is made anew, has done what it is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from interleave.checks.cells import Cell, in_order_of
from interleave.compiler import Code
from interleave.engine.contents import NOTHING, Contents
from interleave.engine.passes.livelock import Deed
from interleave.machine import FAILED, FINISHED, Machine, State, Step
from interleave.machine.step import AccessRecord
from interleave.memory.containers import SharedContainer
from interleave.memory.port import READ_CLOCK, WHOLE, AccessKind, Location
from interleave.memory.values import Shared
from interleave.result import Source

Place = tuple[Code, int]


class Look(NamedTuple):
    """An access that only looks: the block that it is in, what it is, and which cell it reads."""

    place: Place
    kind: AccessKind
    cell: Cell


Change = tuple[int, int, int]
"""A place of the state, and the ids of its value before and after."""


class Doings:
    """What the threads that move in a component do there: all of its steps."""

    def __init__(self, machine: Machine, contents: Contents, deeds: Iterable[Deed]) -> None:
        self._machine = machine
        self._of: dict[int, _Doing] = {}
        self.example: State = ()
        """A state of the component."""
        for state, step in deeds:
            if step.thread not in self._of:
                self._of[step.thread] = _Doing(machine, contents)
            self._of[step.thread].add(state, step)
            self.example = state
        idle = [thread for thread in sorted(self._of) if not self._works(thread)]
        threads = machine.program.threads
        self.nobody_works = len(idle) == len(self._of)
        self.nowhere = [
            thread for thread in idle if not (threads[thread].daemon or self._of[thread].ends)
        ]
        """The threads that get nowhere and should."""
        clock = machine.program.clock
        self.waits_for_time = (
            clock is not None
            and clock.by_steps
            and any(self._of[thread].reads_clock for thread in self.nowhere)
        )
        """Whether one of them looks at a clock that does not go on, for it has gone its steps."""

    def __contains__(self, thread: int) -> bool:
        """Whether a thread moves."""
        return thread in self._of

    def locals(self, thread: int) -> set[int]:
        """The local states that a thread moves in."""
        return self._of[thread].locals

    def first_place(self, thread: int) -> Place:
        """Where a thread is, in the first of the lines."""
        return min(self._of[thread].places, key=_line)

    def looks(self, thread: int) -> list[Look]:
        """What a thread that does not work looks at, but for locks that others take and give back.

        In the order of the lines.
        """
        passed_on = {
            place for other, doing in self._of.items() if other != thread for place in doing.writes
        }
        found = {
            look
            for look, place, content in self._of[thread].looks
            if content or place not in passed_on
        }
        return sorted(found, key=_order)

    def looks_at_constants(self, thread: int) -> list[Look]:
        """Looks at what no thread ever writes, which are no accesses."""
        values = self._machine.program.heap.values
        found = [
            Look(place, AccessKind("read", location), Cell(location))
            for location, place in self._of[thread].constants
            if location.name and not isinstance(values[location.initial], Shared)
        ]
        return sorted(found, key=_order)

    def _works(self, thread: int) -> bool:
        """Whether a thread changes content, or reads what another one changes."""
        doing = self._of[thread]
        others = [its for other, its in self._of.items() if other != thread]
        return bool(doing.changes) or any(
            self._reads(cell, change)
            for cell in doing.reads
            for its in others
            for change in its.changes
        )

    def _reads(self, cell: Cell, change: Change) -> bool:
        """Whether a change is to be seen at a cell."""
        place, before, after = change
        if cell.location.index != place:
            return False
        if cell.part is WHOLE:
            return True
        owner = self._machine.program.heap.owner(cell.location)
        if not isinstance(owner, SharedContainer):
            return True
        return cell.value_in(self._machine, before) != cell.value_in(self._machine, after)


class _Doing:
    """What one thread does in a component: what it reads, changes, and only looks at."""

    def __init__(self, machine: Machine, contents: Contents) -> None:
        self._machine = machine
        self._contents = contents
        self.locals: set[int] = set()
        """The local states that it is in."""
        self.reads_clock = False
        """Whether it looks at the clock."""
        self.ends = False
        """Whether it comes to its end, and to begin anew."""
        self.places: set[Place] = set()
        """Where it is."""
        self.constants: set[tuple[Location, Place]] = set()
        """The locations that it looks at and nobody writes, each with the place in the code."""
        self.reads: set[Cell] = set()
        """The cells that it reads, of locations that may have content."""
        self.changes: set[Change] = set()
        """Changes of content."""
        self.writes: set[int] = set()
        """The places at which it changes anything."""
        self.looks: set[tuple[Look, int, bool]] = set()
        """The accesses that only look, each with the place, and whether there is content."""

    def add(self, state: State, step: Step) -> None:
        """Note what a step from a state does."""
        self.locals.add(self._machine.local(state, step.thread))
        self.places.add(step.place)
        self.ends |= step.local in (FINISHED, FAILED)
        self.constants.update(step.constants)
        for place, value in step.writes:
            if value != state[place]:
                self.writes.add(place)
                if self._contents.differ(place, state[place], value):
                    self.changes.add((place, state[place], value))
        for access in step.accesses:
            self.reads_clock |= access.kind.name == READ_CLOCK
            for location, part, _, _ in access.reads:
                place = location.index
                if place < 0 or not access.kind.name:
                    continue
                content = self._contents.of(place, state[place]) != NOTHING
                cell = Cell(location, part)
                if content:
                    self.reads.add(cell)
                if content or (location is access.kind.location and is_in_vain(access)):
                    self.looks.add((Look(access.place, access.kind, cell), place, content))


def is_in_vain(access: AccessRecord) -> bool:
    """Whether an access to a lock, or the like, has not got what it was for."""
    location = access.kind.location
    return access.result is False or all(it.location is not location for it in access.writes)


def source_of(place: Place) -> Source:
    """The line of a place."""
    code, block = place
    return code.source(block)


def _line(place: Place) -> tuple[str, int, str, int]:
    """What places are sorted by: the line, and the block, of which a line can have several."""
    source = source_of(place)
    return source.file, source.line, source.text, place[1]


def _order(look: Look) -> tuple[tuple[str, int, str, int], str, str, int, str]:
    return _line(look.place), look.kind.where or "", look.kind.name, *in_order_of(look.cell)
