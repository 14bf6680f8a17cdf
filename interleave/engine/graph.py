"""The state graph, as a search leaves it behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from interleave.machine import Machine, Moves, State, Step

Stepper = Callable[[State, int], Moves]
"""Gives all that a thread can do in a state: `Machine.step`, or `LearntSteps.step`."""


@dataclass(eq=False)
class SearchGraph:
    """States numbered from 0 breadth-first, threads in declaration order, choices in order.

    Edges are not kept: `steps` gives them again.
    """

    machine: Machine
    step: Stepper
    states: list[State] = field(default_factory=list)
    numbers: dict[State, int] = field(default_factory=dict)
    initial: int = 0
    """How many initial states there are; they are the first."""
    transitions: int = 0
    levels: list[int] = field(default_factory=list)
    """Number of the first state at each depth."""
    limit: str = ""
    """What stopped the search in words; "" where it is complete."""

    @property
    def depth(self) -> int:
        """Steps from the initial states to the states farthest from them."""
        return sum(start < len(self.states) for start in self.levels[1:])

    def steps(self, state: State) -> Iterator[Step]:
        """Every transition from a state, in order."""
        for thread in range(len(self.machine.program.threads)):
            yield from self.step(state, thread).steps
