"""A quotient of a graph: a node for each group of states, with how many there are."""

from __future__ import annotations

from collections import Counter

from interleave.report.graph import captions
from interleave.report.graph.canvas import Canvas
from interleave.report.graph.grouping import Quotient
from interleave.report.graph.layering import backward
from interleave.report.graph.style import Styles
from interleave.report.graph.survey import Survey
from interleave.report.graph.whole import edge_marks, node_marks
from interleave.report.labels import Text
from interleave.report.palette import ALARM, INK, SOFT
from interleave.report.words import count
from interleave.showing import show
from interleave.stategraph import StateGraph


def draw_grouped(
    canvas: Canvas,
    styles: Styles,
    graph: StateGraph,
    known: Survey,
    found: Quotient,
    by: str | None,
) -> None:
    """Draw a node for each group, and an edge for all links from one group to another.

    Groups are named by the value of the expression `by`, or by the variables.
    """
    for group, members in enumerate(found.members):
        texts = [
            *_tags(known, members),
            *_names(graph, known, members[0], by),
            *_counts(known, members, found.inside[group]),
        ]
        canvas.node(f"group{group}", texts, **styles.node(node_marks(known, members)))
    back = backward(found.between)
    for (source, target), links in found.between.items():
        number = Text(f"{len(links):,}", SOFT, size=10)
        attributes = styles.edge(edge_marks(known, links), SOFT)
        canvas.edge(
            f"group{source}",
            f"group{target}",
            [number],
            upwards=(source, target) in back,
            **attributes,
        )


def _names(graph: StateGraph, known: Survey, state: int, by: str | None) -> list[Text]:
    if by is None:
        variables = graph[state].variables
        lines = captions.assignments(
            (name, variables[name]) for name in known.varying if name in variables
        )
    else:
        lines = [captions.line_of(f"{by} = {show(graph.value(by, state))}")]
    return [Text(text, INK, size=12, bold=True, most_lines=1) for text in lines]


def _counts(known: Survey, members: list[int], inside: int) -> list[Text]:
    lines = [count(len(members), "state")]
    final = sum(state in known.final for state in members)
    if 0 < final < len(members):
        lines[0] += f", {final:,} final"
    if inside:
        lines.append(f"{count(inside, 'step')} inside")
    return [Text(text, SOFT, size=10, most_lines=1) for text in lines]


def _tags(known: Survey, members: list[int]) -> list[Text]:
    tags = []
    deadlocks = sum(state in known.deadlocks for state in members)
    if deadlocks:
        tags.append(count(deadlocks, "deadlock"))
    broken = Counter(name for state in members for name in known.violating.get(state, ()))
    for name, number in broken.items():
        tags.append(f"{number:,} {'breaks' if number == 1 else 'break'} {name}")
    tags += dict.fromkeys(name for state in members for name in known.stories(state))
    return [Text(captions.line_of(tag), ALARM, size=12, bold=True, most_lines=1) for tag in tags]
