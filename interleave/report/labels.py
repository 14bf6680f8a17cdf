"""Labels of a diagram: blocks of text lines in Graphviz's HTML-like language, and their sizes.

A block's size is counted from its characters rather than measured, so that a diagram is laid out
alike with every renderer and every font. The estimates leave a little room, since not every machine
has Helvetica and Courier.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from interleave.report.cells import cell_width, one_line, wrap

SANS = "Helvetica"
MONO = "Courier"

_MONO_CELL, _SANS_CELL, _BOLD_CELL = 0.62, 0.54, 0.58  # of the point size: a cell's width
_LEADING = 1.3  # of the point size: from one line of text to the next


@dataclass(frozen=True)
class Text:
    """A paragraph, set in one font; it is wrapped to the block it stands in."""

    text: str
    color: str
    size: int = 11
    font: str = SANS
    bold: bool = False
    most_lines: int = 4

    def lines(self, width: float) -> list[str]:
        """The paragraph in lines that are at most `width` points wide."""
        cells = max(int(width / self._cell() + 0.01), 4)
        for narrower in range(cells, 3, -1):
            lines = wrap(one_line(self.text), narrower, lines=self.most_lines)
            if max(self._cells(line) for line in lines) <= cells:
                break
        return lines

    def natural_width(self) -> float:
        return self._cells(one_line(self.text)) * self._cell()

    def _cells(self, line: str) -> int:
        """The line's width in cells; in its bytes for code, as graphviz-pure takes it to be.

        That has no measures for non-ASCII text, and would shift a line that it takes for too long.
        """
        return max(
            cell_width(line), len(line.encode("utf-8", "replace")) if self.font == MONO else 0
        )

    def _cell(self) -> float:
        if self.font == MONO:
            return self.size * _MONO_CELL
        return self.size * (_BOLD_CELL if self.bold else _SANS_CELL)


@dataclass(frozen=True)
class Block:
    """Paragraphs below one another. Lengths are in points."""

    texts: tuple[Text, ...]
    background: str = ""

    def natural_width(self) -> float:
        return max((text.natural_width() for text in self.texts), default=0.0)

    def height(self, width: float) -> float:
        return sum(len(text.lines(width)) * _line_height(text) for text in self.texts)

    def label(self, width: float) -> str:
        """The block as an HTML-like label, `width` points wide; "" where it says nothing.

        Width 0 stands for as wide as it needs.
        """
        width = width or self.natural_width()
        align, background = ' ALIGN="LEFT"', ""
        if self.background:
            align, background = "", f' BGCOLOR="{self.background}"'
        # A fixed size, since some renderers take a wrong guess at the width of non-ASCII text.
        rows = [
            f'<TR><TD{align} FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{_line_height(text)}">'
            f"{_styled(text, line)}</TD></TR>"
            for text in self.texts
            for line in text.lines(width)
            if line
        ]
        if not rows:
            return ""
        return (
            f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"{background}>'
            f"{''.join(rows)}</TABLE>>"
        )


def _line_height(text: Text) -> int:
    return round(text.size * _LEADING)


def _styled(text: Text, line: str) -> str:
    body = escape(line)
    if text.bold:
        body = f"<B>{body}</B>"
    return f'<FONT FACE="{text.font}" POINT-SIZE="{text.size}" COLOR="{text.color}">{body}</FONT>'


def escape(line: str) -> str:
    r"""The line as text of an HTML-like label that is drawn as it stands.

    Backslashes are doubled: Graphviz replaces `\N` and the like in these labels too.
    """
    return html.escape(line, quote=True).replace("\\", r"\\")
