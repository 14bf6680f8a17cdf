"""Decision trees: outcomes that are learnt once and then looked up.

What a step or a property gives depends on a few places of the state only, and on which ones is
itself decided by what it finds in the first of them. A tree asks for these places in turn.
"""

from __future__ import annotations

import itertools
from typing import Any, Generic, TypeVar

Leaf = TypeVar("Leaf")

Looked = Any
"""A state, or what stands for one: gives what is at a place by `[place]`."""


class _Leaf(Generic[Leaf]):
    __slots__ = ("value",)

    def __init__(self, value: Leaf) -> None:
        self.value = value


class _Look(Generic[Leaf]):
    """Look at a place of the state, and go on with the branch of what is there."""

    __slots__ = ("branches", "place")

    def __init__(self, place: Any) -> None:
        self.place = place
        self.branches: dict[int, _Look[Leaf] | _Leaf[Leaf]] = {}


class DecisionTree(Generic[Leaf]):
    """Outcomes by what is at some places of a state."""

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root: _Look[Leaf] | _Leaf[Leaf] | None = None

    def find(self, state: Looked) -> Leaf | None:
        """The outcome for a state; None where none was learnt."""
        node = self._root
        while type(node) is _Look:
            node = node.branches.get(state[node.place])
        return None if node is None else node.value  # type: ignore[union-attr]

    def learn(self, state: Looked, looked_at: tuple[Any, ...], outcome: Leaf) -> None:
        """Remember the outcome for all states that agree with this one at `looked_at`.

        `looked_at` must be in the order in which the places were looked at.
        """
        leaf = _Leaf(outcome)
        if not looked_at:
            self._root = leaf
            return
        if self._root is None:
            self._root = _Look(looked_at[0])
        node = self._root
        for place, following in itertools.pairwise(looked_at):
            assert isinstance(node, _Look)
            assert node.place == place
            node = node.branches.setdefault(state[place], _Look(following))
        assert isinstance(node, _Look)
        assert node.place == looked_at[-1]
        node.branches[state[looked_at[-1]]] = leaf
