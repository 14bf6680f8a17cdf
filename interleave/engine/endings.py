"""How many paths there are through a state graph, and in which kinds of states they end.

A path here is an interleaving: it goes from an initial state to one in which no thread can move.
Where the graph has a cycle there is no end to them, and none is counted.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from typing import TYPE_CHECKING

from interleave.machine import FAILED, Machine, State

if TYPE_CHECKING:
    from interleave.engine.graph import SearchGraph

Endings = list[tuple[int, "int | None"]]
"""The first state of each kind, and how many paths end in states of that kind (None: no end)."""


def how_it_ended(machine: Machine, state: State) -> str:
    """ "finished", "failed" (an exception has ended a thread) or "deadlock"."""
    if not machine.is_final(state):
        return "deadlock"
    return "failed" if FAILED in machine.local_states(state) else "finished"


def find_endings(graph: SearchGraph) -> tuple[Endings, bool]:
    """The ends of a graph, and whether it has a cycle.

    Of one kind are those that cannot be told apart from outside: the same way to end, and the same
    shared state.
    """
    edges = graph.targets
    order = edges.topological_order()
    ways = None if order is None else edges.count_paths(graph.initial, order)
    found: dict[Hashable, tuple[int, int | None]] = {}
    for number in graph.ended:
        state = graph.state(number)
        key = (how_it_ended(graph.machine, state), state[: graph.machine.locations])
        first, known = found.get(key, (number, 0))
        found[key] = (first, None if ways is None or known is None else known + ways[number])
    return list(found.values()), order is None


class Targets:
    """Where each state leads to: one target number for each transition, in order."""

    def __init__(self, graph: SearchGraph) -> None:
        self._targets = array("q")
        self._starts = array("q", [0])
        for number in range(len(graph)):
            graph.guard.poll()
            for _, after in graph.successors(graph.state(number)):
                target = graph.number(after)
                assert target is not None  # the graph is complete
                self._targets.append(target)
            self._starts.append(len(self._targets))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> array[int]:
        return self._targets[self._starts[number] : self._starts[number + 1]]

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

    def count_paths(self, initial: int, order: list[int]) -> list[int]:
        """For each state, how many paths lead there from the first `initial` states."""
        ways = [1] * initial + [0] * (len(self) - initial)
        for number in order:
            here = ways[number]
            for target in self[number]:
                ways[target] += here
        return ways
