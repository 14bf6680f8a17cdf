"""The state graph, as a search leaves it behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from interleave.machine import Blocked, State, Step

Stepper = Callable[[State, int], "list[Step] | Blocked"]
"""Gives every way in which a thread can go on from a state. `Machine.step`, or `Cases.step`."""


@dataclass(eq=False)
class StateGraph:
    """States numbered from 0 breadth-first, threads in declaration order, choices in order.

    Edges are not kept: `steps` gives them again.
    """

    threads: int
    step: Stepper
    states: list[State] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    """Number of the state from which each was first found; -1 for initial states."""
    initial: int = 0
    """How many initial states there are; they are the first."""
    transitions: int = 0
    levels: list[int] = field(default_factory=list)
    """Number of the first state at each depth."""
    numbers: dict[State, int] = field(default_factory=dict)
    complete: bool = False
    limit: str = ""
    """What stopped the search, where it is not complete."""

    @property
    def depth(self) -> int:
        """Steps from the initial states to the states farthest from them."""
        return max(0, len(self.levels) - 1)

    def successor(self, state: State, step: Step, locations: int) -> State:
        """The state that a step leads to."""
        following = list(state)
        for index, value in step.writes:
            following[index] = value
        following[locations + step.thread] = step.local
        return tuple(following)

    def steps(self, state: State) -> Iterator[Step]:
        """Every transition from a state, in order."""
        for thread in range(self.threads):
            found = self.step(state, thread)
            if not isinstance(found, Blocked):
                yield from found
