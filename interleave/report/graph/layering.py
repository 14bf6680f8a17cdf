"""Which edges lead back, so that a drawing runs from the initial states down in spite of them."""

from __future__ import annotations

from collections.abc import Iterable

from interleave.report.graph.folding import Link


def backward(links: Iterable[Link]) -> set[Link]:
    """Those of the links on a cycle that lead to a smaller number, or to the node itself.

    Without them there is no cycle: links between strongly connected components make none, and
    within one all others lead to a larger number.
    """
    import networkx  # here, since it takes longer to import than most models to check

    graph: networkx.DiGraph[int] = networkx.DiGraph()
    graph.add_edges_from(links)
    component = {
        node: number
        for number, nodes in enumerate(networkx.strongly_connected_components(graph))
        for node in nodes
    }
    return {
        (source, target)
        for source, target in graph.edges
        if target <= source and component[source] == component[target]
    }
