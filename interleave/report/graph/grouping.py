"""Grouping a graph: its quotient by a key, with the links between and inside of the groups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from interleave.report.graph.folding import Link


@dataclass(frozen=True)
class Quotient:
    """Groups of nodes, numbered in order of their first members.

    `group_of` has the group of each node, `members` the nodes of each group in order, `inside` how
    many links stay in each group, `between` those from one group to another, as indices of links,
    in order of the first of them.
    """

    group_of: list[int]
    members: list[list[int]]
    inside: list[int]
    between: dict[Link, list[int]]


def quotient(keys: Sequence[Hashable], links: Iterable[Link]) -> Quotient:
    """The graph whose nodes are the distinct keys; `keys[n]` is that of node `n`."""
    numbers: dict[Hashable, int] = {}
    group_of = [numbers.setdefault(key, len(numbers)) for key in keys]
    members: list[list[int]] = [[] for _ in numbers]
    for node, group in enumerate(group_of):
        members[group].append(node)
    inside = [0] * len(members)
    between: dict[Link, list[int]] = {}
    for index, (source, target) in enumerate(links):
        start, end = group_of[source], group_of[target]
        if start == end:
            inside[start] += 1
        else:
            between.setdefault((start, end), []).append(index)
    return Quotient(group_of, members, inside, between)
