"""Threads that can never move again although others can.

A thread is stuck in a state if it has not ended, no path from there has a step of it, and there is
a path from there without an end. Daemons are not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interleave.machine import FAILED, FINISHED

if TYPE_CHECKING:
    from interleave.engine.graph import SearchGraph

Stuck = list[tuple[int, tuple[int, ...]]]
"""States in order of their numbers, each with all threads that are stuck in it."""


def find_stuck(graph: SearchGraph) -> Stuck:
    """All states in which threads are stuck. The graph is complete."""
    leads_to = graph.targets
    count = len(leads_to)
    comes_from: list[list[int]] = [[] for _ in range(count)]
    for number in range(count):
        for target in leads_to[number]:
            comes_from[target].append(number)
    threads = [thread.number for thread in graph.machine.program.threads if not thread.daemon]
    # For each state, bits of the threads that have ended or may still move: now, or later.
    settled = [_settled_now(graph, number, threads) for number in range(count)]
    waiting = list(range(count))
    while waiting:
        number = waiting.pop()
        for before in comes_from[number]:
            if settled[number] & ~settled[before]:
                settled[before] |= settled[number]
                waiting.append(before)
    everybody = sum(1 << thread for thread in threads)
    # Where somebody is not settled, so it is in all states from there on. Taking away those that
    # lead nowhere, over and over, leaves those that lead to a cycle.
    left = {number: len(leads_to[number]) for number in range(count) if settled[number] < everybody}
    waiting = [number for number, leading in left.items() if not leading]
    while waiting:
        number = waiting.pop()
        for before in comes_from[number]:
            if before in left:
                left[before] -= 1
                if not left[before]:
                    waiting.append(before)
    return [
        (number, tuple(thread for thread in threads if not settled[number] >> thread & 1))
        for number, leading in left.items()
        if leading
    ]


def _settled_now(graph: SearchGraph, number: int, threads: list[int]) -> int:
    """Bits of the threads that have ended in a state, or can move in it."""
    state, found = graph.state(number), 0
    for thread in threads:
        ended = graph.machine.local(state, thread) in (FINISHED, FAILED)
        if ended or graph.step(state, thread).steps:
            found |= 1 << thread
    return found
