"""`lost-update`: a write that comes from a stale read.

Thread A reads location x; another thread then changes x; then A writes x with a value, or on a
condition, that comes from its now stale read. The other thread's update is gone, as if it had never
happened.

It is a property of paths, so it takes three passes, each only if the one before left something:

1. while the search goes on, note which changes of a location happen under which local states of
   other threads;
2. over the local states of each thread, find out in which of them it may hold what it once read;
3. where a change may have happened under such a thread, search the state graph again, following
   what the thread holds, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from interleave.checks.base import Check, Found
from interleave.engine.graph import SearchGraph
from interleave.engine.paths import CHEAP, Path, shortest
from interleave.engine.trees import LearntSteps
from interleave.machine import Machine, State, Step
from interleave.machine.step import Carrier, Flow, Touch
from interleave.memory.containers import SharedContainer
from interleave.memory.port import WHOLE, Location
from interleave.memory.primitive import Primitive
from interleave.result import LostUpdate, Trace, Violation

Carriers = frozenset[Carrier]
Cause = tuple[str, tuple[str, int], tuple[str, int], tuple[str, int]]
"""Location, and file and line of the read, of the lost write, and of the write that lost it."""


@dataclass(frozen=True)
class Cell:
    """What may be lost: a location, or what is at one key of a container."""

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


@dataclass(frozen=True)
class Suspect:
    """A thread and a cell that it may write from a stale read."""

    thread: int
    cell: Cell


Line = tuple[str, int]
"""File and line."""


@dataclass(frozen=True)
class _Held:
    """What a suspect holds of its cell: carriers that are up to date, and stale ones.

    Each has the line of the read it comes from; a stale one the line of the change besides.
    """

    suspect: Suspect
    fresh: frozenset[tuple[Carrier, Line]] = frozenset()
    stale: frozenset[tuple[Carrier, Line, Line]] = frozenset()


Node = tuple[int, _Held]
"""The number of a state, and what a suspect holds in it."""


class LostUpdateCheck(Check):
    """One violation for each (location, line of the read, of the lost write, of the overwrite)."""

    def __init__(self, machine: Machine, learnt: LearntSteps) -> None:
        super().__init__(machine, learnt)
        self._moves: dict[tuple[int, int, int, Any], int] = {}
        """Local moves: (thread, local state before and after, writes), with a state to see each in."""
        self._changed_under: set[tuple[int, int, int]] = set()
        """(place of a location, thread, its local state): changed by another thread meanwhile."""
        self._looked_through = 0
        self._known_suspects: list[Suspect] = []
        self._plain = [
            not isinstance(machine.program.heap.owner(location), Primitive)
            for location in machine.program.heap.changing
        ]

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        before = self.machine.local(state, step.thread)
        self._moves.setdefault((step.thread, before, step.local, step.writes), number)
        for index, value in step.writes:
            if self._plain[index] and state[index] != value:
                for thread, local in enumerate(state[self.machine.locations :]):
                    if thread != step.thread:
                        self._changed_under.add((index, thread, local))
        return False

    def on_level(self, graph: SearchGraph) -> bool:
        # Looking again only when the graph has doubled keeps this cheap beside the search itself.
        if len(graph.states) < 2 * self._looked_through:
            return False
        self._looked_through = len(graph.states)
        return bool(self.found(graph))

    def found(self, graph: SearchGraph) -> list[Found]:
        suspects = self._known_suspects = self._suspects(graph)
        if not suspects:
            return []
        possible = self._possible_causes(graph, suspects)
        paths = shortest(
            [(number, _Held(suspect)) for suspect in suspects for number in range(graph.initial)],
            partial(self._expand, graph),
            self._goals,
            enough=lambda found: len(found) == possible,
            count_switches=graph.transitions <= CHEAP,
        )
        return [
            Found(partial(self._describe, suspects, cause), path) for cause, path in paths.items()
        ]

    # Second pass: local states

    def _steps(self, graph: SearchGraph) -> Iterator[tuple[int, Step]]:
        """Every local move that the search met: the local state before it, and a step."""
        for (thread, before, after, writes), number in self._moves.items():
            for step in self.learnt.step(graph.states[number], thread).steps:
                if step.local == after and step.writes == writes:
                    yield before, step

    def _suspects(self, graph: SearchGraph) -> list[Suspect]:
        """Threads that may hold what they read while somebody changes it, and then write it."""
        if not self._changed_under:
            return []
        blind: dict[int, list[Touch]] = {}
        edges: Edges = {}
        for before, step in self._steps(graph):
            edges.setdefault((step.thread, before), []).append(step)
            blind.setdefault(step.thread, []).extend(
                touch for access in step.accesses for touch in access.writes if not touch.fresh
            )
        held = _held_cells(edges)
        suspects: dict[Suspect, None] = {}
        for index, thread, local in sorted(self._changed_under):
            location = self.machine.program.heap.changing[index]
            for cell in _in_order(held.get((thread, local), ())):
                for touch in blind.get(thread, ()) if cell.location is location else ():
                    if (common := cell.common(touch)) is not None:
                        suspects[Suspect(thread, common)] = None
        return list(suspects)

    def _possible_causes(self, graph: SearchGraph, suspects: list[Suspect]) -> int:
        """How many causes there can be at most: when all are found, the search can end."""
        reads: dict[Cell, set[Line]] = {}
        overwrites: dict[Cell, set[Line]] = {}
        changes: dict[Cell, set[Line]] = {}
        for cell in {suspect.cell for suspect in suspects}:
            for _, step in self._steps(graph):
                for access in step.accesses:
                    line = _line(access.place)
                    if any(cell.is_in(touch) for touch in access.reads):
                        reads.setdefault(cell, set()).add(line)
                    for touch in access.writes:
                        if cell.is_in(touch):
                            changes.setdefault(cell, set()).add(line)
                            if not touch.fresh:
                                overwrites.setdefault(cell, set()).add(line)
        return sum(
            len(reads.get(cell, ())) * len(changes.get(cell, ())) * len(overwrites.get(cell, ()))
            for cell in reads
        )

    # Third pass: exact

    def _expand(self, graph: SearchGraph, node: Node) -> Iterable[tuple[State, Step, Node | None]]:
        number, held = node
        state = graph.states[number]
        for thread in range(len(self.machine.program.threads)):
            for step in self.learnt.step(state, thread).steps:
                after = self.machine.after(state, step)
                target = graph.numbers.get(after)
                if target is None:  # beyond where an incomplete search stopped
                    yield state, step, None
                else:
                    yield state, step, (target, self._follow(held, state, step, after))

    def _follow(self, held: _Held, before: State, step: Step, after: State) -> _Held:
        """What the suspect holds after a step of any thread."""
        if step.thread == held.suspect.thread:
            return _moved(held, step)
        if not held.fresh or not self._changes(held.suspect.cell, before, after):
            return held
        line = _line(step.place)
        stale = {(carrier, read, line) for carrier, read in held.fresh}
        return _Held(held.suspect, stale=held.stale | stale)

    def start(self, state: State) -> tuple[_Held, ...]:
        return tuple(_Held(suspect) for suspect in self._known_suspects)

    def remember(
        self, memory: tuple[_Held, ...], before: State, step: Step, after: State
    ) -> tuple[_Held, ...] | None:
        if any(held.suspect.thread == step.thread and _lost(held, step) for held in memory):
            return None
        return tuple(self._follow(held, before, step, after) for held in memory)

    def _changes(self, cell: Cell, before: State, after: State) -> bool:
        index = cell.location.index
        if before[index] == after[index]:
            return False
        if cell.part is WHOLE:
            return True
        values = self.machine.program.heap.values
        owner = self.machine.program.heap.owner(cell.location)
        assert isinstance(owner, SharedContainer)
        was, now = (owner.part(values[state[index]], cell.part) for state in (before, after))
        return self._id(was) != self._id(now)

    def _id(self, value: object) -> int:
        return self.machine.program.heap.values.id_of(value)

    def _goals(self, node: Node, step: Step | None, target: Node | None) -> list[Cause]:
        held = node[1]
        if step is None or step.thread != held.suspect.thread or not held.stale:
            return []
        return _lost(held, step)

    # What is reported

    def _describe(
        self, suspects: list[Suspect], cause: Cause, path: Path, trace: Trace
    ) -> Violation:
        thread = path.steps[-1][1].thread
        by_condition, read, lost = min(
            steps
            for suspect in suspects
            if suspect.thread == thread and suspect.cell.location.name == cause[0]
            for steps in self._three_steps(suspect, cause, path)
        )
        read, lost = -read, -lost
        reader = self.machine.program.threads[thread].name
        last = len(path.steps)
        writer = trace.steps[lost - 1].thread
        name = cause[0]
        how = (
            f"on a condition that it read at step {read}"
            if by_condition
            else f"from the value it read at step {read}"
        )
        message = (
            f"{reader} wrote {name} at step {last} {how}; "
            f"the write of {writer} at step {lost} is lost"
        )
        return Violation(
            "lost-update",
            message,
            name,
            (reader, writer),
            trace,
            source=trace.steps[-1].source,
            lost_update=LostUpdate(reader, writer, read, lost, last, by_condition),
        )

    def _three_steps(
        self, suspect: Suspect, cause: Cause, path: Path
    ) -> list[tuple[bool, int, int]]:
        """What may be meant by a cause: whether it is by a condition, the read, the lost write.

        The numbers in the path are negative, so that the smallest is the latest.
        """
        fresh: dict[Carrier, set[int]] = {}
        stale: dict[Carrier, set[tuple[int, int]]] = {}
        for number, (state, step) in enumerate(path.steps, 1):
            if step.thread != suspect.thread:
                if self._changes(suspect.cell, state, self.machine.after(state, step)):
                    for carrier, reads in fresh.items():
                        stale.setdefault(carrier, set()).update((read, number) for read in reads)
                    fresh = {}
                continue
            assert step.flow is not None
            if number == len(path.steps):
                break
            reading = _reading(suspect.cell, step)
            new_fresh: dict[Carrier, set[int]] = {}
            new_stale: dict[Carrier, set[tuple[int, int]]] = {}
            for carrier, sources in step.flow.carriers.items():
                for source in sources:
                    if isinstance(source, int):
                        if source in reading:
                            new_fresh.setdefault(carrier, set()).add(number)
                    else:
                        if source in fresh:
                            new_fresh.setdefault(carrier, set()).update(fresh[source])
                        if source in stale:
                            new_stale.setdefault(carrier, set()).update(stale[source])
            fresh, stale = new_fresh, new_stale
        last = path.steps[-1][1]
        return [
            (by_condition, -read, -lost)
            for sources, by_condition in _write_sources(suspect.cell, last)
            for source in sources
            if not isinstance(source, int)
            for read, lost in stale.get(source, ())
            if _line(path.steps[read - 1][1].place) == cause[1]
            and _line(path.steps[lost - 1][1].place) == cause[2]
        ]


def _line(place: Any) -> Line:
    code, block = place
    source = code.source(block)
    return (source.file, source.line)


def _in_order(cells: Iterable[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: (cell.location.number, repr(cell.part)))


def _reading(cell: Cell, step: Step) -> dict[int, Line]:
    """The accesses of a step that read a cell, by index, with their lines."""
    return {
        place: _line(access.place)
        for place, access in enumerate(step.accesses)
        if any(cell.is_in(touch) for touch in access.reads)
    }


Edges = dict[tuple[int, int], list[Step]]
"""The local moves from each (thread, local state)."""


def _held_cells(edges: Edges) -> dict[tuple[int, int], set[Cell]]:
    """For each (thread, local state), the cells of which it may hold what was read.

    A fixed point over the local moves.
    """
    holding: dict[tuple[int, int], dict[Carrier, set[Cell]]] = {}
    waiting = list(edges)
    while waiting:
        node = waiting.pop()
        here = holding.get(node, {})
        for step in edges.get(node, ()):
            assert step.flow is not None
            target = (node[0], step.local)
            there = holding.setdefault(target, {})
            for carrier, sources in step.flow.carriers.items():
                cells: set[Cell] = set()
                for source in sources:
                    if isinstance(source, int):
                        reads = step.accesses[source].reads
                        cells |= {Cell(touch.location, touch.part) for touch in reads}
                    else:
                        cells |= here.get(source, set())
                known = there.setdefault(carrier, set())
                if not cells <= known:
                    known |= cells
                    waiting.append(target)
    return {node: set().union(*carriers.values()) for node, carriers in holding.items() if carriers}


def _moved(held: _Held, step: Step) -> _Held:
    """What the suspect holds after a step of its own."""
    assert step.flow is not None
    reading = _reading(held.suspect.cell, step)
    if not (reading or held.fresh or held.stale):
        return held
    fresh = set()
    stale = set()
    for carrier, sources in step.flow.carriers.items():
        fresh |= {(carrier, reading[source]) for source in sources if source in reading}
        fresh |= {(carrier, read) for source, read in held.fresh if source in sources}
        stale |= {(carrier, read, lost) for source, read, lost in held.stale if source in sources}
    return _Held(held.suspect, frozenset(fresh), frozenset(stale))


def _write_sources(cell: Cell, step: Step) -> list[tuple[frozenset[Carrier | int], bool]]:
    """What the writes of a step to a cell derive from: by value (False) and by condition (True)."""
    flow: Flow | None = step.flow
    assert flow is not None
    found = []
    for access, (value, condition) in zip(step.accesses, flow.writes, strict=True):
        if any(cell.is_in(touch) and not touch.fresh for touch in access.writes):
            found += [(value, False), (condition, True)]
    return found


def _lost(held: _Held, step: Step) -> list[Cause]:
    """The causes that a step of the suspect shows."""
    if not held.stale:
        return []
    cell = held.suspect.cell
    overwrite = _line(step.place)
    return sorted(
        {
            (cell.location.name, read, lost, overwrite)
            for sources, _ in _write_sources(cell, step)
            for carrier, read, lost in held.stale
            if carrier in sources
        }
    )
