"""What all checks share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import ClassVar

from interleave.engine.graph import SearchGraph
from interleave.engine.needs import Need
from interleave.engine.observing import Observer
from interleave.engine.passes.shortest import Path
from interleave.engine.product import Follower
from interleave.engine.steps import Steps
from interleave.machine import Machine, Step
from interleave.result import Compared, Trace, Violation


@dataclass(frozen=True)
class Found:
    """A violation, as soon as the path to it is known: `describe` makes the rest.

    `goal` is the number of a state, and the failing step from it, if it is a step that fails; or
    the path itself, where the check has found it.
    """

    describe: Callable[[Path, Trace], Violation]
    goal: tuple[int, Step | None] | Path


class Check(Observer, ABC):
    """Watches a search, and tells what it found.

    The methods that watch return True when they see a violation that they have not seen before.
    """

    needs: ClassVar[Need] = "every transition"
    """What a search must have kept of the state graph for it to find all that there is."""
    sees_all = True
    kinds: ClassVar[tuple[str, ...]] = ()
    """The kinds of violation that it finds, as `@expect` has them; none where it only warns."""
    when_asked: ClassVar[bool] = False
    """Whether it is made only where it is asked for."""
    compared: Compared | None = None
    """What became of comparing outcomes, once `found` was asked: see `ModelResult`."""
    uncountable = ""
    """Why `followers` and `predicates` do not tell which interleavings meet a violation; "" where
    they do.
    """

    def __init__(self, machine: Machine, steps: Steps) -> None:
        self.machine = machine
        self.steps = steps

    @property
    def cases(self) -> int:
        """How many cases it has learnt by running Python code."""
        return 0

    def followers(self, place: int) -> list[tuple[Follower, int]]:
        """What must be held on the way to tell whether an interleaving meets a violation.

        Followers for `place` and the places after it, each with what it holds in the beginning.
        They are told of after the search.
        """
        return []

    def warnings(self, kinds: Set[str]) -> list[str]:
        """Warnings for the report, besides the violations, whose kinds are `kinds`."""
        return []

    @abstractmethod
    def found(self, graph: SearchGraph) -> list[Found]:
        """Every violation, one for each distinct cause, now that the search is over.

        It is a phase of the graph's guard: raises `Stopped`, or gives those that it has found by
        then.
        """
