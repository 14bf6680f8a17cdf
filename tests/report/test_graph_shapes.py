"""Folding, grouping and layering, on graphs small enough to be seen through."""

from __future__ import annotations

from itertools import pairwise

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interleave.report.graph.folding import fold
from interleave.report.graph.grouping import quotient
from interleave.report.graph.layering import backward

CHAIN = [(0, 1), (1, 2), (2, 3)]
DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("links", "kept", "runs"),
    [
        ([], {0}, []),
        (CHAIN, {0, 3}, [(0, 1, 2)]),
        (CHAIN, {0, 2}, [(0, 1), (2,)]),
        (CHAIN, set(), [(0, 1, 2)]),  # where it starts and ends, there is nothing to fold
        (DIAMOND, {0}, [(0, 2), (1, 3)]),
        (DIAMOND, {0, 1}, [(0,), (1, 3), (2,)]),
        ([(0, 1), (1, 1), (1, 2)], {0}, [(0,), (1,), (2,)]),  # a node with a loop
        ([(0, 1), (0, 1), (1, 2)], {0}, [(0,), (1,), (2,)]),  # two links side by side
        ([(0, 1), (1, 2), (2, 0)], {0}, [(0, 1, 2)]),  # around, back to the node kept
        ([(0, 1), (1, 2), (2, 0)], set(), [(0, 1, 2)]),  # a cycle with nothing to keep
        ([(1, 0), (0, 1)], set(), [(0, 1)]),
        ([(0, 0)], set(), [(0,)]),
    ],
)
def test_runs(links: list[tuple[int, int]], kept: set[int], runs: list[tuple[int, ...]]) -> None:
    assert fold(links, kept) == runs


links = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14)


@given(links, st.sets(st.integers(0, 6)))
def test_every_link_is_in_one_run_and_what_is_folded_away_had_no_choice(
    links: list[tuple[int, int]], kept: set[int]
) -> None:
    runs = fold(links, kept)
    assert sorted(index for run in runs for index in run) == list(range(len(links)))
    for run in runs:
        for before, after in pairwise(run):
            node = links[before][1]
            assert links[after][0] == node
            assert node not in kept
            assert [link for link in links if node in link] in (
                [links[before], links[after]],
                [links[after], links[before]],
            )


def test_groups_and_what_is_between_them() -> None:
    found = quotient("aabba", [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 4)])
    assert found.group_of == [0, 0, 1, 1, 0]
    assert found.members == [[0, 1, 4], [2, 3]]
    assert found.inside == [2, 1]
    assert found.between == {(0, 1): [1, 2], (1, 0): [4]}


@pytest.mark.parametrize(
    ("links", "back"),
    [
        (DIAMOND, set()),
        ([(0, 2), (2, 1)], set()),  # to a smaller number, but on no cycle
        ([(0, 1), (1, 0)], {(1, 0)}),
        ([(0, 1), (1, 1)], {(1, 1)}),
        ([(0, 1), (1, 2), (2, 1), (2, 3), (3, 0)], {(2, 1), (3, 0)}),
    ],
)
def test_links_that_lead_back(links: list[tuple[int, int]], back: set[tuple[int, int]]) -> None:
    assert backward(links) == back


@given(links)
def test_without_those_there_is_no_cycle(links: list[tuple[int, int]]) -> None:
    rest = networkx.DiGraph(link for link in links if link not in backward(links))
    assert networkx.is_directed_acyclic_graph(rest)
