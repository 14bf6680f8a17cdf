"""A counterexample as a table: time runs down, and each thread has a column (lane) of its own.

Where the lanes would get too narrow to read, one column names the thread instead.
"""

from __future__ import annotations

from interleave.records import dataclass
from interleave.report import words
from interleave.report.cells import cell_width, fit, one_line, pad, wrap
from interleave.report.style import Line, Style
from interleave.result import StepPart, TraceStep, Violation

_GAP = "  "
_MOST_LINES = 4  # of one cell; what is longer ends in an ellipsis
_LEAST_LANE = 18
_LEAST_EFFECT = 22
_LEAST_NARROW = 7  # the least of any column where the terminal is too narrow for the above
_EFFECT_TITLE = "what it did"


@dataclass(frozen=True)
class _Cell:
    """Paragraphs of text, each wrapped on its own, in one column of one row."""

    paragraphs: tuple[tuple[str, Style], ...] = ()

    def natural(self) -> int:
        return max((cell_width(text) for text, _ in self.paragraphs), default=0)

    def lines(self, width: int) -> Line:
        return [
            (line, style)
            for text, style in self.paragraphs
            for line in wrap(text, width, lines=_MOST_LINES)
        ]


_Row = tuple[_Cell, ...]


def lanes(violation: Violation, *, verbosity: int, width: int) -> list[Line]:
    """The table's lines, each at most `width` cells wide: a header, a rule, rows for each step."""
    threads, _ = words.participants(violation)
    table, loop = _table(violation, threads, verbosity)
    widths = _widths(table, len(threads), width)
    if widths is None:
        table, loop = _table(violation, None, verbosity)
        widths = _widths(table, 2, width) or _squeezed(table, width)
    return _draw(table, loop, widths)


def _table(
    violation: Violation, threads: tuple[str, ...] | None, verbosity: int
) -> tuple[list[_Row], int]:
    """The header and a row for each step, or part of one: number, lanes, effect, and a note where
    there are any. With the number of the row that a loop begins with.

    Without `threads` the lanes are two columns: the thread's name and its source text.
    """
    has_notes = bool(words.roles(violation))
    titles = ["thread", "step"] if threads is None else [one_line(name) for name in threads]
    header = [
        _cell("", Style.STRONG),
        *(_cell(title, Style.STRONG) for title in titles),
        _cell(_EFFECT_TITLE, Style.STRONG),
        *([_Cell()] if has_notes else []),
    ]
    rows: list[_Row] = [tuple(header)]
    loop = 0
    for place, step in enumerate(violation.trace.all_steps):
        if place == len(violation.trace.steps):
            loop = len(rows)
        number, thread = str(step.number), one_line(step.thread)
        for part, role in words.rows(violation, step):
            style = Style.BAD if role else Style.NORMAL
            source = _source(part, style, verbosity)
            if threads is None:
                middle = [_cell(thread, style), source]
            else:
                middle = [source if name == step.thread else _Cell() for name in threads]
            effects = _Cell(tuple((text, style) for text in words.effects(part)))
            row = [_cell(number, style), *middle, effects]
            if has_notes:
                row.append(_cell(f"← {role.note}", style) if role else _Cell())
            rows.append(tuple(row))
            number = thread = ""  # once for all parts
    return rows, loop or len(rows)


def _cell(text: str, style: Style) -> _Cell:
    return _Cell(((text, style),)) if text else _Cell()


def _source(step: TraceStep | StepPart, style: Style, verbosity: int) -> _Cell:
    paragraphs = [(one_line(step.source.text), style)]
    if verbosity > 0:
        accesses = ", ".join(words.access_text(access) for access in step.accesses)
        place = f"{one_line(step.source.file)}:{step.source.line}" if step.source.line else ""
        paragraphs += [(text, Style.FAINT) for text in (accesses, place) if text]
    return _Cell(tuple(paragraphs))


def _natural(rows: list[_Row]) -> list[int]:
    return [max(cell.natural() for cell in column) for column in zip(*rows, strict=True)]


def _widths(rows: list[_Row], lane_count: int, width: int) -> list[int] | None:
    """Widths of the columns within `width`, or None where a lane would get too narrow to read."""
    natural = _natural(rows)
    least = list(natural)
    for index in range(1, 1 + lane_count):
        least[index] = min(natural[index], _LEAST_LANE)
    least[1 + lane_count] = min(natural[1 + lane_count], _LEAST_EFFECT)
    return fit(natural, least, width - len(_GAP) * (len(natural) - 1))


def _squeezed(rows: list[_Row], width: int) -> list[int]:
    natural = _natural(rows)
    least = [min(own, _LEAST_NARROW) for own in natural]
    least[0] = natural[0]
    return fit(natural, least, width - len(_GAP) * (len(natural) - 1)) or least


def _draw(rows: list[_Row], loop: int, widths: list[int]) -> list[Line]:
    """The lines of a table; `loop` is the number of the row that a loop begins with."""
    total = sum(widths) + len(_GAP) * (len(widths) - 1)
    lines = [*_draw_row(rows[0], widths), [("─" * total, Style.FAINT)]]
    for number, row in enumerate(rows[1:], 1):
        if number == loop:
            lines += [[(line, Style.FAINT)] for line in wrap(words.OVER_AND_OVER, total)]
        lines += _draw_row(row, widths)
    return lines


def _draw_row(row: _Row, widths: list[int]) -> list[Line]:
    columns = [cell.lines(width) for cell, width in zip(row, widths, strict=True)]
    lines: list[Line] = []
    for index in range(max(len(column) for column in columns)):
        line: Line = []
        for column, width in zip(columns, widths, strict=True):
            text, style = column[index] if index < len(column) else ("", Style.NORMAL)
            if line:
                line.append((_GAP, Style.NORMAL))
            line += [(text, style), (pad("", width - cell_width(text)), Style.NORMAL)]
        lines.append(line)
    return lines
