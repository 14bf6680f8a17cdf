"""Running calls as a whole: none begins while another one is under way.

A call that waits stays open, and others may begin; it goes on, alone, when it can. What calls
start (threads, tasks, callbacks) runs whenever it can. So the runs that are looked at here are some
of the interleavings of the same machine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from interleave.engine.graph import SearchGraph
from interleave.engine.stopping import Guard
from interleave.machine import FAILED, FINISHED, Machine, Moves, State, Step
from interleave.racing.building import FIRST_PAUSE, Race

Order = tuple[int, ...]
"""For each call, bits of those that were over when it began; -1 for one that has not begun."""

Moved = Callable[[State, int], Moves]

MOST_NODES = 1_000_000
"""Nodes at most, to compare what whole calls give."""


class Node(NamedTuple):
    """A state, with what has come of the calls on the way to it.

    `begun` has bits of the threads that are within a call, `turn` is the one whose call runs (-1
    for none).
    """

    state: State
    begun: int = 0
    turn: int = -1
    order: Order = ()
    overlaps: bool = False
    """Of a run of whole calls: whether one has begun while another waited."""


Successors = Callable[[Node], Iterator[tuple[Step, Node]]]
"""How runs go on from a node."""


class Positions:
    """Where the threads of a race are in their calls."""

    def __init__(self, race: Race, machine: Machine) -> None:
        self._machine = machine
        self.threads: list[int] = []
        """The threads that make calls."""
        self.first: dict[int, int] = {}
        """For each of them, the number of its first call among all."""
        self.count = 0
        """How many calls there are."""
        lines = {each.name: [place.line for place in each.places] for each in race.threads}
        self._lines: dict[int, list[int]] = {}
        for each in machine.program.threads:
            if each.method in lines:
                self.threads.append(each.number)
                self._lines[each.number] = lines[each.method]
                self.first[each.number] = self.count
                self.count += len(lines[each.method])
        self.others = [
            each.number for each in machine.program.threads if each.number not in self.first
        ]
        self._begin_at_once = {
            each.number
            for each in machine.program.threads
            if each.kind.in_loop and not machine.program.has_threads
        }
        self._known: dict[tuple[int, int], int] = {}
        self._paused: set[tuple[int, int]] = set()
        """Threads in those local states in which they are between two calls."""

    def call(self, state: State, thread: int) -> int:
        """The number of the call that a thread is in, or is about to make: among its own. That
        after the last one where it has ended.
        """
        local = self._machine.local(state, thread)
        found = self._known.get((thread, local))
        if found is None:
            found = self._known[thread, local] = self._call(thread, local)
        return found

    def _call(self, thread: int, local: int) -> int:
        lines = self._lines[thread]
        if local in (FINISHED, FAILED):
            return len(lines)
        number, at, _ = self._machine.locals[local][0][0]
        code = self._machine.locals.codes[number]
        if at >= len(code.blocks):
            return len(lines)
        line = code.source(at).line
        if line > FIRST_PAUSE:
            self._paused.add((thread, local))
            line -= FIRST_PAUSE
        return lines.index(line)

    def are_over(self, state: State) -> bool:
        """Whether all calls are."""
        return all(self._machine.local(state, each) in (FINISHED, FAILED) for each in self.threads)

    def over(self, state: State) -> int:
        """Bits of the calls that are over."""
        found = 0
        for thread in self.threads:
            found |= ((1 << self.call(state, thread)) - 1) << self.first[thread]
        return found

    def after(self, node: Node, step: Step) -> Node:
        """Where a step leads to. The turn is left as it was."""
        state, begun, turn, order, overlaps = node
        following = self._machine.after(state, step)
        thread = step.thread
        if thread not in self.first:
            return Node(following, begun, turn, order, overlaps)
        bit = 1 << thread
        call, now = self.call(state, thread), self.call(following, thread)
        count = len(self._lines[thread])
        first = call if not begun & bit else call + 1
        is_paused = (thread, self._machine.local(following, thread)) in self._paused
        begins = thread in self._begin_at_once and not is_paused
        is_within = now < count and (now == call or begins)
        last = now if is_within else now - 1
        if order and first <= last:
            over, changed = self.over(state), list(order)
            for each in range(first, last + 1):
                own = ((1 << each) - 1) << self.first[thread]
                changed[self.first[thread] + each] = over | own
            order = tuple(changed)
        begun = begun | bit if is_within else begun & ~bit
        return Node(following, begun, turn, order, overlaps)

    def starts(self, states: Iterable[State], *, ordered: bool) -> list[Node]:
        """The nodes to begin with."""
        order = (-1,) * self.count if ordered else ()
        return [Node(each, order=order) for each in states]


class Runs:
    """The runs of whole calls: the nodes that they come through.

    `step` gives all that a thread can do in a state.
    """

    def __init__(self, positions: Positions, step: Moved, guard: Guard) -> None:
        self._positions = positions
        self._step = step
        self._guard = guard
        self._helped: dict[tuple[State, int], bool] = {}

    def successors(self, node: Node) -> Iterator[tuple[Step, Node]]:
        """How a run can go on from a node."""
        positions, state = self._positions, node.state
        for thread in positions.others:
            for step in self._step(state, thread).steps:
                yield step, positions.after(node, step)
        for mover in self._next(node):
            for step in self._step(state, mover).steps:
                after = positions.after(node, step)
                is_within = bool(after.begun >> mover & 1)
                yield (
                    step,
                    after._replace(
                        turn=mover if is_within else -1,
                        overlaps=node.overlaps or bool(node.begun and not node.begun >> mover & 1),
                    ),
                )

    def _next(self, node: Node) -> list[int]:
        """The threads with calls that may move: one that is under way, or any that may begin."""
        state, begun, turn = node.state, node.begun, node.turn
        if turn >= 0 and self._step(state, turn).steps:
            return [turn]
        under_way = [each for each in self._positions.threads if begun >> each & 1]
        able = [each for each in under_way if self._step(state, each).steps]
        if able or (under_way and self._will_go_on(state, begun)):
            return able
        return [each for each in self._positions.threads if not begun >> each & 1]

    def _will_go_on(self, state: State, begun: int) -> bool:
        """Whether a call that waits may go on without another call: by what calls have started."""
        known = self._helped.get((state, begun))
        if known is None:
            known = self._helped[state, begun] = self._is_helped(state, begun)
        return known

    def _is_helped(self, state: State, begun: int) -> bool:
        waiting = [each for each in self._positions.threads if begun >> each & 1]
        seen, following = {state}, deque([state])
        while following:
            self._guard.poll()
            here = following.popleft()
            if any(self._step(here, each).steps for each in waiting):
                return True
            for helper in self._positions.others:
                for step in self._step(here, helper).steps:
                    after = self._positions.after(Node(here), step).state
                    if after not in seen:
                        seen.add(after)
                        following.append(after)
        return False


def all_successors(positions: Positions, graph: SearchGraph) -> Successors:
    """How any interleaving can go on, whole calls or not."""

    def successors(node: Node) -> Iterator[tuple[Step, Node]]:
        for step in graph.expand(node.state):
            yield step, positions.after(node, step)

    return successors


def ends(
    starts: Iterable[Node], successors: Successors, positions: Positions, guard: Guard
) -> list[Node] | None:
    """The nodes with which some runs end, all calls over; None where there are too many to tell.

    From an end, nothing moves. Where what the calls have started goes on for ever, every node from
    there on is one.
    """
    seen = dict.fromkeys(starts)
    following = deque(seen)
    over: list[Node] = []
    settled: list[Node] = []
    comes_from: dict[Node, list[Node]] = {}
    while following:
        guard.poll()
        node = following.popleft()
        after = [each for _, each in successors(node)]
        if positions.are_over(node.state):
            over.append(node)
            if not after:
                settled.append(node)
            for each in after:
                comes_from.setdefault(each, []).append(node)
        for each in after:
            if each not in seen:
                if len(seen) == MOST_NODES:
                    return None
                seen[each] = None
                following.append(each)
    is_end = set(settled)
    settling = leading_back(settled, comes_from)
    return [each for each in over if each in is_end or each not in settling]


def leading_back(nodes: Iterable[Node], comes_from: Mapping[Node, list[Node]]) -> set[Node]:
    """Some nodes, and all that lead to one of them."""
    found = set(nodes)
    waiting = [*found]
    while waiting:
        for before in comes_from.get(waiting.pop(), ()):
            if before not in found:
                found.add(before)
                waiting.append(before)
    return found
