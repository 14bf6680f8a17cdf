"""What is asked of single states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from interleave.machine import Moves, State
from interleave.machine.properties import View


class Predicate(Protocol):
    """Something that fails in some states, and in others does not."""

    @property
    def when_final(self) -> bool:
        """Whether it is asked only in states in which all threads but daemons have finished."""
        ...

    def look(self, state: State) -> tuple[bool, tuple[int | View, ...]]:
        """Whether it fails, and the places of the state, or views, that decided, in order."""
        ...


class Pairs(Protocol):
    """What two threads may be about to do in one state, and somebody wants to know of."""

    def about(self, moves: Moves) -> int:
        """The number of what a thread is about to do; 0 where nobody asks about that."""
        ...

    def rivals(self, about: int) -> Iterable[int]:
        """Those of the numbers given so far that are wanted to be known of together with one."""
        ...

    def met_in(self, state: State) -> bool:
        """Whether two threads are about to do such things in a state."""
        ...
