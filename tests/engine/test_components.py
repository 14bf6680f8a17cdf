"""Components of graphs, and graphs backwards, compared with networkx."""

from __future__ import annotations

import networkx
from hypothesis import given
from hypothesis import strategies as st

from interleave.engine.passes.backwards import leading_to, turned
from interleave.engine.passes.components import find_components

LARGEST = 9


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """Where each state leads to, some of them more than once."""
    count = draw(st.integers(0, LARGEST))
    states = st.integers(0, max(count - 1, 0))
    return [draw(st.lists(states, max_size=3)) for _ in range(count)]


def as_networkx(edges: list[list[int]]) -> networkx.DiGraph:
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(edges)))
    graph.add_edges_from((number, each) for number, some in enumerate(edges) for each in some)
    return graph


@given(graphs())
def test_components_each_after_those_that_it_leads_to(edges: list[list[int]]) -> None:
    found = list(find_components(edges))
    expected = networkx.strongly_connected_components(as_networkx(edges))
    assert sorted(map(sorted, found)) == sorted(map(sorted, expected))
    done: set[int] = set()
    for component in found:
        done.update(component)
        assert all(done.issuperset(edges[number]) for number in component)


@given(graphs(), st.sets(st.integers(0, LARGEST - 1)))
def test_what_leads_to_some_states(edges: list[list[int]], some: set[int]) -> None:
    goals = {number for number in some if number < len(edges)}
    graph = as_networkx(edges)
    expected = goals.union(*(networkx.ancestors(graph, number) for number in goals))
    assert leading_to(goals, turned(edges)) == expected
