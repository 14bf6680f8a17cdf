"""How many paths there are through a state graph, and in which kinds of states they end.

A path here is an interleaving: it goes from an initial state to one in which no thread can move.
Where the graph has a cycle there is no end to them, and none is counted.
"""

from __future__ import annotations

from collections.abc import Hashable

from interleave.engine.passes.base import Graph, a_pass
from interleave.engine.passes.counting import count_paths, topological_order
from interleave.machine import FAILED, Machine, State

Endings = list[tuple[int, "int | None"]]
"""The first state of each kind, and how many paths end in states of that kind (None: no end)."""


def how_it_ended(machine: Machine, state: State) -> str:
    """ "finished", "returned" (main has, which ends the program), "failed" (an exception has ended
    a thread) or "deadlock".
    """
    if not machine.is_final(state):
        return "deadlock"
    if FAILED in machine.local_states(state):
        return "failed"
    return "returned" if machine.is_over(state) else "finished"


@a_pass(needs="every transition")
def find_endings(graph: Graph) -> tuple[Endings, bool]:
    """The ends of a graph, and whether it has a cycle.

    Of one kind are those that cannot be told apart from outside: the same way to end, and the same
    shared state.
    """
    order = topological_order(graph.targets)
    ways = None if order is None else count_paths(graph.targets, graph.initial, order)
    found: dict[Hashable, tuple[int, int | None]] = {}
    for number in graph.ended:
        state = graph.state(number)
        key = (how_it_ended(graph.machine, state), state[: graph.machine.locations])
        first, known = found.get(key, (number, 0))
        found[key] = (first, None if ways is None or known is None else known + ways[number])
    return list(found.values()), order is None


@a_pass(needs="every state")
def any_is_final(graph: Graph) -> bool:
    """Whether all threads but daemons have ended in some state."""
    return any(graph.machine.is_final(graph.state(number)) for number in range(len(graph)))
