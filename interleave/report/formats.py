"""The formats of reports, of pictures and of state graphs: one file for each, and one line here.

The command line, messages and docs/python.md take from here which there are. A writer is imported
when it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any, NamedTuple


class Writer(NamedTuple):
    """A function that writes something, by the module that it is in."""

    module: str
    function: str
    what: str
    """What it writes, in words."""

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        function = getattr(import_module(self.module), self.function)
        return function(*arguments, **keywords)


MODELS = {
    "text": Writer(
        "interleave.report.text", "render_text", "each model, as soon as it is checked, for people"
    ),
    "timeline": Writer(
        "interleave.report.timeline", "render_timeline", "each counterexample as lines of time"
    ),
}
"""Reports of one model each, by what `--format` calls them.

They are called with the `ModelResult`, and `color`, `verbosity` and `width`.
"""

RESULTS = {
    "json": Writer(
        "interleave.report.document", "render_json", "all models in one document, for programs"
    ),
}
"""Reports of all models at once, which are called with the `Result`, and `version`."""

COMPARISONS = {
    "text": Writer("interleave.report.compared", "render_text", "a table, for people"),
    "json": Writer("interleave.report.compared", "render_json", "a document, for programs"),
    "markdown": Writer("interleave.report.compared", "render_markdown", "a table in Markdown"),
    "html": Writer("interleave.report.compared", "render_html", "a page with the table"),
}
"""Comparisons of scenarios, by what `--format` calls them there.

They are called with the `Comparison`, and `color`, `width` and `version`.
"""

SHARINGS = {
    "text": Writer("interleave.report.shared", "render_text", "a table for each model, for people"),
    "json": Writer("interleave.report.shared", "render_json", "a document, for programs"),
    "markdown": Writer("interleave.report.shared", "render_markdown", "tables in Markdown"),
    "html": Writer("interleave.report.shared", "render_html", "a page with the tables"),
}
"""Who shares which variables, by what `--format` calls them there.

They are called with the `Sharing`, and `color`, `width` and `version`.
"""

LOCKS = {
    "text": Writer("interleave.report.locked", "render_text", "sentences, for people"),
    "json": Writer("interleave.report.locked", "render_json", "a document, for programs"),
    "markdown": Writer("interleave.report.locked", "render_markdown", "a table in Markdown"),
}
"""Which locks are needed, by what `--format` calls it there: called as `COMPARISONS` are."""

FIXES = {
    "text": Writer("interleave.report.mended", "render_text", "sentences and diffs, for people"),
    "json": Writer("interleave.report.mended", "render_json", "a document, for programs"),
    "diff": Writer("interleave.report.mended", "render_diff", "one diff, for `patch`"),
}
"""Changes that remove what is found, by what `--format` calls them there: called likewise."""

PICTURES = {
    ".dot": Writer("interleave.report.drawing", "source", "a picture, as source for Graphviz"),
    ".gv": Writer("interleave.report.drawing", "source", "the same"),
    ".svg": Writer("interleave.report.drawing", "rendered", "a picture, for browsers"),
    ".png": Writer("interleave.report.drawing", "rendered", "a picture"),
    ".pdf": Writer("interleave.report.drawing", "rendered", "a picture, for print"),
}
"""Pictures, by their suffix: of counterexamples and of state graphs.

They are called with DOT source and the suffix, and give bytes.
"""

GRAPHS = {
    ".graphml": Writer(
        "interleave.report.graph.graphml", "graphml", "all of a state graph, for other tools"
    ),
    ".json": Writer(
        "interleave.report.graph.document", "graph_json", "all of a state graph, for programs"
    ),
}
"""State graphs as data, by their suffix: they are called with the graph, and give bytes."""


def reports() -> list[str]:
    """What `--format` can be; the first one is what it is by default."""
    return [*MODELS, *RESULTS]


def listed(suffixes: Iterable[str]) -> str:
    """Suffixes in a sentence: ".dot .svg or .png"."""
    *most, last = suffixes
    return f"{' '.join(most)} or {last}"
