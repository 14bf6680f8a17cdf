"""Who reads and writes each shared variable, and what protects it: a table for each model."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from interleave.protection.results import (
    OF_VARIABLES,
    PROTECTIONS,
    ModelSharing,
    Protection,
    SharedAccess,
    SharedVariable,
    Sharing,
    Whole,
)
from interleave.report import words
from interleave.report.cells import cell_width, one_line, wrap
from interleave.report.document import document_text
from interleave.report.style import Line, Style, written
from interleave.report.tables import column_widths, drawn, in_markdown, markdown, page
from interleave.result import Source
from interleave.runtimes import NAMED
from interleave.showing import plain_text

HEADER = ("variable", "protection", "read by (lines)", "written by (lines)")

LEGENDS: dict[Protection, tuple[str, str]] = {
    "unprotected": (
        "unprotected",
        "two threads can access it at the same time, one of them to write; or another one can "
        "write it between a read and a write that comes of that read",
    ),
    "gil": (
        "the GIL only",
        "no lock: as one thread runs at a time, and only switches at some places, no other one "
        "comes between a read and a write that comes of that read",
    ),
    "event-loop": (
        "the event loop only",
        "no lock: there is no await between a read and a write that comes of that read",
    ),
    "unknown": ("not known", "the search did not come to its end"),
    "ordered": (
        "order",
        "no lock, but accesses of which one writes never happen at the same time: one always comes "
        "after the other",
    ),
    "lock": (
        "under a lock",
        "whoever accesses it holds that lock, but for what is named below; to take it twice is "
        "still two steps",
    ),
    "atomic": ("atomic", "each operation of it is one; several of them are not"),
    "primitive": ("itself", "it is made to be shared; several operations of it are not one"),
    "one-thread": ("one thread", "no other one accesses it, or the same element of it"),
    "private": ("own copies", "each process has one of its own"),
    "never-written": ("never written", "nobody writes it once it is shared"),
}
"""What the table says of each protection, and what that means."""

_INDENT = 4
_LEAST = (12, 12, 12, 12)
_STYLES: dict[Protection, Style] = {
    "unprotected": Style.BAD,
    "gil": Style.CAUTION,
    "event-loop": Style.CAUTION,
    "unknown": Style.CAUTION,
}


class _Row(NamedTuple):
    """A variable: what is in each column, and what there is to say of it below."""

    cells: tuple[str, ...]
    style: Style
    notes: list[str]


class _Table(NamedTuple):
    """A model: what is to be said first, what a check comes to, and the rows."""

    heading: str
    style: Style
    setting: str
    checked: list[str]
    rows: list[_Row]


def render_text(sharing: Sharing, *, color: bool = False, width: int = 100, **_: object) -> str:
    """A table for each model, for a terminal, without a newline at its end."""
    lines: list[Line] = []
    for table in _tables(sharing):
        lines += [[], *_in_text(table, width)] if lines else _in_text(table, width)
    if legend := _legend(sharing):
        lines.append([])
        for text in legend:
            lines += _below(text, 0, width, Style.FAINT)
    return written(lines, color=color)


def render_markdown(sharing: Sharing, **_: object) -> str:
    """The tables in Markdown."""
    parts: list[str] = []
    for table in _tables(sharing):
        rows: list[Sequence[str]] = [HEADER]
        for row in table.rows:
            name, protection, *rest = map(in_markdown, row.cells)
            below = "".join(f"<br>{in_markdown(note)}" for note in row.notes)
            rows.append((name, protection + below, *rest))
        parts += [f"**{in_markdown(table.heading)}**", in_markdown(table.setting)]
        parts += [*map(in_markdown, table.checked), markdown(rows) if table.rows else ""]
    parts.append("\n".join(f"* {in_markdown(text)}" for text in _legend(sharing)))
    return "\n\n".join(filter(None, parts))


def render_html(sharing: Sharing, **_: object) -> str:
    """The tables as a page of its own, which needs no other file."""
    body: list[str] = []
    for table in _tables(sharing):
        body.append(f"<h2>{html.escape(table.heading)}</h2><p>{html.escape(table.setting)}</p>")
        body += [f"<p>{html.escape(text)}</p>" for text in table.checked]
        head = "".join(f"<th scope=col>{each}</th>" for each in HEADER)
        rows = "\n".join(f"<tr>{_in_html(row)}</tr>" for row in table.rows)
        if rows:
            body.append(f"<table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table>")
    body += [f"<p>{html.escape(text)}</p>" for text in _legend(sharing)]
    return page("interleave sharing", "\n".join(["", *body]))


def render_json(sharing: Sharing, *, version: str, **_: object) -> str:
    """All of it as a JSON document."""
    parts = {
        "models": [
            {
                "model": plain_text(each.result.model),
                "file": plain_text(each.result.file),
                "runtime": each.result.runtime,
                "verdict": each.result.verdict,
                "limit": plain_text(each.limit),
                "variables": [_as_data(variable) for variable in each.variables],
            }
            for each in sharing.models
        ],
    }
    return document_text(sharing, version, parts)


# What is said of a model


def _tables(sharing: Sharing) -> list[_Table]:
    groups = itertools.groupby(
        sharing.models, key=lambda each: (each.result.file, each.result.model)
    )
    return [_table([*group]) for _, group in groups]


def _table(models: Sequence[ModelSharing]) -> _Table:
    """One model, under each of its runtimes."""
    first = models[0].result
    limits = {each.result.runtime: each.limit for each in models if each.limit}
    said, style = _summary(models, is_cut_short=bool(limits))
    which = "some" if limits else "every"
    sizes = (f"{m.result.runtime} ({words.count(m.result.states, 'state')})" for m in models)
    under = " and ".join(sizes)
    checks = [f"{_of_check(m)} ({m.result.runtime})" for m in models]
    if len({_of_check(m) for m in models}) == 1:
        checks = [_of_check(models[0])]
    return _Table(
        one_line(f"{first.model}: {said}"),
        style,
        one_line(f"{first.file}, {which} interleaving{'s' * bool(limits)} under {under}"),
        [
            *(one_line(f"{name}: {limit}") for name, limit in limits.items()),
            one_line(f"A check finds: {'; '.join(checks)}"),
        ],
        _rows(models),
    )


def _summary(models: Sequence[ModelSharing], *, is_cut_short: bool) -> tuple[str, Style]:
    """What is worst about the variables of a model, in a few words."""
    every = [variable for each in models for variable in each.variables]
    by_gil = {name for name, under in _by_name(models).items() if _is_by_gil(under)}
    bad = dict.fromkeys(each.name for each in every if each.protection == "unprotected")
    only = [name for name in bad if name in by_gil]
    lost = dict.fromkeys(
        each.location or "something"
        for model in models
        for each in model.result.violations
        if each.kind in OF_VARIABLES
    )
    if bad:  # which says more; and of what threads have made, names in a state are other ones
        lost.clear()
    parts: list[str] = []
    if always := [name for name in bad if name not in by_gil]:
        parts.append(f"{', '.join(always)} {_is(always)} unprotected")
    if only:
        parts.append(f"{', '.join(only)} {_is(only)} protected by the GIL only")
    if lost:
        parts.append(f"updates of {', '.join(lost)} can be lost")
    if parts:
        return "; ".join(parts), Style.BAD if always or lost else Style.CAUTION
    if is_cut_short:
        return "not all interleavings were searched", Style.CAUTION
    return "nothing is unprotected", Style.GOOD


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _of_check(model: ModelSharing) -> str:
    kinds = ", ".join(dict.fromkeys(each.kind for each in model.result.violations))
    nothing = "nothing" if model.result.verdict == "verified" else "nothing so far"
    return kinds or nothing


def _rows(models: Sequence[ModelSharing]) -> list[_Row]:
    worst = sorted(
        _by_name(models).values(),
        key=lambda each: min(PROTECTIONS.index(v.protection) for v in each.values()),
    )
    return [_row(each, models[0].result.file, len(models)) for each in worst]


def _by_name(models: Sequence[ModelSharing]) -> dict[str, dict[str, SharedVariable]]:
    """The variables by name, each by runtime."""
    found: dict[str, dict[str, SharedVariable]] = {}
    for each in models:
        for variable in each.variables:
            found.setdefault(variable.name, {})[each.result.runtime] = variable
    return found


def _is_by_gil(under: dict[str, SharedVariable]) -> bool:
    """Whether a variable is unprotected, but not where there is a global lock."""
    without = {v.protection for name, v in under.items() if not NAMED[name].global_lock}
    with_it = {v.protection for name, v in under.items() if NAMED[name].global_lock}
    return "unprotected" in without and bool(with_it) and not with_it & {"unprotected", "unknown"}


def _row(under: dict[str, SharedVariable], file: str, runtimes: int) -> _Row:
    """A variable, under each runtime where anything accesses it."""
    variables = [*under.values()]
    said = {name: _protection(variable) for name, variable in under.items()}
    protections = {variable.protection for variable in variables}
    if len({*said.values()}) == 1:
        protection = next(iter(said.values()))
    elif _is_by_gil(under):
        protection = LEGENDS["gil"][0]
    else:
        protection = "; ".join(f"{name}: {text}" for name, text in said.items())
    notes: dict[str, list[str]] = {}
    for name, variable in under.items():
        for note in _notes(variable, file):
            notes.setdefault(note, []).append(name)
    accesses = [*dict.fromkeys(access for v in variables for access in v.accesses)]
    read = [access for access in accesses if access.reads]
    written = [access for access in accesses if access.writes]
    columns = [_who(read, file), _who(written, file)]
    if protections == {"primitive"}:
        columns = [f"used by {_threads(accesses)}", ""]
    worst = min(protections, key=PROTECTIONS.index)
    return _Row(
        (one_line(variables[0].name), one_line(protection), *map(one_line, columns)),
        Style.BAD if any(v.found for v in variables) else _STYLES.get(worst, Style.NORMAL),
        [
            one_line(note if len(names) == runtimes else f"{' and '.join(names)}: {note}")
            for note, names in notes.items()
        ],
    )


def _protection(variable: SharedVariable) -> str:
    text = LEGENDS[variable.protection][0]
    if variable.locks:
        return f"under {', '.join(variable.locks)}"
    return f"{text}: {variable.kind}" if variable.protection == "primitive" else text


def _notes(variable: SharedVariable, file: str) -> list[str]:
    """What there is to say of a variable under one runtime."""
    notes: list[str] = []
    if variable.protection == "unprotected":
        notes.append(_sides(variable, file))
    if variable.rule:
        notes.append(variable.rule)
    notes += [_whole(each, variable.protection) for each in variable.whole]
    notes += _order(variable, file)
    if variable.found:
        notes.append(f"a check finds {', '.join(variable.found)}")
        if variable.protection != "unprotected":
            notes[-1] += ": each access is safe, several in a row are not"
    return notes


def _order(variable: SharedVariable, file: str) -> list[str]:
    """Which accesses no lock keeps apart from others, and what they come after."""
    but_for, comes = ("", "comes")
    if variable.protection != "ordered":
        but_for, comes = "but for ", "which comes"
    after: dict[str, list[SharedAccess]] = {}
    for each in variable.order:
        after.setdefault(each.after, []).append(each.access)
    told = {(access.thread, access.source) for each in after.values() for access in each}
    rest = [each for each in variable.apart if (each.thread, each.source) not in told]
    comma = "," if but_for else ""
    notes = [
        f"{but_for}{_who(accesses, file)}{comma} {comes} after the {said}"
        for said, accesses in after.items()
    ]
    if but_for and rest and not after:
        notes.append(f"{but_for}{_who(rest, file)}, never at the same time as another one")
    return notes


def _sides(variable: SharedVariable, file: str) -> str:
    """What two threads, or one and another in between, can do."""
    said: list[str] = []
    shown: set[Source] = set()
    for number, each in enumerate(variable.sides):
        # Of three, the first one reads, though what stands there may write too.
        does = "writes" if each.writes and (number or not variable.sides[2:]) else "reads"
        text = "" if each.source in shown else f" ({each.source.text})"
        shown.add(each.source)
        holding = f", holding {' and '.join(each.locks)}" if each.locks else ""
        said.append(f"{each.thread} {does} it at {_line(each.source, file)}{text}{holding}")
    if variable.sides[2:]:
        return f"{said[0]}, {said[1]}, and then {said[2]}"
    return " while ".join(said)


def _whole(whole: Whole, protection: Protection) -> str:
    first, last = sorted((whole.read.line, whole.write.line))
    what = f"line {last} is" if first == last else f"lines {first} to {last} are"
    ends = "an await" if protection == "event-loop" else "a sleep, a call, or anything that waits"
    return f"{what} one step: {ends} in between would end that"


def _line(source: Source, file: str) -> str:
    return f"line {source.line}" if source.file == file else f"{source.file}:{source.line}"


def _who(accesses: Iterable[SharedAccess], file: str) -> str:
    """Threads with the lines of their accesses: "visit[0..1] 12, 14; main 20"."""
    lines: dict[str, dict[str, None]] = {}
    for each in accesses:
        where = _line(each.source, file).removeprefix("line ")
        lines.setdefault(each.thread, {})[where] = None
    alike: dict[str, list[str]] = {}
    for thread, places in lines.items():
        alike.setdefault(", ".join(sorted(places, key=_natural)), []).append(thread)
    return "; ".join(f"{_together(threads)} {places}" for places, threads in alike.items())


def _threads(accesses: Iterable[SharedAccess]) -> str:
    return _together([*dict.fromkeys(each.thread for each in accesses)])


_INSTANCE = re.compile(r"(.+)([\[-])(\d+)(\]?)")


def _together(threads: Sequence[str]) -> str:
    """Names of threads, with the instances of one method in one: "visit[0..2]"."""
    groups: dict[tuple[str, str], list[int]] = {}
    for name in threads:
        found = _INSTANCE.fullmatch(name)
        key = (name, "") if found is None else (found[1] + found[2], found[4])
        groups.setdefault(key, []).append(-1 if found is None else int(found[3]))
    said: list[str] = []
    for (before, after), numbers in groups.items():
        low, high = min(numbers), max(numbers)
        is_run = len(numbers) > 1 and high - low == len(numbers) - 1
        text = f"{low}..{high}" if is_run else ",".join(map(str, sorted(numbers)))
        said.append(f"{before}{text}{after}" if low >= 0 else before)
    return ", ".join(said)


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def _legend(sharing: Sharing) -> list[str]:
    met = {variable.protection for each in sharing.models for variable in each.variables}
    return [f"{LEGENDS[each][0]}: {LEGENDS[each][1]}" for each in PROTECTIONS if each in met]


# How it is written


def _in_text(table: _Table, width: int) -> list[Line]:
    lines: list[Line] = [[(line, table.style)] for line in wrap(table.heading, width)]
    for text in (table.setting, *table.checked):
        lines += [[(line, Style.FAINT)] for line in wrap(text, width)]
    if table.rows:
        every = [HEADER, *(row.cells for row in table.rows)]
        natural = [max(cell_width(row[column]) for row in every) for column in range(len(HEADER))]
        widths = column_widths(natural, _LEAST, width)
        lines += [[], *_drawn(HEADER, [Style.FAINT] * len(HEADER), widths)]
        for row in table.rows:
            styles = [Style.STRONG, row.style, Style.NORMAL, Style.NORMAL]
            lines += _drawn(row.cells, styles, widths)
            for note in row.notes:
                lines += _below(note, _INDENT, width, Style.NORMAL)
    return lines


def _below(text: str, indent: int, width: int, style: Style) -> list[Line]:
    """A text that begins with `indent` spaces, and with two more in the lines after the first."""
    first, *rest = wrap(text, max(width - indent, 20))
    rest = wrap(" ".join(rest), max(width - indent - 2, 20)) if rest else []
    texts = [" " * indent + first, *(" " * (indent + 2) + each for each in rest)]
    return [[(each, style)] for each in texts]


def _drawn(cells: Sequence[str], styles: Sequence[Style], widths: Sequence[int]) -> list[Line]:
    columns = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    return drawn(columns, styles, widths)


def _in_html(row: _Row) -> str:
    name, protection, *rest = map(html.escape, row.cells)
    notes = "".join(f"<br><small>{html.escape(note)}</small>" for note in row.notes)
    cells = "".join(f"<td>{each}</td>" for each in rest)
    return f"<th scope=row>{name}</th><td class={row.style.value}>{protection}{notes}</td>{cells}"


def _as_data(variable: SharedVariable) -> dict[str, object]:
    return {
        "name": plain_text(variable.name),
        "protection": variable.protection,
        "kind": variable.kind,
        "elements": [*map(plain_text, variable.elements)],
        "locks": [*map(plain_text, variable.locks)],
        "accesses": [*map(_access_as_data, variable.accesses)],
        "sides": [*map(_access_as_data, variable.sides)],
        "whole": [
            {"read": _source_as_data(each.read), "write": _source_as_data(each.write)}
            for each in variable.whole
        ],
        "apart": [*map(_access_as_data, variable.apart)],
        "order": [
            {**_access_as_data(each.access), "after": plain_text(each.after)}
            for each in variable.order
        ],
        "rule": variable.rule,
        "found": [*variable.found],
    }


def _access_as_data(access: SharedAccess) -> dict[str, object]:
    return {
        "thread": access.thread,
        "kind": access.kind,
        "reads": access.reads,
        "writes": access.writes,
        "locks": [*map(plain_text, access.locks)],
        **_source_as_data(access.source),
    }


def _source_as_data(source: Source) -> dict[str, object]:
    return {
        "file": plain_text(source.file),
        "line": source.line,
        "text": plain_text(source.text),
    }
