"""The picture of a state graph: all of it where that can be looked at, else a quotient."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from interleave.errors import UsageError
from interleave.report import words
from interleave.report.cells import one_line
from interleave.report.graph.canvas import Canvas
from interleave.report.graph.folding import fold
from interleave.report.graph.grouped import draw_grouped
from interleave.report.graph.grouping import quotient
from interleave.report.graph.style import Styles
from interleave.report.graph.survey import Survey, survey
from interleave.report.graph.whole import draw_whole, nodes_of
from interleave.report.labels import Text
from interleave.report.palette import ALARM, INK, SOFT
from interleave.showing import show
from interleave.stategraph import StateGraph

MOST_NODES = 50
"""How many nodes are drawn without `full`: what can still be read on a slide or a sheet.

Two threads stay narrow up to there (Peterson's algorithm has 48); three are too wide by then.
"""
MOST_GROUPS = 300
"""How many groups of a quotient are drawn: what can still be read on a wall."""

MOST_NAMES = 3
"""How many variables the title names."""


def graph_dot(graph: StateGraph, *, by: str | None = None, full: bool = False) -> str:
    """DOT source of a picture of the state graph; the same bytes for the same graph.

    All states are drawn, runs of them folded, where that makes at most `MOST_NODES` nodes, or
    where `full` is true. Else states with the same variables are drawn as one node, or those with
    the same value of the expression `by` (see `StateGraph.value`), if there is one.

    Raises `UsageError` for more than `MOST_GROUPS` groups, for an expression that cannot be
    evaluated, and for `by` together with `full`.
    """
    return draw(graph, by=by, full=full)[0]


def check_choice(*, by: str | None, full: bool) -> None:
    """Raise `UsageError` where a picture is asked for that is both in full and grouped."""
    if by is not None and full:
        raise UsageError(
            "a picture shows either all of the graph or groups of its states, not both",
            remedy="leave out one of --by and --full",
        )


def draw(graph: StateGraph, *, by: str | None = None, full: bool = False) -> tuple[str, str]:
    """The DOT source of `graph_dot`, and how it differs from the graph in words (or "")."""
    check_choice(by=by, full=full)
    known = survey(graph)
    styles = Styles()
    canvas = Canvas()
    if by is None:
        runs = fold(known.links, known.marked())
        nodes = nodes_of(known, runs)
        if full or len(nodes) <= MOST_NODES:
            draw_whole(canvas, styles, graph, known, runs)
            folded = len(graph) - len(nodes)
            said = f"{words.count(folded, 'state')} without a choice folded into edges"
            _head(canvas, styles, graph, "", said if folded else "")
            return canvas.source(), ""
    found = quotient(_keys(graph, known, by), known.links)
    groups = words.count(len(found.members), "group")
    named = _named(known, by)
    if len(found.members) > MOST_GROUPS:
        raise UsageError(
            f"there are {len(graph):,} states, and still {groups} of them by {named}: too many "
            "to look at",
            remedy="group by something with fewer values (--by EXPR), insist on all of it "
            "(--full), or write .graphml or .json for another program",
        )
    draw_grouped(canvas, styles, graph, known, found, by)
    said = (
        f"a node is a group of states with the same {named}, and the number on an edge is that "
        "of the transitions between two groups"
    )
    short = named if by or len(known.varying) <= MOST_NAMES else "its variables"
    _head(canvas, styles, graph, f"quotient of the state graph by {short}", said)
    return canvas.source(), f"{groups} by {named}"


def _keys(graph: StateGraph, known: Survey, by: str | None) -> Sequence[Hashable]:
    if by is None:
        return known.values
    return [show(graph.value(by, number)) for number in range(len(graph))]


def _named(known: Survey, by: str | None) -> str:
    if by is not None:
        return one_line(by)
    names = ", ".join(map(one_line, known.varying))
    return names or "variables (none of which changes)"


def _head(canvas: Canvas, styles: Styles, graph: StateGraph, grouping: str, said: str) -> None:
    """Write what stands above the graph."""
    result = graph.result
    given = [f"{name}={show(value)}" for name, value in result.parameters.items()]
    title = ", ".join([one_line(result.model), *given])
    what = f"{title}: {grouping or 'state graph'}"
    canvas.paragraphs.append(Text(what, INK, size=18, bold=True, most_lines=3))
    if not graph.complete:
        warning = f"Incomplete: {result.limit or 'the search was stopped'}. There are more states."
        canvas.paragraphs.append(Text(warning, ALARM, size=13, bold=True, most_lines=3))
    size = f"{words.count(len(graph), 'state')}, {words.count(result.transitions, 'transition')}"
    if said:
        size += f"; {said}"
    canvas.paragraphs.append(Text(size, SOFT, size=12, most_lines=4))
    canvas.keys[:0] = styles.legend(groups=bool(grouping), path=_first_violation(graph))


def _first_violation(graph: StateGraph) -> str:
    """The violation of the first counterexample: "deadlock", "invariant at_most_two"."""
    for example in graph.counterexamples:
        name = words.violation_name(example.violation)
        if example.violation.kind in ("invariant", "postcondition") and example.states:
            name = " ".join([name, *graph[example.states[-1]].violations])
        return one_line(name)
    return ""
