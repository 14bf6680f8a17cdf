"""Writing a state graph to a file, in the format that its suffix names."""

from __future__ import annotations

from pathlib import Path

from interleave.errors import UsageError
from interleave.interrupts import held_back
from interleave.report.drawing import DiagramError, write_diagram
from interleave.report.formats import GRAPHS, PICTURES
from interleave.report.graph.picture import check_choice, draw
from interleave.stategraph import StateGraph


def check_suffix(path: Path, *, by: str | None = None, full: bool = False) -> None:
    """Raise `UsageError` where no format has the suffix of a file, or it does not go with the rest.

    It needs no graph, so that nobody waits for a search whose result cannot be written.
    """
    known = (*PICTURES, *GRAPHS)
    if path.suffix.lower() not in known:
        raise UsageError(
            f"no format of a state graph has the suffix {path.suffix!r} of {path}",
            remedy=f"name the file with one of {', '.join(known)}",
        )
    if by is not None and path.suffix.lower() in GRAPHS:
        raise UsageError(
            f"a {path.suffix} file always holds all of the state graph, ungrouped",
            remedy=f"leave the expression out, or draw one of {', '.join(PICTURES)}",
        )
    check_choice(by=by, full=full)


def write_graph(graph: StateGraph, path: Path, *, by: str | None = None, full: bool = False) -> str:
    """Write a state graph to `path`; say in a few words what of it was written, "" for all of it.

    Pictures are those of `graph_dot`, with `by` and `full`; what is data always holds all of the
    graph.

    Raises `UsageError` for what `check_suffix` and `graph_dot` refuse, and `DiagramError` where the
    picture cannot be rendered or the file cannot be written.
    """
    check_suffix(path, by=by, full=full)
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        source, shown = draw(graph, by=by, full=full)
        write_diagram(source, path)
        return shown
    data = GRAPHS[suffix](graph)
    try:
        with held_back():  # not by half
            path.write_bytes(data)
    except OSError as error:
        raise DiagramError(f"cannot write {path}: {error.strerror or error}") from error
    return ""
