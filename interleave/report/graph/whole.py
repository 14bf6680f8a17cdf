"""Every state of a graph as a node, runs of them folded into edges."""

from __future__ import annotations

from collections.abc import Sequence

from interleave.report.cells import one_line
from interleave.report.graph import captions
from interleave.report.graph.canvas import Canvas
from interleave.report.graph.heading import Key, line
from interleave.report.graph.layering import backward
from interleave.report.graph.style import EdgeMarks, NodeMarks, Styles
from interleave.report.graph.survey import Survey
from interleave.report.labels import Text
from interleave.report.palette import ALARM, INK, SOFT, THREADS
from interleave.stategraph import GraphState, StateGraph

Run = tuple[int, ...]
"""Links, by index, one after the other."""


def nodes_of(known: Survey, runs: Sequence[Run]) -> list[int]:
    """The states that remain when the runs are folded."""
    ends = {state for run in runs for state in (known.links[run[0]][0], known.links[run[-1]][1])}
    return sorted(ends | known.marked())


def draw_whole(
    canvas: Canvas, styles: Styles, graph: StateGraph, known: Survey, runs: Sequence[Run]
) -> None:
    """Draw a node for each state that remains, and an edge for each run."""
    names = captions.short_names(graph.threads)
    inks = _inks(graph.threads)
    steps = list(graph.transitions())
    moving: dict[int, set[str]] = {}
    for step in steps:
        moving.setdefault(step.source, set()).add(step.thread)
    for number in nodes_of(known, runs):
        state = graph[number]
        able = moving.get(number, set()) if graph.complete else set(graph.threads)
        texts = [
            *_tags(number, known),
            *_variables(state, known),
            *_positions(state, names, able),
        ]
        canvas.node(f"state{number}", texts, **styles.node(node_marks(known, [number])))
    ends = [(known.links[run[0]][0], known.links[run[-1]][1]) for run in runs]
    back = backward(ends)
    for run, (source, target) in zip(runs, ends, strict=True):
        path = [steps[index] for index in run]
        texts = [
            Text(
                text, ALARM if step.failure else inks[step.thread], size=10, bold=bool(step.failure)
            )
            for text, step in captions.run_texts(names, path)
        ]
        inked = {inks[step.thread] for step in path}
        attributes = styles.edge(edge_marks(known, run), inked.pop() if len(inked) == 1 else SOFT)
        canvas.edge(
            f"state{source}",
            f"state{target}",
            texts,
            upwards=(source, target) in back,
            **attributes,
        )
    if len(set(inks.values())) > 1:
        canvas.keys += [
            Key(line(inks[name], 2), name if names[name] == name else f"{names[name]} is {name}")
            for name in graph.threads
        ]


def node_marks(known: Survey, states: Sequence[int]) -> NodeMarks:
    """How a node that stands for some states is marked."""
    return NodeMarks(
        initial=any(state in known.initial for state in states),
        final=any(state in known.final for state in states),
        deadlock=any(state in known.deadlocks for state in states),
        broken=any(state in known.violating for state in states),
        ends=any(known.stories(state) for state in states),
    )


def edge_marks(known: Survey, links: Sequence[int]) -> EdgeMarks:
    """How an edge that stands for some links is marked."""
    blamed = {number for index in links for number in known.blamed.get(index, ())}
    return EdgeMarks(
        failing=any(index in known.failing for index in links),
        path=0 in blamed,
        other=bool(blamed - {0}),
    )


def _inks(threads: Sequence[str]) -> dict[str, str]:
    """A colour for each thread where there are few; else one for all."""
    if 1 < len(threads) <= len(THREADS):
        return dict(zip(threads, THREADS, strict=False))
    return dict.fromkeys(threads, SOFT)


def _variables(state: GraphState, known: Survey) -> list[Text]:
    here = state.variables
    values = ((name, here[name]) for name in known.varying if name in here)
    return [
        Text(text, INK, size=12, bold=True, most_lines=1) for text in captions.assignments(values)
    ]


def _positions(state: GraphState, names: dict[str, str], able: set[str]) -> list[Text]:
    return [
        Text(
            captions.position_text(
                names[name],
                position,
                waits=position.status == "running" and name not in able,
            ),
            SOFT,
            size=10,
            most_lines=1,
        )
        for name, position in state.threads.items()
    ]


def _tags(number: int, known: Survey) -> list[Text]:
    tags = []
    if number in known.deadlocks:
        tags.append("deadlock")
    tags += [f"breaks {one_line(name)}" for name in known.violating.get(number, ())]
    tags += known.stories(number)
    return [Text(captions.line_of(tag), ALARM, size=12, bold=True, most_lines=1) for tag in tags]
