"""Synchronous products of a state graph with observer automata.

What a path has met is no part of a state. To search paths for it, each state is taken together with
the state of some automata, which are called **followers**: a number for each of them, which it
**holds**, in additional places behind the state. Each step moves them. So the same engines search
the product, and number its nodes in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from interleave.engine.predicates import Pairs, Predicate
from interleave.machine import Machine, State, Step


class Follower(Protocol):
    """An automaton that reads the steps of a path. What it holds is its state."""

    place: int
    """Where in a node its state is."""

    def affects(self, step: Step) -> bool:
        """Whether a step may change its state, or be accepted by it."""
        ...

    def look(self, node: State, step: Step) -> tuple[int, bool, tuple[int, ...]]:
        """Its state after a step from a node, and whether it accepts the step: it has met what it
        looks for. With it, the places of the node that decided, in the order of looking.
        """
        ...


@dataclass(frozen=True)
class Product:
    """What a state graph is multiplied with.

    `clean`: only violation-free paths are in it. They end before a step that fails, or that a
    follower accepts; and in nodes in which one of `predicates` fails, or one of `pairs` is pending.
    """

    followers: Sequence[Follower]
    predicates: Sequence[Predicate] = ()
    pairs: Pairs | None = None
    clean: bool = False

    def fails(self, machine: Machine, node: State) -> bool:
        """Whether a predicate fails in a node, or one of `pairs` is pending."""
        return any(
            each.look(node)[0]
            for each in self.predicates
            if not each.when_final or machine.has_finished(node)
        ) or (self.pairs is not None and self.pairs.met_in(node))
