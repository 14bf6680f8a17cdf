"""The components of a graph that are never left, and whether threads get anywhere in them.

What that means is for a `Judge` to say: a component in which nobody gets anywhere is as good as an
end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from interleave.engine.contents import Contents
from interleave.engine.passes.base import Graph
from interleave.engine.passes.components import find_components
from interleave.machine import State, Step

Deed = tuple[State, Step]
"""A step, with the state that it is taken from."""


class Judge(Protocol):
    """Says whether threads get anywhere in a component that is never left.

    It is not asked where all of the `suspects` change some content in it.
    """

    contents: Contents

    def suspects(self, steps: Iterable[Step]) -> frozenset[int]:
        """The threads that it may find fault with, by all steps that the threads can take."""
        ...

    def is_end(self, first: int, deeds: Iterable[Deed]) -> bool:
        """Whether nobody gets anywhere in a component, by its first state and all of its steps."""
        ...


def circles(graph: Graph) -> Iterator[tuple[set[int], bool]]:
    """The components that one can stay in, each with whether it can be left."""
    for component in find_components(graph.targets):
        graph.guard.poll()
        inside = set(component)
        stays = {target in inside for number in component for target in graph.targets[number]}
        if True in stays:
            yield inside, False in stays


def as_good_as_ends(graph: Graph, never_left: list[set[int]], judge: Judge) -> set[int]:
    """The states of those components in which nobody gets anywhere.

    The judge is asked in the order of their first states.
    """
    found: set[int] = set()
    for component in sorted(never_left, key=min):
        if judge.is_end(min(component), _deeds(graph, sorted(component))):
            found |= component
    return found


def _deeds(graph: Graph, component: list[int]) -> Iterator[Deed]:
    for number in component:
        graph.guard.poll()
        state = graph.state(number)
        for step in graph.expand(state):
            yield state, step
