"""Tables, in text for a terminal, in Markdown, and as a page of HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from interleave.report.cells import cell_width, fit, pad
from interleave.report.style import Line, Style

_GAP = "  "


def column_widths(natural: list[int], least: Sequence[int], total: int) -> list[int]:
    """The widths of the columns of a table that is `total` cells wide, if that can be.

    `natural` is what they would take, and `least` what they get at least where they take as much.
    """
    room = total - len(_GAP) * (len(natural) - 1)
    enough = [*map(min, natural, least)]
    return natural if sum(natural) <= room else fit(natural, enough, room) or enough


def drawn(
    columns: Sequence[Sequence[str]], styles: Sequence[Style], widths: Sequence[int]
) -> list[Line]:
    """A row of a table for a terminal; `columns` are the lines of each of its cells."""
    found: list[Line] = []
    for number in range(max(map(len, columns))):
        line: Line = []
        for parts, style, width in zip(columns, styles, widths, strict=True):
            text = parts[number] if number < len(parts) else ""
            line += [(text, style), (pad("", width - cell_width(text)) + _GAP, Style.NORMAL)]
        found.append(line)
    return found


def in_markdown(text: str) -> str:
    """A text as Markdown that says the same."""
    text = html.escape(text, quote=False)
    return "".join(f"\\{each}" if each in "\\|`*_[]~" else each for each in text)


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown: its cells are Markdown, the first row is its head."""
    head, *rest = rows
    return "\n".join(f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *rest))


def page(title: str, body: str) -> str:
    """A page of HTML that needs no other file. Cells have the classes good, caution and bad."""
    return (
        f"<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>{title}"
        f"</title>\n<style>{_STYLE}</style></head>\n<body>{body}</body></html>"
    )


_STYLE = (
    ":root{color-scheme:light dark}body{font:15px system-ui,sans-serif;margin:2rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #8888;padding:.3rem .6rem;"
    "text-align:left;vertical-align:top}td.good{background:#0a62}td.bad{background:#d303}"
    "td.caution{background:#fa03}"
)
