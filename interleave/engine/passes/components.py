"""The components of a graph: states each of which leads to all the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol


class Edges(Protocol):
    """Where each state leads to."""

    def __len__(self) -> int: ...
    def __getitem__(self, number: int, /) -> Sequence[int]: ...


def find_components(edges: Edges) -> Iterator[list[int]]:
    """Every strongly connected component, each after those that it leads to.

    R. Tarjan, Depth-first search and linear graph algorithms, 1972.
    """
    order: dict[int, int] = {}
    """When each state was visited."""
    lowest: dict[int, int] = {}
    """The first visit to one that it is known to be in a component with, while that is open."""
    still_open: list[int] = []
    for begin in range(len(edges)):
        path = [] if begin in order else [begin]
        left = [iter(edges[begin])] if path else []
        if path:
            order[begin] = lowest[begin] = len(order)
            still_open.append(begin)
        while path:
            number = path[-1]
            target = next(left[-1], None)
            if target is None:
                path.pop()
                left.pop()
                if path:
                    lowest[path[-1]] = min(lowest[path[-1]], lowest[number])
                if lowest[number] == order[number]:
                    found = [still_open.pop()]
                    while found[-1] != number:
                        found.append(still_open.pop())
                    for each in found:
                        del lowest[each]
                    yield found
            elif target not in order:
                order[target] = lowest[target] = len(order)
                still_open.append(target)
                path.append(target)
                left.append(iter(edges[target]))
            elif target in lowest:
                lowest[number] = min(lowest[number], order[target])
