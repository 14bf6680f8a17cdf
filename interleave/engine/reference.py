"""The reference engine: breadth-first search, as plainly as it can be written.

It is the specification of every other engine: they must number the same states in the same order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from interleave.engine.graph import SearchGraph
from interleave.engine.memory import shortage
from interleave.engine.observing import Limits, Observer
from interleave.machine import State

STOPPED = "stopped at the first violation"


def begin(
    graph: SearchGraph, initial: Iterable[State], observers: Sequence[Observer], limits: Limits
) -> None:
    """Give the initial states their numbers."""
    for state in initial:
        graph.limit = _add(graph, state, len(graph), observers, limits)
        graph.initial = len(graph)
        if graph.limit:
            return


def advance(
    graph: SearchGraph,
    observers: Sequence[Observer],
    limits: Limits,
    deadline: float | None,
    *,
    until: int | None = None,
) -> None:
    """Expand states in order: all of them, or, where `until` says so, the first so many.

    Sets `graph.limit` where a limit is reached.
    """
    ask = limits.by_level or limits.first_violation
    pairing = [observer for observer in observers if observer.pairs is not None]
    while not graph.limit and graph.expanded < len(graph) and graph.expanded != until:
        number = graph.expanded
        if number == graph.level_end:
            if ask and any([o.on_level(graph) for o in observers]):  # noqa: C419 (ask them all)
                graph.limit = STOPPED
                return
            graph.level_end = len(graph)  # what is found from here on is one step deeper
        state = graph.state(number)
        moved = False
        graph.met = 0
        for step, following in graph.successors(state):
            moved = True
            graph.met += 1
            seen = [o.on_transition(number, state, step) for o in observers]
            if _ends(seen, limits):
                graph.limit = STOPPED
                return
            target = graph.number(following)
            if target is None:
                graph.limit = _add(graph, following, number, observers, limits)
                if graph.limit:
                    return
            elif target <= number:
                graph.leads_back = True
            graph.transitions += 1
        if not moved and graph.is_end(state):
            graph.ended.append(number)
            if _ends([o.on_end(number, state) for o in observers], limits):
                graph.limit = STOPPED
                return
        if pairing and _ends([o.on_expanded(number, state) for o in pairing], limits):
            graph.limit = STOPPED
            return
        graph.expanded += 1
        graph.met = 0
        if number % 64 == 0:
            if deadline is not None and time.monotonic() > deadline:
                graph.limit = too_long(limits)
            elif number % 4096 == 0:
                graph.limit = shortage()
            if graph.engine.progress is not None:
                graph.engine.progress(graph)


def _add(
    graph: SearchGraph, state: State, parent: int, observers: Sequence[Observer], limits: Limits
) -> str:
    """Give a new state its number. What stops the search there, or ""."""
    if len(graph) == limits.states:
        return f"reached the limit of {limits.states:,} states"
    graph.add(state, parent)
    seen = [o.on_state(len(graph) - 1, state) for o in observers]
    return STOPPED if _ends(seen, limits) else ""


def _ends(seen: Iterable[bool], limits: Limits) -> bool:
    return any(seen) and limits.first_violation


def too_long(limits: Limits) -> str:
    """What stopped a search that has taken too long, in words."""
    return f"reached the limit of {limits.seconds:g} seconds"
