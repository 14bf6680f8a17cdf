"""A counterexample as lines of time: one for each thread, with what it does where it falls.

inc[0]  --R---------W--
inc[1]  -----R--W------
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from interleave.report import words
from interleave.report.cells import cell_width, one_line, pad, shorten, wrap
from interleave.report.style import Line, Style, plain, styled
from interleave.result import Access, LostUpdate, ModelResult, TraceStep, Violation

MEANINGS = {
    "R": "reads",
    "W": "writes",
    "[": "takes a lock",
    "]": "gives it back",
    "*": "does something else",
    "?": "waits",
    "^": "where the other came in between",
}
"""What each sign means; those that occur are told."""

_TAKES = ("acquire", "try acquire", "Lock", "RLock", "TryLock", "TryRLock")
_GIVES = ("release", "Unlock", "RUnlock")
_LEAST_WIDTH = 40
_MOST_OF_NAMES = 24


class _Column(NamedTuple):
    """A step: who takes it, and its signs."""

    thread: str
    signs: str
    style: Style = Style.NORMAL


def render_timeline(
    model_result: ModelResult, *, color: bool = False, verbosity: int = 0, width: int = 100
) -> str:
    """The verdict, and each counterexample as lines of time, without a newline at its end.

    `verbosity` -1 gives the verdict alone. Lines stay within `width` terminal cells (taken as 40 at
    least): what is longer goes on below.
    """
    width = max(width, _LEAST_WIDTH)
    head = words.headline(model_result)
    lines: list[Line] = [[(head, Style.STRONG)]]
    for violation in model_result.violations if verbosity >= 0 else ():
        sentence = f"{violation.kind}: {one_line(violation.message)}"
        lines += [[], *([(text, Style.NORMAL)] for text in wrap(sentence, width)), []]
        lines += timeline(violation, width)
    write: Callable[[Line], str] = styled if color else plain
    return "\n".join(write(line) for line in lines)


def timeline(violation: Violation, width: int) -> list[Line]:
    """The lines of time of a counterexample, and what their signs mean."""
    threads, _ = words.participants(violation)
    columns = _columns(violation)
    names = {thread: shorten(one_line(thread), _MOST_OF_NAMES) for thread in threads}
    name_width = max(map(cell_width, names.values()), default=0) + 2
    marks = _marks(violation, columns)
    lines: list[Line] = []
    for part in _in_parts(columns, width - name_width):
        lines += [[]] if lines else []
        for thread in threads:
            line: Line = [(pad(names[thread], name_width), Style.NORMAL), ("-", Style.FAINT)]
            for column in columns[part]:
                own = column.thread == thread
                signs = column.signs if own else "-" * len(column.signs)
                line += [("-", Style.FAINT), (signs, column.style if own else Style.FAINT)]
                line.append(("-", Style.FAINT))
            lines.append(line)
        if any(marks[part]):
            line = [(pad("", name_width + 1), Style.NORMAL)]
            for column, is_marked in zip(columns[part], marks[part], strict=True):
                line.append((("^" if is_marked else " ") * (len(column.signs) + 2), Style.BAD))
            lines.append(line)
    used = "".join(column.signs for column in columns) + "^" * any(marks)
    told = [f"{sign} {meaning}" for sign, meaning in MEANINGS.items() if sign in used]
    return [*lines, *([(text, Style.FAINT)] for text in wrap(", ".join(told), width))]


def _columns(violation: Violation) -> list[_Column]:
    roles = words.roles(violation)
    columns = [
        _Column(step.thread, _signs(step), Style.BAD if step.number in roles else Style.NORMAL)
        for step in violation.trace.all_steps
    ]
    return [*columns, *(_Column(wait.thread, "?", Style.BAD) for wait in violation.waits)]


def _signs(step: TraceStep) -> str:
    """What a step does, one sign for each access: "RW"."""
    signs = []
    for part in step.parts or (step,):
        changed = {change.location for change in part.changes}
        signs += [_sign(access, changed) for access in part.accesses]
    return "".join(signs) or "*"


def _sign(access: Access, changed: set[str]) -> str:
    kind = access.kind.rpartition(".")[2]
    if kind in _TAKES:  # in vain, where somebody else has the lock, or the time is over
        return "[" if access.location in changed else "*"
    if kind in _GIVES:
        return "]"
    if kind in ("read", "Load"):
        return "R"
    return "W" if kind == "write" or access.location in changed else "*"


def _marks(violation: Violation, columns: Sequence[_Column]) -> list[bool]:
    """For each step, whether it lies between a stale read and the write that comes of it."""
    lost = violation.detail
    if not isinstance(lost, LostUpdate):
        return [False] * len(columns)
    return [lost.read < number + 1 < lost.overwrite for number in range(len(columns))]


def _in_parts(columns: Sequence[_Column], width: int) -> list[slice]:
    """The columns, as many in each part as there is room for."""
    parts: list[slice] = []
    begin, used = 0, 1
    for number, column in enumerate(columns):
        needed = len(column.signs) + 2
        if used + needed > width and number > begin:
            parts.append(slice(begin, number))
            begin, used = number, 1
        used += needed
    return [*parts, slice(begin, len(columns))]
