"""Threads that can never move again although others can, and parts of a graph that are never left.

A thread is stuck in a state if it has not ended, no path from there has a step of it, and there is
a path from there that has no end and is weakly fair: it runs every thread that can always move. So
it ends up in a component in which each thread either takes a step or cannot move somewhere. Daemons
are not looked at.

A component that is never left is such a path too. Whether threads get anywhere in it is for a
`Judge` to say: if they do not, it is as good as an end, and keeps nobody stuck.

Where the end of one thread ends the program, what others could still have done counts: that is
asked of a graph that goes on from there (see `checks.leaks`), and is given as `later`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from interleave.engine.backwards import leading_to, turned
from interleave.engine.components import find_components
from interleave.engine.contents import Contents
from interleave.machine import FAILED, FINISHED, State, Step

if TYPE_CHECKING:
    from interleave.engine.graph import SearchGraph

Stuck = list[tuple[int, tuple[int, ...]]]
"""States in order of their numbers, each with all threads that are stuck in it."""

Later = Sequence[tuple[int, tuple[int, ...]]]
"""States in which the program is over, each with the threads that would not have moved any more."""

Deed = tuple[State, Step]
"""A step, with the state that it is taken from."""


class Judge(Protocol):
    """Says whether threads get anywhere in a component that is never left.

    It is not asked where all of the `suspects` change some content in it.
    """

    contents: Contents

    def suspects(self, steps: Iterable[Step]) -> frozenset[int]:
        """The threads that it may find fault with, by all steps that the threads can take."""
        ...

    def is_end(self, first: int, deeds: Iterable[Deed]) -> bool:
        """Whether nobody gets anywhere in a component, by its first state and all of its steps."""
        ...


def find_stuck(graph: SearchGraph, later: Later, judge: Judge | None) -> Stuck:
    """All states in which threads are stuck. The graph is complete.

    The judge is asked about components in the order of their first states.
    """
    threads = _threads(graph)
    everybody = sum(1 << thread for thread in threads)
    never = {number: sum(1 << thread for thread in waiting) for number, waiting in later}
    settled = _settle(graph, threads, {number: everybody & ~n for number, n in never.items()})
    endless: set[int] = set()
    never_left: list[set[int]] = []
    for inside, is_left in _circles(graph):
        if not is_left:
            never_left.append(inside)
        elif settled[min(inside)] < everybody and _is_fair(graph, inside):
            endless |= inside
    endless.update(*never_left)
    if judge is not None:
        endless -= _as_good_as_ends(graph, never_left, judge)
    # Where somebody is not settled, so it is in all states from there on.
    waiting = {number for number in endless if settled[number] < everybody}
    found = leading_to(waiting, turned(graph.targets)) if waiting else set()
    return [
        (number, _unsettled(threads, settled[number]))
        for number in sorted(found)
        if settled[number] < everybody
    ]


def _circles(graph: SearchGraph) -> Iterator[tuple[set[int], bool]]:
    """The components that one can stay in, each with whether it can be left."""
    for component in find_components(graph.targets):
        graph.guard.poll()
        inside = set(component)
        stays = {target in inside for number in component for target in graph.targets[number]}
        if True in stays:
            yield inside, False in stays


def _as_good_as_ends(graph: SearchGraph, never_left: list[set[int]], judge: Judge) -> set[int]:
    """The states of components in which nobody gets anywhere."""
    found: set[int] = set()
    for component in sorted(never_left, key=min):
        if judge.is_end(min(component), _deeds(graph, sorted(component))):
            found |= component
    return found


def _is_fair(graph: SearchGraph, inside: set[int]) -> bool:
    """Whether each thread takes a step inside a component, or cannot move in one of its states."""
    left = {thread.number for thread in graph.machine.program.threads}
    left -= graph.machine.program.unhurried
    for number in inside:
        graph.guard.poll()
        state = graph.state(number)
        able = set()
        for taken, after in graph.successors(state):
            able.add(taken.thread)
            if graph.number(after) in inside:
                left.discard(taken.thread)
        left &= able
    return not left


def _deeds(graph: SearchGraph, component: list[int]) -> Iterator[Deed]:
    for number in component:
        graph.guard.poll()
        state = graph.state(number)
        for step in graph.expand(state):
            yield state, step


def find_waiting(
    graph: SearchGraph, over: Iterable[int], judge: Judge | None = None
) -> tuple[Later, Stuck]:
    """The initial states of a complete graph, each with the threads that never move again; and all
    states in which there are any.

    In the states `over` the program has ended: nobody waits there. The judge is asked as for
    `find_stuck`.
    """
    if judge is not None:
        never_left = [component for component, is_left in _circles(graph) if not is_left]
        _as_good_as_ends(graph, never_left, judge)
    threads = _threads(graph)
    ended = dict.fromkeys(over, sum(1 << thread for thread in threads))
    settled = _settle(graph, threads, ended)
    found = [(number, _unsettled(threads, bits)) for number, bits in enumerate(settled)]
    return found[: graph.initial], [each for each in found if each[1]]


def _threads(graph: SearchGraph) -> list[int]:
    return [thread.number for thread in graph.machine.program.threads if not thread.daemon]


def _unsettled(threads: list[int], settled: int) -> tuple[int, ...]:
    return tuple([thread for thread in threads if not settled >> thread & 1])


def _settle(graph: SearchGraph, threads: list[int], known: dict[int, int]) -> list[int]:
    """For each state, bits of the threads that have ended or may still move: now, or later.

    `known` has those of some states.
    """
    comes_from = turned(graph.targets)
    count = len(graph)
    settled = [
        _settled_now(graph, number, threads) | known.get(number, 0) for number in range(count)
    ]
    waiting = list(range(count))
    while waiting:
        graph.guard.poll()
        number = waiting.pop()
        for before in comes_from[number]:
            if settled[number] & ~settled[before]:
                settled[before] |= settled[number]
                waiting.append(before)
    return settled


def _settled_now(graph: SearchGraph, number: int, threads: list[int]) -> int:
    """Bits of the threads that have ended in a state, or can move in it."""
    graph.guard.poll()
    state, found = graph.state(number), 0
    for thread in threads:
        ended = graph.machine.local(state, thread) in (FINISHED, FAILED)
        if ended or graph.step(state, thread).steps:
            found |= 1 << thread
    return found
