"""`lost-update`: a write that comes from a stale read.

Thread A reads location x; another thread then changes x; then A writes x with a value, or on a
condition, that comes from its now stale read. The other thread's update is gone, as if it never
had happened.

It is a property of paths, so it takes three passes, each only if the one before left something:

1. while the search goes on, note which changes of a location happen under which local states of
   other threads;
2. over the local states of each thread, find out in which of them it may hold what it once read,
   and what of it, changed meanwhile, may get into a write;
3. where something may, search the state graph again, following what the thread holds, exactly
   (`checks.stale`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from interleave.checks.again import RunsAgain
from interleave.checks.base import Check, Found
from interleave.checks.stale import (
    Cause,
    Cell,
    Following,
    Held,
    Histories,
    Line,
    Lost,
    Suspect,
    cause_of,
    in_order_of,
    line_of,
)
from interleave.engine import paths as shortest_paths
from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Change, Limits, Observer
from interleave.engine.paths import Path, path_by_search, shortest
from interleave.engine.product import Follower, Product
from interleave.engine.search import explore
from interleave.engine.trees import LearntSteps
from interleave.interrupts import poll
from interleave.machine import Machine, State, Step
from interleave.machine.step import Carrier, Sources, Touch
from interleave.memory.made import PrimitiveRoom
from interleave.memory.primitive import Primitive
from interleave.result import LostUpdate, Trace, Violation

Node = tuple[int, int]
"""The number of a state, and of what a suspect holds in it (`stale.Histories`)."""


class LostUpdateCheck(Check):
    """One violation for each (location, line of the read, of the lost write, of the overwrite)."""

    def __init__(self, machine: Machine, learnt: LearntSteps) -> None:
        super().__init__(machine, learnt)
        self._moves: dict[tuple[int, int, int, Any], int] = {}
        """Local moves: thread, local states, writes; each with a state to see it in."""
        self._changed_under: set[tuple[Change, int, int]] = set()
        """A change, and a thread with its local state while another thread made it."""
        self._histories: Histories
        self._looked_through = 0
        self._known_suspects: list[Suspect] = []

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        before = self.machine.local(state, step.thread)
        self._moves.setdefault((step.thread, before, step.local, step.writes), number)
        changed = {index for index, value in step.writes if state[index] != value}
        for change in self.watched(step) if changed else ():
            if change[0] in changed:
                for thread, local in enumerate(state[self.machine.locations :]):
                    if thread != step.thread:
                        self._changed_under.add((change, thread, local))
        return False

    def watched(self, step: Step) -> list[Change]:
        """The parts of plain locations that a step writes."""
        touches = [touch for access in step.accesses for touch in access.writes]
        return [
            (index, touch.part)
            for index, value in step.writes
            if self._can_lose(index, value)
            for touch in touches
            if touch.location.index == index
        ]

    def _can_lose(self, index: int, value: int) -> bool:
        """Whether what is written at a place is the value of a variable, and no state of a lock."""
        heap = self.machine.program.heap
        location = heap.changing[index]
        owner = heap.owner(location)
        if isinstance(owner, PrimitiveRoom) and location.is_room:
            held = heap.values[value]
            return held is not None and bool(held.kind.stand_in.is_variable)
        return not isinstance(owner, Primitive) or owner.is_variable

    def on_changed_under(self, found: Iterable[tuple[Change, int, int]]) -> None:
        self._changed_under.update(found)

    def on_level(self, graph: SearchGraph) -> bool:
        # Looking again only when the graph has doubled keeps this cheap beside the search itself.
        if len(graph) < 2 * self._looked_through:
            return False
        self._looked_through = len(graph)
        return bool(self.found(graph))

    def found(self, graph: SearchGraph) -> list[Found]:
        if not self._changed_under:
            return []
        moves = list(self._local_moves(graph))
        suspects = self._known_suspects = self._suspects(moves)
        if not suspects:
            return []
        values = self._values(graph, moves, suspects)
        again = RunsAgain(self.machine, self.learnt, values)
        self._histories = Histories(Following(self.machine, again))
        search = self._search_small if graph.transitions <= shortest_paths.CHEAP else self._search
        paths = search(graph, _possible_causes(moves, suspects))
        return [
            Found(partial(self._describe, suspects, cause), path) for cause, path in paths.items()
        ]

    # Second pass: local states

    def _local_moves(self, graph: SearchGraph) -> Iterator[tuple[int, Step]]:
        """Every local move that the search met: the local state before it, and a step."""
        for (thread, before, after, writes), number in self._moves.items():
            graph.guard.poll()
            for step in self.learnt.step(graph.state(number), thread).steps:
                if step.local == after and step.writes == writes:
                    yield before, step

    def _values(
        self, graph: SearchGraph, moves: list[tuple[int, Step]], suspects: list[Suspect]
    ) -> dict[int, list[int]]:
        """What may be at each place of the state that a condition of some suspect looks at."""
        conditional = [each.cell.location.index for each in suspects if each.conditional]
        found: dict[int, set[int]] = {index: set() for index in conditional}
        for number in range(graph.initial):
            for index, values in found.items():
                values.add(graph.state(number)[index])
        for _, step in moves:
            for index, value in step.writes:
                if index in found:
                    found[index].add(value)
        return {index: sorted(values) for index, values in found.items()}

    def _suspects(self, moves: list[tuple[int, Step]]) -> list[Suspect]:
        """Threads that may hold what they read while somebody changes it, and then write it."""
        edges: dict[LocalNode, list[Step]] = {}
        for before, step in moves:
            edges.setdefault((step.thread, before), []).append(step)
        held = _spread(edges, {}, with_reads=True)
        stale: Holding = {}
        for (index, part), thread, local in self._changed_under:
            change = Touch(self.machine.program.heap.changing[index], part)
            for carrier, parts in held.get((thread, local), {}).items():
                changed = {each for each in parts if each[0].common(change) is not None}
                stale.setdefault((thread, local), {}).setdefault(carrier, set()).update(changed)
        _spread(edges, stale, with_reads=False)
        suspects: dict[tuple[int, Cell], bool] = {}
        for before, step in moves:
            here = stale.get((step.thread, before), {})
            assert step.flow is not None
            for access, sources in zip(step.accesses, step.flow.writes, strict=True):
                parts = _held_in(here, sources)
                for touch in access.writes:
                    for part, by_condition in parts if not touch.fresh else ():
                        cell = part.common(touch)
                        if cell is not None:
                            suspects.setdefault((step.thread, cell), False)
                            suspects[step.thread, cell] |= by_condition
        found = [Suspect(*each, conditional) for each, conditional in suspects.items()]
        return sorted(found, key=lambda each: (each.thread, *in_order_of(each.cell)))

    # Third pass: exact

    def _search(self, graph: SearchGraph, possible: int) -> dict[Cause, Path]:
        """The shortest path to each cause."""
        place = self.machine.locations + len(self.machine.program.threads)
        follower = _Follower(self.machine, self._histories, self._known_suspects, place)
        losses = _Losses(self._histories, place, possible, _complete_levels(graph))
        starts = [graph.state(number) for number in range(graph.initial)]
        product = explore(
            self.machine,
            self.learnt,
            [losses],
            graph.engine,
            Limits(by_level=True),
            graph.guard,
            product=Product([follower]),
            initial=[(*state, held) for held in self._nothing_held() for state in starts],
        )
        return {
            cause: path_by_search(product, number, step)
            for cause, (number, step) in losses.met.items()
        }

    def _search_small(self, graph: SearchGraph, possible: int) -> dict[Cause, Path]:
        """The same with as few context switches as can be, where the graph is small."""
        return shortest(
            [(number, held) for held in self._nothing_held() for number in range(graph.initial)],
            partial(self._expand, graph),
            partial(self._goals, graph),
            enough=lambda found: len(found) == possible,
            guard=graph.guard,
        )

    def _expand(self, graph: SearchGraph, node: Node) -> Iterable[tuple[State, Step, Node | None]]:
        number, held = node
        for state, step, after, target in graph.edges(number, self.learnt.step):
            if target is None:
                yield state, step, None
            else:
                yield state, step, (target, self._histories.follow(held, state, step, after))

    def _goals(
        self, graph: SearchGraph, node: Node, step: Step | None, target: Node | None
    ) -> list[Cause]:
        number, held = node
        return [] if step is None else self._histories.causes(held, graph.state(number), step)

    def _nothing_held(self) -> list[int]:
        return [self._histories.number(Held(suspect)) for suspect in self._known_suspects]

    def followers(self, place: int) -> list[tuple[Follower, int]]:
        return [
            (_Follower(self.machine, self._histories, [suspect], place + number), held)
            for number, (suspect, held) in enumerate(
                zip(self._known_suspects, self._nothing_held(), strict=True)
            )
        ]

    # What is reported

    def _describe(
        self, suspects: list[Suspect], cause: Cause, path: Path, trace: Trace
    ) -> Violation:
        thread = path.steps[-1][1].thread
        found = next(
            each
            for suspect in suspects
            if suspect.thread == thread and suspect.cell.location.name == cause[0]
            for each in self._lost_by(suspect, path)
            if cause_of(suspect, each, path.steps[-1][1]) == cause
        )
        read, changed, last = found.read[2], found.changed[2], len(path.steps)
        reader = self.machine.program.threads[thread].name
        writer = trace.steps[changed - 1].thread
        name = cause[0]
        how = "on a condition that it read" if found.by_condition else "from the value it read"
        return Violation(
            "lost-update",
            f"{reader} wrote {name} at step {last} {how} at step {read}; "
            f"the write of {writer} at step {changed} is lost",
            name,
            (reader, writer),
            trace,
            source=trace.steps[-1].source,
            lost_update=LostUpdate(reader, writer, read, changed, last, found.by_condition),
            hint=self._await_between(thread, changed, path),
        )

    def _await_between(self, reader: int, changed: int, path: Path) -> str:
        """The await at which a task was suspended that lost an update of another task; or ""."""
        threads = self.machine.program.threads
        concerned = {threads[reader].kind, threads[path.steps[changed - 1][1].thread].kind}
        if not concerned <= {"task", "loop"}:
            return ""
        code, block = next(step.place for _, step in path.steps[changed:] if step.thread == reader)
        source = code.source(block)
        return f"The event loop switched at line {source.line}, {source.text}"

    def _lost_by(self, suspect: Suspect, path: Path) -> list[Lost]:
        """What the last step of a path loses, with the numbers of the steps; the latest first."""
        held = Held(suspect)
        following = self._histories.following
        *steps, (state, last) = path.steps
        for number, (before, step) in enumerate(steps, 1):
            after = self.machine.after(before, step)
            held = following.follow(held, before, step, after, number)
        found = following.lost(held, state, last)
        return sorted(found, key=lambda each: (each.by_condition, -each.read[2], -each.changed[2]))


def _possible_causes(moves: list[tuple[int, Step]], suspects: list[Suspect]) -> int:
    """How many causes there can be at most: when all are found, the search can end."""
    reads: dict[Cell, set[Line]] = {}
    overwrites: dict[Cell, set[Line]] = {}
    changes: dict[Cell, set[Line]] = {}
    for cell in {suspect.cell for suspect in suspects}:
        for _, step in moves:
            for access in step.accesses:
                line = line_of(access.place)
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


def _complete_levels(graph: SearchGraph) -> int | None:
    """How many levels have been expanded from end to end; None where all have been."""
    if graph.stop is None:
        return None
    return len(graph.way_to(min(graph.expanded, len(graph) - 1))) - 1


class _Follower:
    """Follows what some suspects hold, one on each path. See `engine.product.Follower`."""

    def __init__(
        self, machine: Machine, histories: Histories, suspects: list[Suspect], place: int
    ) -> None:
        self.place = place
        self._machine = machine
        self._histories = histories
        self._threads = {suspect.thread for suspect in suspects}
        self._locations = {suspect.cell.location.index for suspect in suspects}

    def affects(self, step: Step) -> bool:
        return step.thread in self._threads or any(
            place in self._locations for place, _ in step.writes
        )

    def look(self, node: State, step: Step) -> tuple[int, bool, tuple[int, ...]]:
        number = node[self.place]
        location = self._histories[number].suspect.cell.location
        after = self._machine.after(node, step)
        now = self._histories.follow(number, node, step, after)
        lost = bool(self._histories.lost(number, node, step))
        return now, lost, (self.place, location.index)


class _Losses(Observer):
    """Watches for lost updates: for each cause, the first step that shows it, and from where."""

    def __init__(self, histories: Histories, place: int, possible: int, levels: int | None) -> None:
        self.met: dict[Cause, tuple[int, Step]] = {}
        self._histories = histories
        self._place = place
        self._possible = possible
        self._levels = levels

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        for cause in self._histories.causes(state[self._place], state, step):
            self.met.setdefault(cause, (number, step))
        return False

    def on_level(self, graph: SearchGraph) -> bool:
        if len(self.met) == self._possible or self._levels == 0:
            return True
        if self._levels is not None:
            self._levels -= 1
        return False


LocalNode = tuple[int, int]
"""A thread, and its local state."""

Part = tuple[Cell, bool]
"""Something read of a cell; True where it has come by way of a condition."""

Holding = dict[LocalNode, dict[Carrier, set[Part]]]
"""What something read may be in each carrier."""


def _held_in(here: Mapping[Carrier, set[Part]], sources: Sources) -> set[Part]:
    """What may be in what a step derives from."""
    return {
        (cell, by or by_condition)
        for source, by_condition in sources
        if not isinstance(source, int)
        for cell, by in here.get(source, ())
    }


def _spread(
    edges: Mapping[LocalNode, Iterable[Step]], holding: Holding, *, with_reads: bool
) -> Holding:
    """What may be held everywhere, given what is held somewhere, and what steps read if asked to.

    A fixed point over the local moves: `holding` grows.
    """
    waiting = deque(edges if with_reads else holding)
    queued = set(waiting)
    while waiting:
        poll()
        node = waiting.popleft()  # in the order of the code, so that most are looked at once
        queued.discard(node)
        here = holding.get(node, {})
        for step in edges.get(node, ()):
            assert step.flow is not None
            target = (node[0], step.local)
            there = holding.setdefault(target, {})
            for carrier, sources in step.flow.carriers.items():
                parts = _held_in(here, sources)
                for source, by in sources if with_reads else ():
                    if isinstance(source, int):
                        reads = step.accesses[source].reads
                        parts |= {(Cell(touch.location, touch.part), by) for touch in reads}
                known = there.setdefault(carrier, set())
                if not parts <= known:
                    known |= parts
                    if target not in queued:
                        queued.add(target)
                        waiting.append(target)
    return holding
