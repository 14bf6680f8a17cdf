"""A comparison of scenarios: a table with a row for each, and a column for each runtime."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from interleave.comparing import Comparison, Scenario
from interleave.report.cells import cell_width, fit, one_line, pad, wrap
from interleave.report.style import Line, Style, plain, styled
from interleave.result import ModelResult
from interleave.showing import plain_text

LEGEND = (
    "Each cell says what was found, and how many of all interleavings meet it, if these can be "
    "counted; nothing where no model of the scenario has that runtime."
)

_GAP = "  "
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
    room = width - len(_GAP) * (len(natural) - 1)
    enough = [_LEAST_NAME, *[_LEAST] * len(comparison.runtimes)]
    least = [*map(min, natural, enough)]
    widths = natural if sum(natural) <= room else fit(natural, least, room) or least
    lines: list[Line] = []
    for row in table:
        lines += _drawn(row, widths)
    lines += [[], *([(text, Style.FAINT)] for text in wrap(LEGEND, width))]
    write: Callable[[Line], str] = styled if color else plain
    return "\n".join(write(line) for line in lines)


def render_markdown(comparison: Comparison, **_: object) -> str:
    """The table in Markdown."""
    rows = [
        _header(comparison),
        ["---"] * (len(comparison.runtimes) + 1),
        *([_in_markdown(cell) for cell in row] for row in _rows(comparison)),
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def render_html(comparison: Comparison, **_: object) -> str:
    """The table as a page of its own, which needs no other file."""
    head = "".join(f"<th scope=col>{html.escape(text)}</th>" for text in _header(comparison))
    body = "\n".join(f"<tr>{_in_html(row)}</tr>" for row in _rows(comparison))
    return (
        "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>interleave compare"
        f"</title>\n<style>{_STYLE}</style></head>\n<body><table>\n<thead><tr>{head}</tr>"
        f"</thead>\n<tbody>\n{body}\n</tbody></table>\n<p>{html.escape(LEGEND)}</p></body></html>"
    )


def render_json(comparison: Comparison, *, version: str, **_: object) -> str:
    """The comparison as a JSON document."""
    errors = [plain_text(str(error)) for error in comparison.errors]
    document = {
        "schema": 1,
        "version": version,
        "exit_code": comparison.exit_code,
        **({"errors": errors} if errors else {}),
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
    return json.dumps(document, allow_nan=False, ensure_ascii=False, indent=2)


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
    found: list[Line] = []
    for number in range(max(map(len, columns))):
        line: Line = []
        for cell, parts, width in zip(row, columns, widths, strict=True):
            text = parts[number] if number < len(parts) else ""
            line += [(text, cell.style), (pad("", width - cell_width(text)) + _GAP, Style.NORMAL)]
        found.append(line)
    return found


def _in_markdown(cell: _Cell) -> str:
    text = "<br>".join(html.escape(line, quote=False) for line in cell.lines)
    return "".join(f"\\{each}" if each in "\\|`*_[]~" else each for each in text)


def _in_html(row: Sequence[_Cell]) -> str:
    name, *cells = ("<br>".join(map(html.escape, cell.lines)) for cell in row)
    classes = (cell.style.value for cell in row[1:])
    return f"<th scope=row>{name}</th>" + "".join(
        f"<td class={style}>{text}</td>" for style, text in zip(classes, cells, strict=True)
    )


_STYLE = (
    ":root{color-scheme:light dark}body{font:15px system-ui,sans-serif;margin:2rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #8888;padding:.3rem .6rem;"
    "text-align:left;vertical-align:top}td.good{background:#0a62}td.bad{background:#d303}"
    "td.caution{background:#fa03}"
)
