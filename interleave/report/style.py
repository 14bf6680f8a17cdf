"""Lines of styled text: written plain, or with the terminal's colours."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import click

from interleave.report.cells import wrap


class Style(Enum):
    """What a piece of text is, rather than how it looks."""

    NORMAL = "normal"
    STRONG = "strong"
    FAINT = "faint"
    GOOD = "good"
    CAUTION = "caution"
    BAD = "bad"


Line = list[tuple[str, Style]]
"""Pieces of one line, from left to right."""


def plain(line: Line) -> str:
    """The line's text, without white space at its end."""
    return "".join(text for text, _ in line).rstrip()


def styled(line: Line) -> str:
    """The line with colours; what it says is what `plain` says."""
    left = len(plain(line))
    pieces: list[str] = []
    for text, style in line:
        pieces.append(_paint(text[:left], style))
        left = max(left - len(text), 0)
    return "".join(pieces)


def written(lines: Iterable[Line], *, color: bool) -> str:
    """Lines of a report, without a newline at the end; with colours if so wanted."""
    write = styled if color else plain
    return "\n".join(write(line) for line in lines)


def hanging(text: str, indent: int, width: int, style: Style) -> list[Line]:
    """A text in lines of at most `width` cells that begin with `indent` spaces; after the first,
    with two more.
    """
    lines = wrap(text, max(width - indent - 2, 20))
    return [
        [(" " * (indent + 2 * (number > 0)) + line, style)] for number, line in enumerate(lines)
    ]


def _paint(text: str, style: Style) -> str:
    if not text or style is Style.NORMAL:
        return text
    if style is Style.STRONG:
        return click.style(text, bold=True)
    if style is Style.FAINT:
        return click.style(text, dim=True)
    if style is Style.GOOD:
        return click.style(text, fg="green", bold=True)
    if style is Style.CAUTION:
        return click.style(text, fg="yellow", bold=True)
    return click.style(text, fg="red", bold=True)
