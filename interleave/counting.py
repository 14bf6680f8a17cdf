"""How many interleavings there are, in which outcomes they end, and how many meet a violation.

An interleaving is a maximal path from an initial state, deadlocks included. Where the graph has a
cycle there is no end to them, and nothing is counted.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

from interleave.checks import Check
from interleave.engine.graph import SearchGraph
from interleave.engine.search import Searched
from interleave.machine import FAILED, State
from interleave.result import Interleavings, Outcome
from interleave.tracing import variables

MOST_HISTORIES = 1_000_000
"""Pairs of a state and what the checks remember of the way there, at most; see `_clean_paths`."""


class Edges:
    """Where each state leads to: one target number for each transition, in order."""

    def __init__(self, graph: SearchGraph) -> None:
        after, numbers = graph.machine.after, graph.numbers
        self._targets = array("q")
        self._starts = array("q", [0])
        for state in graph.states:
            self._targets.extend(numbers[after(state, step)] for step in graph.steps(state))
            self._starts.append(len(self._targets))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> array[int]:
        return self._targets[self._starts[number] : self._starts[number + 1]]

    def ends(self) -> list[int]:
        """The states that lead nowhere: no thread can move."""
        return [n for n in range(len(self)) if self._starts[n] == self._starts[n + 1]]

    def topological_order(self) -> list[int] | None:
        """The states, each before those that it leads to; None where there is a cycle."""
        incoming = array("q", bytes(8 * len(self)))
        for target in self._targets:
            incoming[target] += 1
        ready = [number for number, count in enumerate(incoming) if not count]
        order = []
        while ready:
            number = ready.pop()
            order.append(number)
            for target in self[number]:
                incoming[target] -= 1
                if not incoming[target]:
                    ready.append(target)
        return order if len(order) == len(self) else None


def count_paths(edges: Edges, initial: int, order: list[int]) -> list[int]:
    """For each state, how many paths lead there from the first `initial` states."""
    ways = [1] * initial + [0] * (len(edges) - initial)
    for number in order:
        here = ways[number]
        for target in edges[number]:
            ways[target] += here
    return ways


def count_interleavings(found: Searched[Check], *, any_violation: bool) -> Interleavings | None:
    """What there is to count in a state graph; None where the search is not complete."""
    graph = found.graph
    if graph.limit:
        return None
    edges = Edges(graph)
    order = edges.topological_order()
    if order is None:
        return Interleavings(None, None, _outcomes(graph, dict.fromkeys(edges.ends())))
    ways = count_paths(edges, graph.initial, order)
    paths = {number: ways[number] for number in edges.ends()}
    total = sum(paths.values())
    clean = _clean_paths(graph, order, found.observers) if any_violation else total
    violating = None if clean is None else total - clean
    return Interleavings(total, violating, _outcomes(graph, dict(paths)))


def _outcomes(graph: SearchGraph, ends: dict[int, int | None]) -> tuple[Outcome, ...]:
    """The states in which interleavings end, as far as they can be told apart from outside."""
    machine = graph.machine
    found: dict[tuple[str, State], int | None] = {}
    for number, paths in ends.items():
        state = graph.states[number]
        locals_ = state[machine.locations :]
        how = "finished" if machine.is_final(state) else "deadlock"
        if how == "finished" and FAILED in locals_:
            how = "failed"
        key = (how, state[: machine.locations])
        known = found.get(key, 0)
        found[key] = None if paths is None or known is None else known + paths
    return tuple(
        Outcome(tuple(variables(machine, values).items()), how, paths)
        for (how, values), paths in found.items()
    )


def _clean_paths(graph: SearchGraph, order: list[int], checks: Sequence[Check]) -> int | None:
    """How many interleavings meet no violation; None where it takes too much to tell.

    Whether a path meets one may depend on the way it came, so states are split by what the checks
    remember of it (`Check.remember`).
    """
    machine, numbers = graph.machine, graph.numbers
    waiting: dict[int, dict[tuple[Any, ...], int]] = {}
    for number in range(graph.initial):
        memories = tuple(check.start(graph.states[number]) for check in checks)
        if None not in memories:
            waiting[number] = {memories: 1}
    clean = histories = 0
    for number in order:
        here = waiting.pop(number, {})
        histories += len(here)
        if histories > MOST_HISTORIES:
            return None
        state = graph.states[number]
        steps = [(step, machine.after(state, step)) for step in graph.steps(state)]
        if not steps:
            clean += sum(here.values())
        for memories, ways in here.items():
            for step, after in steps:
                following = tuple(
                    check.remember(memory, state, step, after)
                    for check, memory in zip(checks, memories, strict=True)
                )
                if None not in following:
                    there = waiting.setdefault(numbers[after], {})
                    there[following] = there.get(following, 0) + ways
    return clean
