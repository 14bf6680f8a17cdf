"""Threads that can never move again although others can.

A thread is stuck in a state if it has not ended, no path from there has a step of it, and there is
a path from there without an end. Daemons are not looked at.

Where the end of one thread ends the program, what others could still have done counts: that is
asked of a graph that goes on from there (see `checks.leaks`), and is given as `later`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from interleave.machine import FAILED, FINISHED

if TYPE_CHECKING:
    from interleave.engine.graph import SearchGraph

Stuck = list[tuple[int, tuple[int, ...]]]
"""States in order of their numbers, each with all threads that are stuck in it."""

Later = Sequence[tuple[int, tuple[int, ...]]]
"""States in which the program is over, each with the threads that would not have moved any more."""


def find_stuck(graph: SearchGraph, later: Later) -> Stuck:
    """All states in which threads are stuck. The graph is complete."""
    threads = _threads(graph)
    everybody = sum(1 << thread for thread in threads)
    never = {number: sum(1 << thread for thread in waiting) for number, waiting in later}
    settled = _settle(graph, threads, {number: everybody & ~n for number, n in never.items()})
    leads_to, comes_from = graph.targets, _sources(graph)
    # Where somebody is not settled, so it is in all states from there on. Taking away those that
    # lead nowhere, over and over, leaves those that lead to a cycle.
    left = {
        number: len(leads_to[number])
        for number in range(len(settled))
        if settled[number] < everybody
    }
    waiting = [number for number, leading in left.items() if not leading]
    while waiting:
        number = waiting.pop()
        for before in comes_from[number]:
            if before in left:
                left[before] -= 1
                if not left[before]:
                    waiting.append(before)
    return [
        (number, _unsettled(threads, settled[number]))
        for number, leading in left.items()
        if leading
    ]


def find_waiting(graph: SearchGraph, over: Iterable[int]) -> tuple[Later, Stuck]:
    """The initial states of a complete graph, each with the threads that never move again; and all
    states in which there are any.

    In the states `over` the program has ended: nobody waits there.
    """
    threads = _threads(graph)
    ended = dict.fromkeys(over, sum(1 << thread for thread in threads))
    settled = _settle(graph, threads, ended)
    found = [(number, _unsettled(threads, bits)) for number, bits in enumerate(settled)]
    return found[: graph.initial], [each for each in found if each[1]]


def _threads(graph: SearchGraph) -> list[int]:
    return [thread.number for thread in graph.machine.program.threads if not thread.daemon]


def _unsettled(threads: list[int], settled: int) -> tuple[int, ...]:
    return tuple([thread for thread in threads if not settled >> thread & 1])


def _sources(graph: SearchGraph) -> list[list[int]]:
    """For each state, those that lead to it."""
    comes_from: list[list[int]] = [[] for _ in range(len(graph))]
    for number in range(len(graph)):
        for target in graph.targets[number]:
            comes_from[target].append(number)
    return comes_from


def _settle(graph: SearchGraph, threads: list[int], known: dict[int, int]) -> list[int]:
    """For each state, bits of the threads that have ended or may still move: now, or later.

    `known` has those of some states.
    """
    comes_from = _sources(graph)
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
