"""Every access of every interleaving, with the locks that are held: a walk over a state graph.

The state graph is multiplied with who holds which locks. In each node it is noted what each thread
may do in its next step, and which of these keep nothing apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from interleave.checks.cells import Cell
from interleave.compiler import Code
from interleave.engine.graph import SearchGraph
from interleave.engine.stopping import Guard
from interleave.machine import Machine, Moves, State, Step
from interleave.machine.step import AccessRecord
from interleave.memory.closures import variable
from interleave.memory.made import Held, MadeObject
from interleave.memory.port import WHOLE, AccessKind, Location
from interleave.memory.primitive import Primitive
from interleave.protection.holding import Holdings, Locking, Locks, common
from interleave.runtimes.base import Races

POLL_EVERY = 256
"""Nodes after which it is looked whether time is over."""


class Use(NamedTuple):
    """What a thread does to a location, or to a part of it, and the locks that it holds then.

    `atomic`: nothing comes between this and another one that is atomic, too. `rule`: what is to be
    kept apart, where this is an operation of a primitive.
    """

    thread: int
    location: Location
    part: object
    reads: bool
    writes: bool
    atomic: bool
    kind: AccessKind
    place: tuple[Code, int]
    locks: Locks
    rule: str = ""

    def overlaps(self, part: object) -> bool:
        """Whether it concerns something of a part of its location."""
        return WHOLE in (self.part, part) or self.part == part

    def conflicts(self, other: Use) -> bool:
        """Whether the order of this and what another thread does matters."""
        return (
            self.thread != other.thread
            and self.location is other.location
            and (self.writes or other.writes)
            and self.overlaps(other.part)
            and bool(self.rule) == bool(other.rule)
        )

    def is_kept_from(self, other: Use) -> bool:
        """Whether a lock, or that both are atomic, keeps the two apart."""
        return (self.atomic and other.atomic) or bool(common(self.locks, other.locks))


Pair = tuple[Use, Use]
"""Two uses that conflict: the one of the thread that was declared first comes first."""


class Node(NamedTuple):
    """A state, and the number of who holds which locks in it."""

    state: State
    held: int


class _Moves(NamedTuple):
    """The number of what a thread may do, and of what is held after each of the steps."""

    group: int
    held: tuple[int, ...]


class Uses:
    """All uses of a state graph, once `walk` has gone through it.

    `names` are those of cells, each as it is called where it is met first. `pairs` are all that can
    happen at the same time: some state has both ahead, and nothing keeps them apart. `whole` has
    the reads and writes of one step of which the second derives from the first. `constants` are
    looked at and written by nobody.
    """

    def __init__(self, machine: Machine, locking: Locking) -> None:
        self._machine = machine
        self._locking = locking
        self._rules = machine.program.runtime.races or Races()
        self.names: dict[Cell, str] = {}
        self.pairs: dict[Pair, None] = {}
        self.whole: dict[tuple[int, Cell, tuple[Code, int], tuple[Code, int]], None] = {}
        self.kinds: dict[Cell, type[Primitive]] = {}
        """The class of each primitive that is met."""
        self.first: dict[Use, Node] = {}
        """All uses, each with the first node in which it is ahead."""
        self.constants: dict[Location, dict[tuple[int, tuple[Code, int]], None]] = {}
        self.parents: dict[Node, tuple[Node, Step] | None] = {}
        """The nodes that were met, in order; each with the first way to it."""
        self._groups: dict[tuple[Use, ...], int] = {(): 0}
        self._uses_of: list[tuple[Use, ...]] = [()]
        self._held: list[Holdings] = []
        self._numbers: dict[Holdings, int] = {}
        self._touched: dict[int, tuple[int, ...]] = {}
        """The locks that moves set, by the id of the moves."""
        self._moves: dict[tuple[int, int, tuple[int, ...]], _Moves] = {}
        self._met: set[tuple[int, int]] = set()
        self._kept: list[Moves] = []
        """Those that are known by their ids."""

    def walk(self, graph: SearchGraph, guard: Guard) -> None:
        """Go through a graph. Raises `NoMutex`, `Stopped`."""
        for number in range(graph.initial):
            state = graph.state(number)
            self._locking.begin(state)
            self.parents[Node(state, self._number(()))] = None
        for step in self._machine.beginnings():
            self._note_constants(step)
        waiting = [*self.parents]
        for count, node in enumerate(waiting):  # which grows
            if count % POLL_EVERY == 0:
                guard.poll()
            if not is_expanded(graph, node.state):
                continue
            for step, after in self._look(graph, node):
                if after not in self.parents:
                    self.parents[after] = (node, step)
                    waiting.append(after)

    def _look(self, graph: SearchGraph, node: Node) -> Iterator[tuple[Step, Node]]:
        """Note what threads may do in a node, and give what comes of it."""
        state, after = node.state, self._machine.after
        groups: list[int] = []
        for thread in range(len(self._machine.program.threads)):
            moves = graph.step(state, thread)
            if moves.steps:
                found = self._of_moves(node, moves)
                if found.group:
                    groups.append(found.group)
                for step, held in zip(moves.steps, found.held, strict=True):
                    yield step, Node(after(state, step), held)
        for pair in itertools.combinations(groups, 2):
            if pair not in self._met:
                self._met.add(pair)
                self._note_pairs(*pair)

    def _of_moves(self, node: Node, moves: Moves) -> _Moves:
        """What there is to know of moves in a node, worked out once for all that look the same."""
        touched = self._touched.get(id(moves))
        if touched is None:
            self._kept.append(moves)
            indices = (index for step in moves.steps for index in self._locking.concerns(step))
            touched = self._touched[id(moves)] = tuple(dict.fromkeys(indices))
        key = (id(moves), node.held, tuple([node.state[index] for index in touched]))
        found = self._moves.get(key)
        if found is None:
            found = self._moves[key] = self._note(node, moves)
        return found

    def _number(self, held: Holdings) -> int:
        found = self._numbers.get(held)
        if found is None:
            found = self._numbers[held] = len(self._held)
            self._held.append(held)
        return found

    def _note(self, node: Node, moves: Moves) -> _Moves:
        """Note all that a thread may do in its next step."""
        found: dict[Use, None] = {}
        after: list[int] = []
        for step in moves.steps:
            *along, (_, held) = self._locking.follow(self._held[node.held], node.state, step)
            after.append(self._number(held))
            for access, (locks, _) in zip(step.accesses, along, strict=True):
                for use in self._of_access(step.thread, access, locks):
                    found[use] = None
                    self._name(node.state, step, access, use)
            self._note_whole(step)
            self._note_constants(step)
        for use in found:
            self.first.setdefault(use, node)
        uses = tuple(found)
        group = self._groups.setdefault(uses, len(self._uses_of))
        if group == len(self._uses_of):
            self._uses_of.append(uses)
        return _Moves(group, tuple(after))

    def _note_constants(self, step: Step) -> None:
        for location, place in step.constants:
            self.constants.setdefault(location, {})[step.thread, place] = None

    def _of_access(self, thread: int, access: AccessRecord, locks: Locks) -> Iterator[Use]:
        for each in access.exclusive:
            # Those that write are no race among themselves.
            yield Use(
                thread, each.location, WHOLE, not each.writes, each.writes, each.writes,
                access.kind, access.place, locks, each.rule,
            )  # fmt: skip
        written = dict.fromkeys((touch.location, touch.part) for touch in access.writes)
        read = dict.fromkeys((touch.location, touch.part) for touch in access.reads)
        for location, part in {**written, **read}:
            if not location.name:
                continue
            kind = access.kind
            atomic = access.atomic
            if not self._rules.guarded:
                atomic = atomic and not kind.atomic
            is_whole = kind.container in self._rules.undivided
            yield Use(
                thread, location, WHOLE if is_whole else part, (location, part) in read,
                (location, part) in written, atomic, kind, access.place, locks,
            )  # fmt: skip

    def _note_pairs(self, one: int, other: int) -> None:
        for pair in itertools.product(self._uses_of[one], self._uses_of[other]):
            if pair[0].conflicts(pair[1]) and not pair[0].is_kept_from(pair[1]):
                self.pairs[pair] = None

    def _note_whole(self, step: Step) -> None:
        """Note the reads from which writes of the same step derive."""
        if step.flow is None:
            return
        for write, sources in zip(step.accesses, step.flow.writes, strict=True):
            numbers = sorted(source for source, _ in sources if isinstance(source, int))
            reads = [step.accesses[number] for number in numbers]
            for touch, read in itertools.product(write.writes, reads):
                cell = Cell(touch.location, touch.part)
                if read is not write and any(cell.common(each) for each in read.reads):
                    self.whole[step.thread, cell, read.place, write.place] = None

    # Names

    def _name(self, state: State, step: Step, access: AccessRecord, use: Use) -> None:
        cell = Cell(use.location, use.part)
        if cell not in self.names:
            at = self._machine.after(state, step) if self._is_new(use.location, state) else state
            self.names[cell] = self._called(at, access.kind, cell)
            if (kind := self._primitive(at, use.location)) is not None:
                self.kinds[cell] = kind

    def _is_new(self, location: Location, state: State) -> bool:
        values = self._machine.program.heap.values
        return location.is_room and values[state[location.index]] is None

    def _called(self, state: State, kind: AccessKind, cell: Cell) -> str:
        names, location = self._machine.names_in(state), cell.location
        values = self._machine.program.heap.values
        held: Held | None = values[state[location.index]] if location.is_room else None
        part: object = cell.part[0] if isinstance(cell.part, tuple) and cell.part else None
        stand_in = object if held is None else held.kind.stand_in
        if issubclass(stand_in, MadeObject) and not issubclass(stand_in, variable):
            # What threads make comes and goes, and is told of by its class.
            name = stand_in.__name__
            return name if part is None else f"{name}.{part}"
        where = names.of_location(location)
        if cell.part is WHOLE:
            return where
        if kind.location is location and kind.part:
            return where + kind.part
        return where

    def name_of_lock(self, index: int) -> str:
        """What a lock is called that somebody has taken, by its place in the state."""
        location = self._machine.program.heap.changing[index]
        return self.names.get(Cell(location), location.name)

    def _primitive(self, state: State, location: Location) -> type[Primitive] | None:
        """The class of the primitive at a location; None where there is something else."""
        owner = self._machine.program.heap.owner(location)
        if not isinstance(owner, Primitive):
            return None
        held: Held | None = None
        if location.is_room:
            held = self._machine.program.heap.values[state[location.index]]
        kind: type[Primitive] = type(owner) if held is None else held.kind.stand_in
        return kind


def is_expanded(graph: SearchGraph, state: State) -> bool:
    """Whether a search has come to what follows a state: to all, if nothing has stopped it."""
    if graph.stop is None:
        return True
    number = graph.number(state)
    return number is not None and number < graph.expanded
