"""A counterexample as lines of time: one for each thread, with what it does where it falls.

inc[0]  --R---------W--
inc[1]  -----R--W------
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from interleave.report import words
from interleave.report.cells import cell_width, one_line, pad, shorten, wrap
from interleave.report.style import Line, Style, written
from interleave.result import (
    Access,
    Change,
    Described,
    LostUpdate,
    ModelResult,
    TraceStep,
    Violation,
)

MEANINGS = {
    "R": "reads",
    "W": "writes",
    "[": "takes a lock",
    "]": "gives it back",
    "*": "does something else",
    "?": "waits",
    "^": "where the other came in between",
    "!": "where it goes wrong",
}
"""What each sign means; those that occur are told."""

_TAKES = ("acquire", "try acquire", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock")
_GIVES = ("release", "sync.Mutex.Unlock", "sync.RWMutex.Unlock", "sync.RWMutex.RUnlock")
_UNKNOWN = Described("unknown")
_LEAST_WIDTH = 40
_MOST_OF_NAMES = 24


class _Column(NamedTuple):
    """A step: who takes it, its signs, and what stands under it."""

    thread: str
    signs: str
    style: Style = Style.NORMAL
    mark: str = ""


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
    return written(lines, color=color)


def timeline(violation: Violation, width: int) -> list[Line]:
    """The lines of time of a counterexample, and what their signs mean."""
    threads, _ = words.participants(violation)
    columns = _columns(violation)
    names = {thread: shorten(one_line(thread), _MOST_OF_NAMES) for thread in threads}
    name_width = max(map(cell_width, names.values()), default=0) + 2
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
        if any(column.mark for column in columns[part]):
            line = [(pad("", name_width + 1), Style.NORMAL)]
            for column in columns[part]:
                width_of_mark = len(column.signs) + (2 if column.mark == "^" else 0)
                mark = (column.mark or " ") * width_of_mark
                line.append((f"{mark:^{len(column.signs) + 2}}", Style.BAD))
            lines.append(line)
    used = "".join(column.signs + column.mark for column in columns)
    told = [f"{sign} {meaning}" for sign, meaning in MEANINGS.items() if sign in used]
    return [*lines, *([(text, Style.FAINT)] for text in wrap(", ".join(told), width))]


def _columns(violation: Violation) -> list[_Column]:
    roles = words.roles(violation)
    values = {**dict(violation.trace.initial), **dict(violation.trace.final)}
    columns = []
    for step in violation.trace.all_steps:
        role = roles.get(step.number)
        mark = "!" if role is not None and role.name == "fails" else ""
        style = Style.NORMAL if role is None else Style.BAD
        columns.append(_Column(step.thread, _signs(step, values), style, mark))
    for wait in violation.waits:
        columns.append(_Column(wait.thread, "?", Style.BAD))
    for side in violation.race:
        columns.append(_Column(side.thread, "W" if side.writes else "R", Style.BAD, "!"))
    lost = violation.detail
    if isinstance(lost, LostUpdate):
        between = range(lost.read, lost.overwrite - 1)
        columns = [
            column._replace(mark="^" if number in between else "")
            for number, column in enumerate(columns)
        ]
    return columns


def _signs(step: TraceStep, values: Mapping[str, object]) -> str:
    """What a step does, one sign for each access: "RW"."""
    signs = [
        _sign(access, part.changes, values)
        for part in step.parts or (step,)
        for access in part.accesses
    ]
    return "".join(signs) or "*"


def _sign(access: Access, changes: Sequence[Change], values: Mapping[str, object]) -> str:
    own = [each for each in changes if each.location == access.location]
    if access.kind == "write" or any(not isinstance(each.after, Described) for each in own):
        return "W"
    if access.kind in _TAKES:  # in vain, where somebody else has the lock, or the time is over
        return "[" if own else "*"
    if access.kind in _GIVES:
        return "]"
    value = values.get(_variable(access.location or ""), _UNKNOWN)
    if access.kind in ("read", "Load") or not isinstance(value, Described):
        return "R"
    # `wait` gives a lock back, and takes it again.
    return next((sign for each in changes if (sign := _of_lock(each))), "*")


def _of_lock(change: Change) -> str:
    """Whether a lock is taken or given back; "" if it is no lock."""
    before, after = (
        each.text if isinstance(each, Described) else "" for each in (change.before, change.after)
    )
    if before == "unlocked" and after.startswith("locked"):
        return "["
    return "]" if before.startswith("locked") and after == "unlocked" else ""


def _variable(location: str) -> str:
    """The variable that a location is in: "items" of "items[0]"."""
    return location.partition("[")[0].partition(".")[0]


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
