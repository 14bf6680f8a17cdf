"""Folding a graph: a run through states where nothing branches or meets becomes one edge.

A link is a pair of node numbers, from where to where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

Link = tuple[int, int]


def fold(links: Sequence[Link], kept: Collection[int]) -> list[tuple[int, ...]]:
    """The runs that the links make, as indices of links, in order of their first link.

    A run goes on through each node that has one link in and one link out, unless the node is
    `kept`. Every link is in exactly one run; what remains of a graph are the ends of its runs and
    the nodes kept. A cycle without any other node begins and ends at the source of its first link.
    """
    leaving = Counter(source for source, _ in links)
    entering = Counter(target for _, target in links)
    onwards = {
        source: index
        for index, (source, _) in enumerate(links)
        if leaving[source] == entering[source] == 1 and source not in kept
    }
    used = [False] * len(links)
    runs = []

    def run_from(first: int) -> tuple[int, ...]:
        run = []
        following: int | None = first
        while following is not None and not used[following]:
            used[following] = True
            run.append(following)
            following = onwards.get(links[following][1])
        return tuple(run)

    for first in _firsts(links, onwards):
        if not used[first]:
            runs.append(run_from(first))
    return sorted(runs)


def _firsts(links: Sequence[Link], onwards: Collection[int]) -> Iterator[int]:
    """Links that a run may begin with: those from ends of runs, then (for cycles) any."""
    yield from (index for index, (source, _) in enumerate(links) if source not in onwards)
    yield from range(len(links))
