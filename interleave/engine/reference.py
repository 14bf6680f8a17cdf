"""The reference engine: breadth-first search, as plainly as it can be written.

It is the specification of every other engine: they must number the same states in the same order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from interleave.engine.graph import SearchGraph, Stepper
from interleave.machine import Machine, State, Step


class Observer(Protocol):
    """What checks see of a search while it goes on. Methods return True for a violation."""

    def on_state(self, number: int, state: State) -> bool:
        """A state has been given its number."""
        ...

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        """A step leads on from state `number`."""
        ...

    def on_end(self, number: int, state: State) -> bool:
        """No thread can move in state `number`."""
        ...

    def on_level(self, graph: SearchGraph) -> bool:
        """Every state up to some depth has been expanded. Asked only if a violation ends it all."""
        ...


STOPPED = "stopped at the first violation"


@dataclass(frozen=True)
class Limits:
    """When to give up. None: never."""

    states: int | None = None
    seconds: float | None = None
    first_violation: bool = False
    """Stop when an observer says that it has seen a violation."""


def explore(
    machine: Machine, step: Stepper, observers: Sequence[Observer], limits: Limits
) -> SearchGraph:
    """The state graph of a machine, every state and every transition of it, within limits."""
    graph = SearchGraph(machine, step)
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
    try:
        graph.limit = _search(graph, observers, limits, deadline)
    except KeyboardInterrupt:
        graph.limit = "interrupted"
    return graph


def _search(
    graph: SearchGraph,
    observers: Sequence[Observer],
    limits: Limits,
    deadline: float | None,
) -> str:
    """Search until everything is found (""), or what stopped the search in words."""
    states, numbers, machine = graph.states, graph.numbers, graph.machine
    full = f"reached the limit of {limits.states:,} states" if limits.states is not None else ""

    def saw(reports: Iterable[bool]) -> bool:
        return any(list(reports)) and limits.first_violation

    def add(state: State) -> str:
        if len(states) == limits.states:
            return full
        numbers[state] = len(states)
        states.append(state)
        if saw(o.on_state(len(states) - 1, state) for o in observers):
            return STOPPED
        return ""

    graph.levels.append(0)
    for state in machine.initial():
        if stop := add(state):
            return stop
        graph.initial += 1
    current = 0
    while current < len(states):
        if current == graph.levels[-1]:
            if limits.first_violation and saw(o.on_level(graph) for o in observers):
                return STOPPED
            graph.levels.append(len(states))  # what is found from here on is one step deeper
        state = states[current]
        moved = False
        for step in graph.steps(state):
            moved = True
            if saw(o.on_transition(current, state, step) for o in observers):
                return STOPPED
            following = machine.after(state, step)
            if following not in numbers and (stop := add(following)):
                return stop
            graph.transitions += 1
        if not moved and saw(o.on_end(current, state) for o in observers):
            return STOPPED
        current += 1
        if deadline is not None and current % 64 == 0 and time.monotonic() > deadline:
            return f"reached the limit of {limits.seconds:g} seconds"
    return ""
