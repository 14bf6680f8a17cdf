"""Which locks are needed: sentences for people, a table in Markdown, a document for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interleave.mending.locks import Locks, LockUse, ModelLocks, Need, RegionUse
from interleave.report.cells import one_line, wrap
from interleave.report.document import document_text
from interleave.report.style import Line, Style, hanging, written
from interleave.report.tables import in_markdown, markdown
from interleave.report.words import count, violation_name
from interleave.result import Outcome
from interleave.showing import plain_text, show


def render_text(found: Locks, *, color: bool = False, width: int = 100, **_: object) -> str:
    """What there is to say of each model, without a newline at its end."""
    lines: list[Line] = []
    for number, model in enumerate(found.models):
        lines += [[]] if number else []
        lines += _model(model, width)
    return written(lines, color=color)


def render_markdown(found: Locks, **_: object) -> str:
    """A table with a row for each lock, and for each stretch of code that holds it."""
    rows = [["model", "lock", "held", "needed"]]
    for model in found.models:
        name = one_line(model.model)
        for lock in model.locks:
            rows.append([name, _names(lock), _everywhere(lock), _of_lock(lock)])
            if len(lock.regions) > 1 and not lock.not_removable:
                rows += [
                    [name, _names(lock), _where(region), _of_region(region)]
                    for region in lock.regions
                ]
        if model.together:
            names = ", ".join(map(one_line, model.spare))
            rows.append([name, names, "all of them", _needed(model.together)])
        if model.limit:
            rows.append([name, "", "", f"not told: {one_line(model.limit)}"])
    return markdown([[*map(in_markdown, row)] for row in rows])


def render_json(found: Locks, *, version: str, **_: object) -> str:
    """All of it as a JSON document."""
    parts = {
        "models": [_model_as_data(model) for model in found.models],
    }
    return document_text(found, version, parts)


# Sentences


def _model(model: ModelLocks, width: int) -> list[Line]:
    said = count(len(model.locks), "lock") if model.locks else "no lock"
    if model.limit:
        said = f"not told: {one_line(model.limit)}"
    head = f"{one_line(model.model)} ({one_line(model.file)}): {said}"
    lines: list[Line] = [[(text, Style.STRONG)] for text in wrap(head, width)]
    for lock in model.locks:
        lines += hanging(f"{_names(lock)}: {_of_lock(lock)}", 2, width, _style(lock.needs))
        for sentence in _without(lock.needs):
            lines += hanging(sentence, 4, width, Style.NORMAL)
        for region in lock.regions:
            more = "" if lock.not_removable or len(lock.regions) == 1 else _of_region(region)
            if len(lock.regions) == 1:
                more = _smaller(region)
            text = f"{_where(region)}{': ' if more else ''}{more}"
            lines += hanging(text, 4, width, Style.FAINT)
    if model.locks and model.violations:
        found = ", ".join(dict.fromkeys(map(violation_name, model.violations)))
        said = f"a check finds {found} with {'it' if len(model.locks) == 1 else 'them'} as well"
        lines += hanging(f"{said}: run `interleave fix` first", 2, width, Style.CAUTION)
    if model.together:
        names = ", ".join(map(one_line, model.spare))
        lines += hanging(f"{names} together: {_needed(model.together)}", 2, width, Style.NORMAL)
        for sentence in _without(model.together, "them"):
            lines += hanging(sentence, 4, width, Style.NORMAL)
    return lines


def _style(needs: Sequence[Need]) -> Style:
    if not needs or any(need.needed is None for need in needs):
        return Style.NORMAL
    return Style.CAUTION if not any(need.needed for need in needs) else Style.GOOD


def _names(lock: LockUse) -> str:
    return ", ".join(map(one_line, lock.names))


def _of_lock(lock: LockUse) -> str:
    if lock.not_removable:
        return f"not removable: {one_line(lock.not_removable)}"
    said = _needed(lock.needs)
    return f"{said}; {one_line(lock.could_be)} would do in its place" if lock.could_be else said


def _of_region(region: RegionUse) -> str:
    smaller = _smaller(region)
    return _needed(region.needs) + (f"; {smaller}" if smaller else "")


def _smaller(region: RegionUse) -> str:
    if region.smaller is None:
        return ""
    first, last = region.smaller
    return f"{_lines(first, last)} {'is' if first == last else 'are'} enough"


def _where(region: RegionUse) -> str:
    return f"{_lines(region.line, region.last)}, {one_line(region.function)}"


def _everywhere(lock: LockUse) -> str:
    return ", ".join(_lines(each.line, each.last) for each in lock.regions)


def _lines(first: int, last: int) -> str:
    return f"line {first}" if first == last else f"lines {first}-{last}"


def _needed(needs: Sequence[Need]) -> str:
    """ "needed under free-threaded; not needed under gil, where line 12 is one step"."""
    parts = []
    if needed := [need.runtime for need in needs if need.needed]:
        parts.append(f"needed under {' and '.join(needed)}")
    free = [need for need in needs if need.needed is False]
    for told in dict.fromkeys(_why_not(need) for need in free):
        runtimes = [need.runtime for need in free if _why_not(need) == told]
        parts.append(f"not needed under {' and '.join(runtimes)}{told}")
    parts += [
        f"not told under {need.runtime}: {one_line(need.why)}"
        for need in needs
        if need.needed is None
    ]
    return "; ".join(parts)


def _why_not(need: Need) -> str:
    if need.gone > 0:
        return f", and {count(need.gone, 'violation')} fewer without it"
    if need.one_step is None:
        return ""
    first, last = need.one_step
    return f", where {_lines(first, last)} {'is' if first == last else 'are'} one step"


def _without(needs: Sequence[Need], what: str = "it") -> Iterator[str]:
    """What comes of taking it away, once for all runtimes under which that is the same."""
    told: dict[str, list[str]] = {}
    for need in needs:
        if need.needed:
            told.setdefault(_comes_of_it(need), []).append(need.runtime)
    for text, runtimes in told.items():
        yield f"without {what}, under {' and '.join(runtimes)}: {text}"


def _comes_of_it(need: Need) -> str:
    if need.violation is not None:
        name = violation_name(need.violation)
        return name if need.violation.location else f"{name}: {one_line(need.violation.message)}"
    if need.outcome is not None:
        return f"a new outcome: {outcome_text(need.outcome)}"
    if need.lost is not None:
        return f"an outcome is lost: {outcome_text(need.lost)}"
    return one_line(need.why)


def outcome_text(outcome: Outcome) -> str:
    """How an interleaving ended, in one line."""
    values = ", ".join(f"{one_line(name)} = {show(value)}" for name, value in outcome.state)
    return f"{values or 'nothing shared'} ({outcome.how})"


# Data


def _model_as_data(model: ModelLocks) -> dict[str, object]:
    return {
        "model": plain_text(model.model),
        "file": plain_text(model.file),
        "runtimes": list(model.runtimes),
        "limit": plain_text(model.limit),
        "violations": [
            {"kind": each.kind, "message": plain_text(each.message)} for each in model.violations
        ],
        "locks": [_lock_as_data(lock) for lock in model.locks],
        "spare": [*map(plain_text, model.spare)],
        "together": [_need_as_data(need) for need in model.together],
    }


def _lock_as_data(lock: LockUse) -> dict[str, object]:
    return {
        "names": [*map(plain_text, lock.names)],
        "not_removable": plain_text(lock.not_removable),
        "could_be": plain_text(lock.could_be),
        "needed": [_need_as_data(need) for need in lock.needs],
        "regions": [
            {
                "function": plain_text(region.function),
                "line": region.line,
                "last_line": region.last,
                "needed": [_need_as_data(need) for need in region.needs],
                "smaller": None if region.smaller is None else list(region.smaller),
            }
            for region in lock.regions
        ],
    }


def _need_as_data(need: Need) -> dict[str, object]:
    return {
        "runtime": need.runtime,
        "needed": need.needed,
        "without_it": plain_text(_comes_of_it(need)) if need.needed else "",
        "one_step": None if need.one_step is None else list(need.one_step),
        "violations_fewer": need.gone,
        "why": plain_text(need.why),
    }
