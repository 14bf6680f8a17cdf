"""A search by the reference engine as it is run: watched by observers, and within limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Limits, Observer, listeners
from interleave.engine.reference import BEGIN, END, EXPANDED, NEW, STATE, TRANSITION, breadth_first
from interleave.engine.stopping import FIRST_VIOLATION, too_many_states
from interleave.interrupts import poll
from interleave.machine import State

LOOK_EVERY = 64
"""States after which it is looked whether the search must end, and progress is told of."""


def begin(
    graph: SearchGraph, initial: Iterable[State], observers: Sequence[Observer], limits: Limits
) -> None:
    """Give the initial states their numbers."""
    for state in initial:
        poll()
        number = len(graph)
        if number == limits.states:
            graph.stop = too_many_states(number)
            return
        graph.add(state, number)
        graph.initial = len(graph)
        seen = [observer.on_state(number, state) for observer in observers]
        if limits.first_violation and any(seen):
            graph.stop = FIRST_VIOLATION
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
    if graph.stop is not None:
        return
    of_transitions = listeners(observers, "on_transition")
    of_states, of_ends = listeners(observers, "on_state"), listeners(observers, "on_end")
    pairing = [observer for observer in observers if observer.pairs is not None]
    of_pairs = listeners(pairing, "on_expanded")
    for event, number, state, step in breadth_first(graph):
        seen: list[bool] = []
        if event is TRANSITION:
            seen = [tell(number, state, step) for tell in of_transitions]
        elif event is NEW:
            if number == limits.states:
                graph.stop = too_many_states(number)
                return
        elif event is STATE:
            seen = [tell(number, state) for tell in of_states]
        elif event is END:
            seen = [tell(number, state) for tell in of_ends]
        elif event is EXPANDED:
            seen = [tell(number, state) for tell in of_pairs]
        elif event is BEGIN:
            _look_up(graph)
            if number == until:
                return
            if number == graph.level_end and not _goes_on(graph, observers, limits):
                graph.stop = FIRST_VIOLATION
                return
        if limits.first_violation and any(seen):
            graph.stop = FIRST_VIOLATION
            return


def _look_up(graph: SearchGraph) -> None:
    """Between two states: raise `Stopped` where it is time to end, and tell of progress."""
    poll()
    if graph.expanded % LOOK_EVERY == 1:
        graph.guard.poll()
        if graph.engine.progress is not None:
            graph.engine.progress(graph)


def _goes_on(graph: SearchGraph, observers: Sequence[Observer], limits: Limits) -> bool:
    """Begin with a level, unless an observer ends the search before it."""
    if limits.by_level or limits.first_violation:
        if any([observer.on_level(graph) for observer in observers]):  # noqa: C419 (ask them all)
            return False
        graph.guard.poll()  # what they do may have been cut short
    graph.level_end = len(graph)  # what is found from here on is one step deeper
    return True
