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

from collections.abc import Iterable, Sequence

from interleave.engine.passes.backwards import leading_to, turned
from interleave.engine.passes.base import Graph, a_pass
from interleave.engine.passes.livelock import Judge, as_good_as_ends, circles
from interleave.machine import FAILED, FINISHED

Stuck = list[tuple[int, tuple[int, ...]]]
"""States in order of their numbers, each with all threads that are stuck in it."""

Later = Sequence[tuple[int, tuple[int, ...]]]
"""States in which the program is over, each with the threads that would not have moved any more."""


@a_pass(needs="every transition")
def find_stuck(graph: Graph, later: Later = (), judge: Judge | None = None) -> Stuck:
    """States in which threads are stuck. The graph is no product.

    For everything that a thread waits for, the first state in which it is stuck there is one of
    them; here, they are all. The judge is asked about components that are never left.
    """
    threads = _threads(graph)
    everybody = sum(1 << thread for thread in threads)
    never = {number: sum(1 << thread for thread in waiting) for number, waiting in later}
    comes_from = turned(graph.targets)
    known = {number: everybody & ~waiting for number, waiting in never.items()}
    settled = _settle(graph, comes_from, threads, known)
    endless: set[int] = set()
    never_left: list[set[int]] = []
    for inside, is_left in circles(graph):
        if not is_left:
            never_left.append(inside)
        elif settled[min(inside)] < everybody and _is_fair(graph, inside):
            endless |= inside
    endless.update(*never_left)
    if judge is not None:
        endless -= as_good_as_ends(graph, never_left, judge)
    # Where somebody is not settled, so it is in all states from there on.
    waiting = {number for number in endless if settled[number] < everybody}
    found = leading_to(waiting, comes_from)
    return [
        (number, _unsettled(threads, settled[number]))
        for number in sorted(found)
        if settled[number] < everybody
    ]


def _is_fair(graph: Graph, inside: set[int]) -> bool:
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


@a_pass(needs="every transition")
def find_waiting(
    graph: Graph, over: Iterable[int], judge: Judge | None = None
) -> tuple[Later, Stuck]:
    """The initial states, each with the threads that never move again; and states in which there
    are any: all, or for everything that one waits for, the first.

    In the states `over` the program has ended: nobody waits there. The judge is asked about
    components that are never left.
    """
    if judge is not None:
        never_left = [component for component, is_left in circles(graph) if not is_left]
        as_good_as_ends(graph, never_left, judge)
    found = _waiting(graph, turned(graph.targets), over)
    return found[: graph.initial], [each for each in found if each[1]]


@a_pass(needs="every transition")
def leading_to_waiting(graph: Graph, over: Iterable[int], others: Iterable[int]) -> set[int]:
    """All states from which somebody may come to wait for good, or that lead to one of `others`."""
    comes_from = turned(graph.targets)
    waiting = [number for number, threads in _waiting(graph, comes_from, over) if threads]
    return leading_to([*waiting, *others], comes_from)


def _waiting(graph: Graph, comes_from: list[list[int]], over: Iterable[int]) -> Stuck:
    """All states, each with the threads that never move again."""
    threads = _threads(graph)
    ended = dict.fromkeys(over, sum(1 << thread for thread in threads))
    settled = _settle(graph, comes_from, threads, ended)
    return [(number, _unsettled(threads, bits)) for number, bits in enumerate(settled)]


def _threads(graph: Graph) -> list[int]:
    return [thread.number for thread in graph.machine.program.threads if not thread.daemon]


def _unsettled(threads: list[int], settled: int) -> tuple[int, ...]:
    return tuple([thread for thread in threads if not settled >> thread & 1])


def _settle(
    graph: Graph, comes_from: list[list[int]], threads: list[int], known: dict[int, int]
) -> list[int]:
    """For each state, bits of the threads that have ended or may still move: now, or later.

    `known` has those of some states.
    """
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


def _settled_now(graph: Graph, number: int, threads: list[int]) -> int:
    """Bits of the threads that have ended in a state, or can move in it."""
    graph.guard.poll()
    state, found = graph.state(number), 0
    for thread in threads:
        ended = graph.machine.local(state, thread) in (FINISHED, FAILED)
        if ended or graph.step(state, thread).steps:
            found |= 1 << thread
    return found
