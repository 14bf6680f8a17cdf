"""What all checks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from interleave.engine.graph import SearchGraph
from interleave.engine.paths import Path
from interleave.engine.trees import LearntSteps
from interleave.machine import Machine, State, Step
from interleave.result import Trace, Violation


@dataclass(frozen=True)
class Found:
    """A violation, as soon as the path to it is known: `describe` makes the rest.

    `goal` is the number of a state, and the failing step from it, if it is a step that fails; or
    the path itself, where the check has found it.
    """

    describe: Callable[[Path, Trace], Violation]
    goal: tuple[int, Step | None] | Path


class Check(ABC):
    """Watches a search (see `engine.reference.Observer`), and tells what it found.

    The methods that watch return True when they see a violation that they have not seen before.
    """

    def __init__(self, machine: Machine, learnt: LearntSteps) -> None:
        self.machine = machine
        self.learnt = learnt

    def on_state(self, number: int, state: State) -> bool:
        """A state has been given its number."""
        return False

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        """A step leads on from state `number`."""
        return False

    def on_end(self, number: int, state: State) -> bool:
        """No thread can move in state `number`."""
        return False

    def on_level(self, graph: SearchGraph) -> bool:
        """Every state up to some depth has been expanded. Asked only where the first violation ends
        the search.
        """
        return False

    # For counting: whether one interleaving, followed step by step, meets a violation.

    def start(self, state: State) -> Hashable | None:
        """What to remember of an interleaving that begins in a state; None: it is violated here."""
        return ()

    def remember(self, memory: Any, before: State, step: Step, after: State) -> Hashable | None:
        """What to remember after one more step; None: the interleaving meets a violation there."""
        return ()

    @abstractmethod
    def found(self, graph: SearchGraph) -> list[Found]:
        """Every violation, one for each distinct cause, now that the search is over."""
