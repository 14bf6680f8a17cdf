"""Counting the paths of a graph, where there is an end to them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from interleave.engine.targets import Targets


def topological_order(targets: Targets) -> list[int] | None:
    """The states, each before those that it leads to; None where there is a cycle."""
    incoming = array("q", bytes(8 * len(targets)))
    for target in targets.all:
        incoming[target] += 1
    ready = [number for number, count in enumerate(incoming) if not count]
    order = []
    while ready:
        number = ready.pop()
        order.append(number)
        for target in targets[number]:
            incoming[target] -= 1
            if not incoming[target]:
                ready.append(target)
    return order if len(order) == len(targets) else None


def count_paths(targets: Targets, initial: int, order: Sequence[int]) -> list[int]:
    """For each state, how many paths lead there from the first `initial` states.

    `order` is a topological one.
    """
    ways = [1] * initial + [0] * (len(targets) - initial)
    for number in order:
        here = ways[number]
        for target in targets[number]:
            ways[target] += here
    return ways
