"""What watches a search, and what ends it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from interleave.engine.predicates import Pairs, Predicate
from interleave.machine import State, Step
from interleave.records import dataclass

if TYPE_CHECKING:
    from interleave.engine.graph import SearchGraph


Change = tuple[int, Hashable]
"""A place of a state, and which part of what is there may have changed."""


class Observer:
    """What checks see of a search while it goes on. Methods return True for a violation.

    The reference engine tells of everything. The native engine tells of what is new: of the first
    transition of each learnt step, of the first state in which a predicate fails, of the first in
    which two threads are about to do each of `pairs`, and of states in which no thread can move,
    unless they are final, or wait for just the same as one before.
    """

    predicates: Sequence[Predicate] = ()
    pairs: Pairs | None = None

    def on_state(self, number: int, state: State) -> bool:
        """A state has been given its number."""
        return False

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        """A step leads on from state `number`."""
        return False

    def on_end(self, number: int, state: State) -> bool:
        """No thread can move in state `number`."""
        return False

    def on_expanded(self, number: int, state: State) -> bool:
        """Every transition from a state was told of. Told only to those that have `pairs`."""
        return False

    def watched(self, step: Step) -> Iterable[Change]:
        """What the native engine is to tell of by `on_changed_under`, of what a step may change."""
        return ()

    def on_changed_under(self, found: Iterable[tuple[Change, int, int]]) -> None:
        """What changed that somebody watched, with another thread and the local state it was in."""
        return

    def on_level(self, graph: SearchGraph) -> bool:
        """Every state up to some depth has been expanded. Asked only where that may end it all."""
        return False


@dataclass(frozen=True)
class Limits:
    """When to end a search before its end, but for what its guard ends. None: never."""

    states: int | None = None
    first_violation: bool = False
    """Stop when an observer says that it has seen a violation."""
    by_level: bool = False
    """Ask the observers after each level whether to go on."""
