"""The reference engine: breadth-first search, as plainly as it can be written.

It is the specification of every other engine: they must number the same states in the same order.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from interleave.explore.graph import StateGraph, Stepper
from interleave.machine import Machine, State, Step


class Observer(Protocol):
    """What checks see of a search while it goes on. Returning True from a method ends it."""

    def on_state(self, number: int, state: State, depth: int) -> bool | None:
        """A state has been given its number."""
        ...

    def on_transition(self, number: int, state: State, step: Step) -> bool | None:
        """A step leads on from state `number`."""
        ...

    def on_end(self, number: int, state: State) -> bool | None:
        """No thread can move in state `number`."""
        ...


@dataclass(frozen=True)
class Limits:
    """When to give up. None: never."""

    states: int | None = None
    seconds: float | None = None


def explore(machine: Machine, step: Stepper, observers: list[Observer], limits: Limits) -> StateGraph:
    """The state graph of a machine, every state and every transition of it, within limits."""
    graph = StateGraph(threads=len(machine.program.threads), step=step)
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
    try:
        graph.limit = _search(machine, graph, observers, limits, deadline)
    except KeyboardInterrupt:
        graph.limit = "interrupted"
    graph.complete = not graph.limit
    return graph


def _search(
    machine: Machine,
    graph: StateGraph,
    observers: list[Observer],
    limits: Limits,
    deadline: float | None,
) -> str:
    """Search until everything is found (""), or what stopped the search in words."""
    states, numbers, parents = graph.states, graph.numbers, graph.parents
    full = f"reached the limit of {limits.states:,} states" if limits.states is not None else ""

    def add(state: State, parent: int) -> str:
        if len(states) == limits.states:
            return full
        numbers[state] = len(states)
        states.append(state)
        parents.append(parent)
        if any([o.on_state(len(states) - 1, state, graph.depth) for o in observers]):
            return "stopped at the first violation"
        return ""

    graph.levels.append(0)
    for state, _ in machine.initial():
        if stop := add(state, -1):
            return stop
        graph.initial += 1
    current = 0
    while current < len(states):
        if current == graph.levels[-1]:
            graph.levels.append(len(states))  # what is found from here on is one step deeper
        state = states[current]
        moved = False
        for step in graph.steps(state):
            moved = True
            if any([o.on_transition(current, state, step) for o in observers]):
                return "stopped at the first violation"
            following = graph.successor(state, step, machine.locations)
            if following not in numbers and (stop := add(following, current)):
                return stop
            graph.transitions += 1
        if not moved and any([o.on_end(current, state) for o in observers]):
            return "stopped at the first violation"
        current += 1
        if deadline is not None and current % 64 == 0 and time.monotonic() > deadline:
            return f"reached the limit of {limits.seconds:g} seconds"
    graph.levels.pop()
    return ""
