"""A comparison of scenarios: a table with a row for each, and a column for each runtime."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import NamedTuple

from interleave.comparing import Comparison, Scenario
from interleave.report.cells import cell_width, one_line, wrap
from interleave.report.document import document_text
from interleave.report.style import Line, Style, written
from interleave.report.tables import column_widths, drawn, in_markdown, markdown, page
from interleave.result import ModelResult
from interleave.showing import plain_text

LEGEND = (
    "Each cell says what was found, and how many of all interleavings meet it, if these can be "
    "counted; nothing where no model of the scenario has that runtime."
)

_LEAST, _LEAST_NAME = 12, 24
"""Characters of a column, and of the first, at least, where all of them do not fit."""
_EXACT = 10**9
"""Numbers from here on are shown by their magnitude."""


class _Cell(NamedTuple):
    lines: list[str]
    style: Style = Style.NORMAL


def render_text(
    comparison: Comparison, *, color: bool = False, width: int = 100, **_: object
) -> str:
    """The table for a terminal, without a newline at its end."""
    table = [[_Cell([text], Style.STRONG) for text in _header(comparison)], *_rows(comparison)]
    natural = [
        max(cell_width(line) for row in table for line in row[column].lines or [""])
        for column in range(len(table[0]))
    ]
    least = [_LEAST_NAME, *[_LEAST] * len(comparison.runtimes)]
    widths = column_widths(natural, least, width)
    lines: list[Line] = []
    for row in table:
        lines += _drawn(row, widths)
    lines += [[], *([(text, Style.FAINT)] for text in wrap(LEGEND, width))]
    return written(lines, color=color)


def render_markdown(comparison: Comparison, **_: object) -> str:
    """The table in Markdown."""
    rows = [
        ["<br>".join(map(in_markdown, cell.lines)) for cell in row] for row in _rows(comparison)
    ]
    return markdown([_header(comparison), *rows])


def render_html(comparison: Comparison, **_: object) -> str:
    """The table as a page of its own, which needs no other file."""
    head = "".join(f"<th scope=col>{html.escape(text)}</th>" for text in _header(comparison))
    body = "\n".join(f"<tr>{_in_html(row)}</tr>" for row in _rows(comparison))
    return page(
        "interleave compare",
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n"
        f"<p>{html.escape(LEGEND)}</p>",
    )


def render_json(comparison: Comparison, *, version: str, **_: object) -> str:
    """The comparison as a JSON document."""
    parts = {
        "runtimes": list(comparison.runtimes),
        "scenarios": [
            {
                "scenario": plain_text(row.name),
                "models": [_as_data(result) for result in row.results],
                "refused": sorted(row.refused),
            }
            for row in comparison.scenarios
        ],
    }
    return document_text(comparison, version, parts)


# What is in a cell


def _header(comparison: Comparison) -> list[str]:
    return ["scenario", *comparison.runtimes]


def _rows(comparison: Comparison) -> list[list[_Cell]]:
    names = [row.name for row in comparison.scenarios]
    found = []
    for row in comparison.scenarios:
        name = one_line(row.name)
        if names.count(row.name) > 1 and row.results:
            name += f" ({one_line(row.results[0].file)})"
        found.append([_Cell([name]), *(_cell(row, each) for each in comparison.runtimes)])
    return found


def _cell(row: Scenario, runtime: str) -> _Cell:
    results = row.under(runtime)
    if not results:
        is_refused = runtime in row.refused
        return _Cell(["refused"], Style.CAUTION) if is_refused else _Cell([])
    is_alone = len(results) == 1
    lines = [_said(each) if is_alone else f"{each.model}: {_said(each)}" for each in results]
    verdicts = {each.verdict for each in results}
    worst = next(each for each in _STYLES if each in verdicts)
    return _Cell(list(map(one_line, lines)), _STYLES[worst])


_STYLES = {"violated": Style.BAD, "inconclusive": Style.CAUTION, "verified": Style.GOOD}


def _said(result: ModelResult) -> str:
    """What was found, and in how many interleavings: "lost-update 12 of 20"."""
    kinds = ", ".join(_kinds(result))
    if result.verdict == "inconclusive" or not result.complete:
        return f"{kinds or 'inconclusive'} ({result.limit or 'not compared'})"
    counted = result.interleavings
    if counted is None or counted.total is None:
        return kinds or "verified"
    if counted.uncounted or counted.violating is None:
        return f"{kinds or 'verified'} ?/{_number(counted.total)}"
    return f"{kinds or 'verified'} {_number(counted.violating)}/{_number(counted.total)}"


def _kinds(result: ModelResult) -> list[str]:
    return [*dict.fromkeys(each.kind for each in result.violations)]


def _number(number: int) -> str:
    return f"{number:,}" if number < _EXACT else f"~10^{math.floor(math.log10(number))}"


def _as_data(result: ModelResult) -> dict[str, object]:
    counted = result.interleavings
    return {
        "model": plain_text(result.model),
        "file": plain_text(result.file),
        "runtime": result.runtime,
        "verdict": result.verdict,
        "complete": result.complete,
        "limit": plain_text(result.limit),
        "kinds": _kinds(result),
        "interleavings": None if counted is None else counted.total,
        "violating_interleavings": None if counted is None else counted.violating,
    }


# How a row is written


def _drawn(row: Sequence[_Cell], widths: Sequence[int]) -> list[Line]:
    columns = [
        [part for line in cell.lines for part in wrap(line, width)]
        for cell, width in zip(row, widths, strict=True)
    ]
    return drawn(columns, [cell.style for cell in row], widths)


def _in_html(row: Sequence[_Cell]) -> str:
    name, *cells = ("<br>".join(map(html.escape, cell.lines)) for cell in row)
    classes = (cell.style.value for cell in row[1:])
    return f"<th scope=row>{name}</th>" + "".join(
        f"<td class={style}>{text}</td>" for style, text in zip(classes, cells, strict=True)
    )
