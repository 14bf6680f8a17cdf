"""A drawing's nodes and edges with their places, and the DOT source that shows them so."""

from __future__ import annotations

from dataclasses import dataclass, field

from interleave.report.geometry import Box, Point, position, spline
from interleave.report.labels import SANS, Block

_PADDING = 9.0  # from a node's border to its text, left and right
_POINTS = 72.0  # of an inch, in which Graphviz counts the sizes of nodes


@dataclass
class Sheet:
    """What is drawn, first things undermost; edges lie on all nodes."""

    _nodes: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    _edges: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def node(self, box: Box, block: Block | None = None, **attributes: str) -> None:
        """Draw a node; `attributes` are Graphviz's."""
        label = block.label(inner_width(box.width)) if block is not None else ""
        place = {
            "pos": position(box.x, box.y),
            "width": f"{box.width / _POINTS:.3f}",
            "height": f"{box.height / _POINTS:.3f}",
        }
        self._nodes.append((box.name, {"label": label, **place, **attributes}))

    def edge(
        self,
        start: Box,
        end: Box,
        corners: list[Point],
        *,
        label: Block | None = None,
        label_at: Point = (0.0, 0.0),
        arrow: bool = True,
        **attributes: str,
    ) -> None:
        """Draw an edge through `corners`, with the middle of its label at `label_at`."""
        place = {"pos": spline(corners, arrow=arrow), **({} if arrow else {"dir": "none"})}
        if label is not None:
            place |= {"label": label.label(0), "lp": position(*label_at)}
        self._edges.append((start.name, end.name, {**place, **attributes}))

    def put_under(self, other: Sheet) -> None:
        """Draw what is on the other sheet under what is on this one."""
        self._nodes[:0] = other._nodes
        self._edges[:0] = other._edges

    def source(self) -> str:
        """The sheet as DOT source."""
        # Here, since a check without a diagram must not wait for it. It has no types.
        import graphviz

        graph = graphviz.Digraph(
            graph_attr={
                "layout": "nop2",  # everything has its place: draw it there
                "outputorder": "nodesfirst",
                "bgcolor": "white",
                "pad": "0.3",
                "charset": "UTF-8",
            },
            node_attr={"shape": "box", "fixedsize": "true", "fontname": SANS},
            edge_attr={"arrowsize": "0.8", "fontname": SANS},
        )
        for name, attributes in self._nodes:
            graph.node(name, **attributes)
        for start, end, attributes in self._edges:
            graph.edge(start, end, **attributes)
        source: str = graph.source
        return source


def inner_width(width: float) -> float:
    """The width that a node leaves to its text."""
    return width - 2 * _PADDING


def outer_width(width: float) -> float:
    """The width of a node for a text of this width."""
    return width + 2 * _PADDING
