"""State predicates: whether something holds in a state, and whether two threads are about to do
something together there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from interleave.machine import Moves, State
from interleave.machine.properties import View


class Predicate(Protocol):
    """A property of single states: it fails in some, and holds in the others."""

    @property
    def when_final(self) -> bool:
        """Whether it is asked only in states in which all threads but daemons have finished."""
        ...

    def look(self, state: State) -> tuple[bool, tuple[int | View, ...]]:
        """Whether it fails, and the places of the state, or views, that decided, in order."""
        ...


class Pairs(Protocol):
    """Pairs of pending actions that somebody wants to be told of: each of another thread, and both
    pending in one state.
    """

    def about(self, moves: Moves) -> int:
        """The number of a thread's pending action; 0 for one that is in no pair."""
        ...

    def rivals(self, about: int) -> Iterable[int]:
        """The pending actions, of those that have a number by now, that are a pair with one."""
        ...

    def met_in(self, state: State) -> bool:
        """Whether a pair is pending in a state."""
        ...
