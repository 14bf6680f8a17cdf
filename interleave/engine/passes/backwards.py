"""A graph backwards: which states lead to a state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interleave.engine.passes.components import Edges


def turned(edges: Edges) -> list[list[int]]:
    """For each state, those that a transition leads from to it: one entry for each transition."""
    found: list[list[int]] = [[] for _ in range(len(edges))]
    for number in range(len(edges)):
        for target in edges[number]:
            found[target].append(number)
    return found


def leading_to(numbers: Iterable[int], comes_from: Sequence[Iterable[int]]) -> set[int]:
    """Some states, and all from which there is a path to one of them."""
    found = set(numbers)
    waiting = list(found)
    while waiting:
        before = {*comes_from[waiting.pop()]} - found
        found |= before
        waiting += before
    return found
