"""A graph as DOT source that Graphviz lays out: nodes, edges, and a heading.

Nodes and labels have fixed sizes, counted from their characters, so that every renderer and every
font gives them the same room.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from interleave.report.graph.heading import Key, beside, heading_label, roomy_width
from interleave.report.labels import SANS, Block, Text
from interleave.report.palette import RULE
from interleave.report.sheet import inner_width, outer_width

_POINTS = 72.0  # of an inch, in which Graphviz counts sizes of nodes
_MOST_INCHES = "110,110"  # a PNG of this size has 16,000 pixels; what is larger is scaled down
_LEAST_NODE = 60.0


@dataclass
class Canvas:
    """What is drawn so far; `paragraphs` and `keys` (of the legend) stand above the graph."""

    paragraphs: list[Text] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    _nodes: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _edges: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def node(self, name: str, texts: list[Text], **attributes: str) -> None:
        """Add a node; `attributes` are Graphviz's."""
        block = Block(tuple(texts))
        width = max(outer_width(roomy_width(block)), _LEAST_NODE)
        height = block.height(inner_width(width)) + 12
        size = {"width": f"{width / _POINTS:.3f}", "height": f"{height / _POINTS:.3f}"}
        label = block.label(inner_width(width))
        self._nodes.append((name, {"label": label, **size, **attributes}))

    def edge(
        self, start: str, end: str, texts: list[Text], *, upwards: bool, **attributes: str
    ) -> None:
        """Add an edge with a label.

        One that is to lead upwards is given to Graphviz from its end to its start, with the arrow
        where it starts: that keeps the order of the layers, and is routed best.
        """
        label = {"label": beside(Block(tuple(texts)))} if texts else {}
        if upwards:
            start, end, attributes = end, start, {**attributes, "dir": "back"}
        self._edges.append((start, end, {**label, **attributes}))

    def source(self) -> str:
        """The drawing as DOT source."""
        # Here, since a check without a diagram must not wait for it. It has no types.
        import graphviz

        graph = graphviz.Digraph(
            graph_attr={
                "rankdir": "TB",
                "ranksep": "0.35",
                "nodesep": "0.3",
                "label": heading_label(self.paragraphs, self.keys),
                "labelloc": "t",
                "labeljust": "l",
                "size": _MOST_INCHES,
                "bgcolor": "white",
                "pad": "0.3",
                "charset": "UTF-8",
                "fontname": SANS,
            },
            node_attr={"shape": "box", "fixedsize": "true", "fontname": SANS},
            edge_attr={"arrowsize": "0.7", "fontname": SANS, "color": RULE},
        )
        for name, attributes in self._nodes:
            graph.node(name, **attributes)
        for start, end, attributes in self._edges:
            graph.edge(start, end, **attributes)
        source: str = graph.source
        return source
