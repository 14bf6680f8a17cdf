"""The reference engine: breadth-first search, as plainly as it can be written.

It is the specification of every other engine: they must number the same states in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Limits, Observer
from interleave.engine.stopping import FIRST_VIOLATION, Stop, too_many_states
from interleave.interrupts import poll
from interleave.machine import State


def begin(
    graph: SearchGraph, initial: Iterable[State], observers: Sequence[Observer], limits: Limits
) -> None:
    """Give the initial states their numbers."""
    for state in initial:
        poll()
        graph.stop = _add(graph, state, len(graph), observers, limits)
        graph.initial = len(graph)
        if graph.stop is not None:
            return


def advance(
    graph: SearchGraph,
    observers: Sequence[Observer],
    limits: Limits,
    *,
    until: int | None = None,
) -> None:
    """Expand states in order: all of them, or, where `until` says so, the first so many.

    Sets `graph.stop` where the search ends there. Raises `Stopped`.
    """
    ask = limits.by_level or limits.first_violation
    pairing = [observer for observer in observers if observer.pairs is not None]
    while graph.stop is None and graph.expanded < len(graph) and graph.expanded != until:
        number = graph.expanded
        if number == graph.level_end:
            if ask:
                if any([o.on_level(graph) for o in observers]):  # noqa: C419 (ask them all)
                    graph.stop = FIRST_VIOLATION
                    return
                graph.guard.poll()  # what they do may have been cut short
            graph.level_end = len(graph)  # what is found from here on is one step deeper
        state = graph.state(number)
        moved = False
        graph.met = 0
        for step, following in graph.successors(state):
            moved = True
            graph.met += 1
            seen = [o.on_transition(number, state, step) for o in observers]
            if _ends(seen, limits):
                graph.stop = FIRST_VIOLATION
                return
            target = graph.number(following)
            if target is None:
                graph.stop = _add(graph, following, number, observers, limits)
                if graph.stop is not None:
                    return
            elif target <= number:
                graph.leads_back = True
            graph.transitions += 1
        if not moved and graph.is_end(state):
            graph.ended.append(number)
            if _ends([o.on_end(number, state) for o in observers], limits):
                graph.stop = FIRST_VIOLATION
                return
        if pairing and _ends([o.on_expanded(number, state) for o in pairing], limits):
            graph.stop = FIRST_VIOLATION
            return
        graph.expanded += 1
        graph.met = 0
        poll()
        if number % 64 == 0:
            graph.guard.poll()
            if graph.engine.progress is not None:
                graph.engine.progress(graph)


def _add(
    graph: SearchGraph, state: State, parent: int, observers: Sequence[Observer], limits: Limits
) -> Stop | None:
    """Give a new state its number. What ends the search there, if anything."""
    if limits.states is not None and len(graph) == limits.states:
        return too_many_states(limits.states)
    graph.add(state, parent)
    seen = [o.on_state(len(graph) - 1, state) for o in observers]
    return FIRST_VIOLATION if _ends(seen, limits) else None


def _ends(seen: Iterable[bool], limits: Limits) -> bool:
    return any(seen) and limits.first_violation
