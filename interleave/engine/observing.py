"""What watches a search, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from interleave.engine.predicates import Pairs, Predicate
from interleave.machine import State, Step
from interleave.records import dataclass

if TYPE_CHECKING:
    from interleave.engine.graph import SearchGraph


Change = tuple[int, Hashable]
"""A place of a state, and which part of what is there may have changed."""


class Observer:
    """What checks see of a search while it goes on. Methods return True for a violation.

    The reference engine tells of every state and every transition. The native engine tells of the
    first of each kind: the first transition of each learnt step, the first state in which each
    predicate fails, the first in which each of `pairs` is pending, and the first deadlock of all
    those in which the threads wait for the same.
    """

    sees_all: ClassVar[bool] = False
    """Whether it must be told of every state and every transition: then the search is in Python."""
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
        """All transitions from a state were told of. Only observers that have `pairs` are told."""
        return False

    def watched(self, step: Step) -> Iterable[Change]:
        """The changes of a step that `on_changed_under` is to be told of."""
        return ()

    def on_changed_under(self, found: Iterable[tuple[Change, int, int]]) -> None:
        """Watched changes that were made, each with another thread and its local state then."""
        return

    def on_level(self, graph: SearchGraph) -> bool:
        """All states up to some depth have been expanded; True ends the search.

        Only asked where observers may end it: see `Limits`.
        """
        return False


def listeners(observers: Iterable[Observer], name: str) -> list[Callable[..., bool]]:
    """The methods of one name of those observers that have one of their own."""
    usual = getattr(Observer, name)
    return [getattr(each, name) for each in observers if getattr(type(each), name) is not usual]


@dataclass(frozen=True)
class Limits:
    """When to end a search before its end, but for what its guard ends. None: never."""

    states: int | None = None
    first_violation: bool = False
    """Stop when an observer says that it has seen a violation."""
    by_level: bool = False
    """Ask the observers after each level whether to go on."""
