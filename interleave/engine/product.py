"""State graphs that are searched together with what somebody holds on the way.

What a path has met is no part of a state. To search paths for it, states are taken together with
what is **held**: a number for each follower, in additional places behind the state, which steps
change. So the same engines search the product, and number its nodes in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from interleave.engine.predicates import Pairs, Predicate
from interleave.machine import Machine, State, Step


class Follower(Protocol):
    """Holds something on the way through a state graph."""

    place: int
    """Where in a node it is."""

    def affects(self, step: Step) -> bool:
        """Whether a step may change what is held, or meet what is looked for."""
        ...

    def look(self, node: State, step: Step) -> tuple[int, bool, tuple[int, ...]]:
        """What is held after a step from a node, and whether it meets what is looked for.

        With it, the places of the node that decided, in the order of looking.
        """
        ...


@dataclass(frozen=True)
class Product:
    """What a state graph is searched together with.

    `clean`: paths end before a step that fails, or that a follower meets what it looks for at; and
    in nodes in which one of `predicates` fails, or two threads are about to do one of `pairs`.
    """

    followers: Sequence[Follower]
    predicates: Sequence[Predicate] = ()
    pairs: Pairs | None = None
    clean: bool = False

    def fails(self, machine: Machine, node: State) -> bool:
        """Whether a predicate fails in a node, or two threads are about to do one of `pairs`."""
        return any(
            each.look(node)[0]
            for each in self.predicates
            if not each.when_final or machine.has_finished(node)
        ) or (self.pairs is not None and self.pairs.met_in(node))
