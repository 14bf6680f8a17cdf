"""What stands above a state graph: title, a line or two, and a legend, as one HTML-like label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from interleave.report.labels import Block, Text
from interleave.report.palette import ALARM, ALARM_FILL, INITIAL_FILL, INK, SOFT

_WIDTH = 600.0  # that paragraphs are wrapped to
_ROOM = 1.08  # how much wider than estimated a short text may be: few letters, many digits
_TABLE = 'CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'


@dataclass(frozen=True)
class Key:
    """A row of the legend: a swatch as HTML-like table, and what such a mark means."""

    swatch: str
    text: str


def _cell(width: int, height: int = 2, *, color: str = "") -> str:
    background = f' BGCOLOR="{color}"' if color else ""
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}"{background}></TD>'


def _box(attributes: str, content: str) -> str:
    return f"<TABLE {attributes} {_TABLE}><TR>{content}</TR></TABLE>"


INITIAL = _box(f'BORDER="1" COLOR="{INK}" BGCOLOR="{INITIAL_FILL}"', _cell(22, 9))
_INNER = _box(f'BORDER="1" COLOR="{INK}"', _cell(16, 5))
FINAL = _box(
    f'BORDER="1" COLOR="{INK}"',
    f'<TD CELLPADDING="2">{_INNER}</TD>',
)
WRONG = _box(f'BORDER="2" COLOR="{ALARM}" BGCOLOR="{ALARM_FILL}"', _cell(22, 9))
ENDS = _box(f'BORDER="2" COLOR="{ALARM}"', _cell(22, 9))


def roomy_width(block: Block) -> float:
    """The width that holds a block even if its letters are wider than most."""
    return block.natural_width() * _ROOM + 4


def line(color: str, height: int) -> str:
    """The swatch of an edge, so many points thick."""
    return _box('BORDER="0"', _cell(24, height, color=color))


def dashes(color: str) -> str:
    """The swatch of a dashed edge."""
    return _box('BORDER="0"', _cell(3).join([_cell(6, color=color)] * 3))


def heading_label(paragraphs: Sequence[Text], keys: Sequence[Key]) -> str:
    """The label: paragraphs, then a row for each key."""
    rows = [f'<TR><TD ALIGN="LEFT" COLSPAN="2">{_paragraph(text)}</TD></TR>' for text in paragraphs]
    rows.append(_gap(2))
    for key in keys:
        text = Text(key.text, SOFT, size=11, most_lines=1)
        width = max(roomy_width(Block((text,))), _WIDTH - 40)
        rows.append(
            f'<TR><TD WIDTH="36" HEIGHT="17">{key.swatch}</TD>'
            f'<TD ALIGN="LEFT">{_inner(Block((text,)), width)}</TD></TR>'
        )
    rows.append(_gap(8))
    table = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"'
    return f"<<TABLE {table}>{''.join(rows)}</TABLE>>"


def beside(block: Block) -> str:
    """The label of an edge: a block with room on its left, where the edge may pass."""
    content = f"{_cell(8)}<TD>{_inner(block, roomy_width(block))}</TD>"
    return "<" + _box('BORDER="0"', content) + ">"


def _gap(height: int) -> str:
    return f'<TR><TD COLSPAN="2" HEIGHT="{height}"></TD></TR>'


def _paragraph(text: Text) -> str:
    lines = text.lines(_WIDTH / _ROOM)
    return _inner(Block(tuple(replace(text, text=line) for line in lines)), _WIDTH)


def _inner(block: Block, width: float) -> str:
    """The block as a table that stands in a cell."""
    return block.label(width)[1:-1]
