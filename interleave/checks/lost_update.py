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

from collections.abc import Iterable
from functools import partial

from interleave.checks.again import RunsAgain
from interleave.checks.base import Check, Found
from interleave.checks.cells import Cell
from interleave.checks.stale import (
    Cause,
    Following,
    Held,
    Histories,
    Line,
    Lost,
    cause_of,
    line_of,
)
from interleave.checks.suspects import LocalMoves, Suspect
from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Change, Limits, Observer
from interleave.engine.passes import shortest as shortest_paths
from interleave.engine.passes.shortest import Path, path_by_search, shortest
from interleave.engine.product import Follower, Product
from interleave.engine.search import explore
from interleave.engine.steps import Steps
from interleave.engine.stopping import Guard
from interleave.machine import Machine, State, Step
from interleave.memory.made import PrimitiveRoom
from interleave.memory.primitive import Primitive
from interleave.result import LostUpdate, Trace, Violation
from interleave.showing import show

DEARER = 5
"""How many times as long as a transition it takes to look at one with what is held there."""

LONGEST_IN_SENTENCE = 40
"""Characters of a value that is told in a sentence."""

Node = tuple[int, int]
"""The number of a state, and of what a suspect holds in it (`stale.Histories`)."""


class LostUpdateCheck(Check):
    """One violation for each (location, line of the read, of the lost write, of the overwrite)."""

    sees_all = False
    kinds = ("lost-update",)

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self._moves: dict[int, tuple[int, Step]] = {}
        """Local moves, by the id of the step: the local state before it, and the step."""
        self._changed_under: set[tuple[Change, int, int]] = set()
        """A change, and a thread with its local state while another thread made it."""
        self._histories: Histories
        self._looked_through = 0
        self._known_suspects: list[Suspect] = []

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        before = self.machine.local(state, step.thread)
        self._moves[id(step)] = (before, step)
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
        moves = list(self._moves.values())
        suspects = self._known_suspects = self._suspects(graph, moves)
        if not suspects:
            return []
        values = self._values(graph, moves, suspects)
        again = RunsAgain(self.machine, self.steps, values)
        self._histories = Histories(Following(self.machine, again))
        paths = self._search(graph, _possible_causes(moves, suspects, graph.guard))
        return [
            Found(partial(self._describe, suspects, cause), path) for cause, path in paths.items()
        ]

    # Second pass: local states

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

    def _suspects(self, graph: SearchGraph, moves: list[tuple[int, Step]]) -> list[Suspect]:
        """Threads that may hold what they read while somebody changes it, and then write it."""
        entries = [
            (thread, self.machine.local(graph.state(number), thread))
            for number in range(graph.initial)
            for thread in range(len(self.machine.program.threads))
        ]
        changed = self._changed_under
        return LocalMoves(self.machine, moves, entries, changed, graph.guard).suspects()

    # Third pass: exact

    def _search(self, graph: SearchGraph, possible: int) -> dict[Cause, Path]:
        """The shortest path to each cause.

        It is one with as few context switches as can be where it takes little to look for that.
        """
        place = self.machine.locations + len(self.machine.program.threads)
        follower = _Follower(self.machine, self._histories, self._known_suspects, place)
        losses = _Losses(graph, self._histories, place, possible)
        starts = [graph.state(number) for number in range(graph.initial)]
        product = explore(
            self.machine,
            self.steps,
            [losses],
            graph.engine_for_more,
            Limits(by_level=True),
            graph.guard,
            product=Product([follower]),
            initial=[(*state, held) for held in self._nothing_held() for state in starts],
        )
        paths: dict[Cause, Path] = {}
        if losses.met and DEARER * product.transitions <= shortest_paths.CHEAP:
            paths = self._with_few_switches(graph, len(losses.met))
        for cause, (number, step) in losses.met.items():
            if cause not in paths:
                paths[cause] = path_by_search(product, number, step)
        return paths

    def _with_few_switches(self, graph: SearchGraph, causes: int) -> dict[Cause, Path]:
        """The same for so many causes, with as few context switches as can be."""
        return shortest(
            [(number, held) for held in self._nothing_held() for number in range(graph.initial)],
            partial(self._expand, graph),
            partial(self._goals, graph),
            enough=lambda found: len(found) == causes,
            guard=graph.guard,
        )

    def _expand(self, graph: SearchGraph, node: Node) -> Iterable[tuple[State, Step, Node | None]]:
        number, held = node
        for state, step, after, target in graph.edges(number):
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
        cell, found = next(
            (suspect.cell, each)
            for suspect in suspects
            if suspect.thread == thread and suspect.cell.location.name == cause[0]
            for each in self._lost_by(suspect, path)
            if cause_of(suspect, each, path.steps[-1][1]) == cause
        )
        read, changed, last = found.read[2], found.changed[2], len(path.steps)
        reader = self.machine.program.threads[thread].name
        writer = trace.steps[changed - 1].thread
        names = self.machine.names_in(path.steps[-1][0])
        name = names.of_location(cell.location) + cause[0].removeprefix(cell.location.name)
        how = "on a condition that it read" if found.by_condition else "from the value it read"
        return Violation(
            "lost-update",
            f"{reader} wrote {name} at step {last} {how} at step {read}"
            f"{self._nothing_new(cell, path)}; the write of {writer} at step {changed} is lost",
            name,
            (reader, writer),
            trace,
            source=trace.steps[-1].source,
            detail=LostUpdate(reader, writer, read, changed, last, found.by_condition),
            hint=self._await_between(thread, changed, path),
        )

    def _nothing_new(self, cell: Cell, path: Path) -> str:
        """That the last step wrote what was there already, in words; "" if it did not."""
        before, step = path.steps[-1]
        after = self.machine.after(before, step)
        if cell.value(self.machine, before) != cell.value(self.machine, after):
            return ""
        values = [*cell.plain(self.machine, after)]
        told = [text for text in map(show, values) if len(text) <= LONGEST_IN_SENTENCE]
        return f", and so wrote {', '.join([*told, 'the value that was there already'])}"

    def _await_between(self, reader: int, changed: int, path: Path) -> str:
        """The await at which a task was suspended that lost an update of another task; or ""."""
        threads = self.machine.program.threads
        writer = path.steps[changed - 1][1].thread
        if not (threads[reader].kind.in_loop and threads[writer].kind.in_loop):
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


def _possible_causes(moves: list[tuple[int, Step]], suspects: list[Suspect], guard: Guard) -> int:
    """How many causes there can be at most: when all are found, the search can end."""
    reads: dict[Cell, set[Line]] = {}
    overwrites: dict[Cell, set[Line]] = {}
    changes: dict[Cell, set[Line]] = {}
    for cell in {suspect.cell for suspect in suspects}:
        guard.poll()
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
        return (
            step.thread in self._threads
            or any(thread in self._threads for thread, _ in step.starts)
            or any(place in self._locations for place, _ in step.writes)
        )

    def look(self, node: State, step: Step) -> tuple[int, bool, tuple[int, ...]]:
        number = node[self.place]
        location = self._histories[number].suspect.cell.location
        after = self._machine.after(node, step)
        now = self._histories.follow(number, node, step, after)
        lost = bool(self._histories.lost(number, node, step))
        return now, lost, (self.place, location.index)


class _Losses(Observer):
    """Watches for lost updates: for each cause, the first step that shows it, and from where.

    Only steps that the search of `graph` has met show one.
    """

    def __init__(
        self,
        graph: SearchGraph,
        histories: Histories,
        place: int,
        possible: int,
    ) -> None:
        self.met: dict[Cause, tuple[int, Step]] = {}
        self._graph = graph
        self._histories = histories
        self._place = place
        self._possible = possible
        self._levels: int | None = None
        """How many more levels there are to search; None: all."""
        if graph.expanded < len(graph):
            self._levels = len(graph.way_to(graph.expanded))

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        for cause in self._histories.causes(state[self._place], state, step):
            if cause not in self.met and (self._levels is None or self._is_met(state, step)):
                self.met[cause] = (number, step)
        return False

    def _is_met(self, node: State, step: Step) -> bool:
        number = self._graph.number(node[: self._place])
        return number is not None and any(
            step is taken for _, taken, _, _ in self._graph.edges(number)
        )

    def on_level(self, graph: SearchGraph) -> bool:
        if len(self.met) == self._possible or self._levels == 0:
            return True
        if self._levels is not None:
            self._levels -= 1
        return False
