"""The reference engine: breadth-first search, as plainly as it can be written.

It is the specification of every other engine: they must number the same states in the same order.
What may end a search before its end, and who watches it, is in `engine.advancing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from interleave.engine.graph import SearchGraph
from interleave.machine import State, Step


class Event(Enum):
    """What a search comes by."""

    BEGIN = "a state is about to be expanded"
    TRANSITION = "a step leads on from the state that is being expanded"
    NEW = "it leads to a state that is about to be given its number"
    STATE = "a state has been given its number"
    END = "no thread can move in the state that is being expanded"
    EXPANDED = "all transitions from a state were told of"


BEGIN, TRANSITION, NEW, STATE, END, EXPANDED = Event


def breadth_first(graph: SearchGraph) -> Iterator[tuple[Event, int, State, Step | None]]:
    """Expand the states of a graph, from the first that is not expanded to the last.

    Gives each event with the number of a state, the state, and the step of a transition. Whoever
    takes no more of them has stopped the search there.
    """
    while graph.expanded < len(graph):
        number = graph.expanded
        state = graph.state(number)
        yield BEGIN, number, state, None
        is_end = True
        for step, target in graph.successors(state):
            is_end = False
            graph.met += 1
            yield TRANSITION, number, state, step
            known = graph.number(target)
            if known is None:
                yield NEW, len(graph), target, None
                graph.add(target, number)
                yield STATE, len(graph) - 1, target, None
            elif known <= number:
                graph.leads_back = True
            graph.transitions += 1
        if is_end and graph.is_end(state):
            graph.ended.append(number)
            yield END, number, state, None
        yield EXPANDED, number, state, None
        graph.expanded, graph.met = number + 1, 0
