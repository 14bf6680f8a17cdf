"""The report for a terminal: the verdict, then each counterexample as a table of lanes.

A reader who has never seen a model checker must understand it without explanation, so the words
are those of the user's own program: its threads, its lines, its variables.
"""

from __future__ import annotations

from collections.abc import Iterable

from interleave.report import words
from interleave.report.cells import one_line, wrap
from interleave.report.lanes import lanes
from interleave.report.style import Line, Style, written
from interleave.report.timeline import timeline
from interleave.result import (
    DataRace,
    FailedProperty,
    ModelResult,
    NotAtomic,
    PendingAccess,
    Poll,
    Polls,
    Source,
    Violation,
    Wait,
    Waits,
)
from interleave.showing import show

_LEAST_WIDTH = 40


def render_text(
    model_result: ModelResult, *, color: bool = False, verbosity: int = 0, width: int = 100
) -> str:
    """The report on one model, without a newline at its end.

    `verbosity` -1 gives the headline alone, 1 adds to each step its accesses and its place in the
    file. Tables and sentences stay within `width` terminal cells (taken as 40 at least). Without
    its escapes the coloured text equals the plain one.
    """
    width = max(width, _LEAST_WIDTH)
    lines = _model(model_result, verbosity, width)
    return written(lines, color=color)


def _model(model_result: ModelResult, verbosity: int, width: int) -> list[Line]:
    head: list[Line] = [[(words.headline(model_result), _verdict_style(model_result))]]
    if verbosity < 0:
        return head
    lines = [*head, *_paragraph(words.setting(model_result), width, Style.FAINT)]
    if model_result.assumed_pure:
        names = ", ".join(map(one_line, model_result.assumed_pure))
        lines += _paragraph(f"assumed pure: {names}", width, Style.FAINT)
    for bounded in filter(None, (words.clock(model_result), words.signals(model_result))):
        lines += _paragraph(bounded, width, Style.FAINT)
    for warning in model_result.warnings:
        lines += _paragraph(f"Warning: {one_line(warning)}", width, Style.CAUTION)
    if coverage := words.coverage(model_result):
        lines += [[], *_paragraph(coverage, width)]
    for violation in model_result.violations:
        lines += [[], *_violation(violation, verbosity, width)]
    lines += [[], *_size(model_result, width)]
    if verbosity > 0:
        lines += _covered(model_result, width)
    return lines


def _covered(model_result: ModelResult, width: int) -> list[Line]:
    """What the verdict speaks of, and within which bounds."""
    lines: list[Line] = [[]]
    for each in model_result.followed:
        names = ", ".join(map(one_line, each.functions))
        lines += _paragraph(f"followed in {one_line(each.file)}: {names}", width, Style.FAINT)
    for name, value in model_result.bounds:
        lines += _paragraph(f"bounded by {name} = {show(value)}", width, Style.FAINT)
    return lines if len(lines) > 1 else []


def _size(model_result: ModelResult, width: int) -> list[Line]:
    """How large the state graph is, how many ways lead through it, and where they end."""
    lines = _paragraph(words.numbers(model_result), width)
    if counted := words.interleavings(model_result):
        lines += _paragraph(counted, width)
    for outcome in words.outcomes(model_result):
        lines += _paragraph(outcome, width, Style.FAINT, indent=2)
    return lines


def _verdict_style(model_result: ModelResult) -> Style:
    if model_result.passed:
        return Style.GOOD
    return Style.CAUTION if model_result.verdict == "inconclusive" else Style.BAD


def _violation(violation: Violation, verbosity: int, width: int) -> list[Line]:
    sentence = f"{violation.kind}: {one_line(violation.message)}"
    lines = _paragraph(sentence, width, Style.STRONG)
    source = violation.source
    # What the library does of itself stands in no line.
    if source is not None and source.line and not words.tells_lines(violation):
        lines += _paragraph(f"at {_place(source)}", width, Style.FAINT)
    initial = words.initial_values(violation.trace)
    if initial:
        lines += [[], *_paragraph(f"At the start: {initial}", width)]
    lines.append([])
    if violation.trace.all_steps:
        lines += lanes(violation, verbosity=verbosity, width=width)
    else:
        lines += _paragraph(f"{words.at_start(violation)}, before any step.", width)
    final = words.final_values(violation)
    if final and violation.kind == "postcondition":
        lines += [[], *_paragraph(f"At the end: {final}", width, Style.BAD)]
    hint = [[], *_paragraph(one_line(violation.hint), width)] if violation.hint else []
    after = _last_state(violation, verbosity, width)
    is_standstill = bool(after) and not isinstance(violation.detail, DataRace)
    lines += [] if is_standstill else hint
    hidden = words.participants(violation)[1]
    if hidden:
        lines += _paragraph(words.left_out(hidden), width, Style.FAINT)
    lines += after
    lines += hint if is_standstill else []
    if verbosity > 0 and violation.trace.all_steps:
        lines += [[], *timeline(violation, width)]
    if others := words.alike(violation):
        heading, *messages = others
        lines += [[], *_paragraph(heading, width, Style.FAINT)]
        for message in messages:
            lines += _paragraph(message, width, Style.FAINT, indent=2)
    return lines


def _last_state(violation: Violation, verbosity: int, width: int) -> list[Line]:
    """What the threads are about to do where the trace ends, if that is what it is about."""
    match violation.detail:
        case Waits(waits=(_, *_) as waits):
            sentences = _waits(waits, verbosity, width)
            heading = words.standstill(violation)
        case Polls(polls, waits):
            sentences = [*_polls(polls, width), *_waits(waits, verbosity, width)]
            heading = words.standstill(violation)
        case DataRace(sides):
            sentences = _sides(sides, width)
            heading = "Now nothing keeps these two apart"
        case FailedProperty(why=(_, *_)):
            return _why_false(violation.detail, width)
        case NotAtomic():
            return _outcomes(violation.detail, width)
        case _:
            return []
    return [[], *_paragraph(f"{heading}:", width), *sentences]


def _why_false(detail: FailedProperty, width: int) -> list[Line]:
    """What is false, and the values that make it so."""
    lines: list[Line] = [[]]
    for sentence, values in words.why_false(detail):
        if len(values) == 1:
            lines += _paragraph(f"{sentence}: {values[0]}", width, Style.BAD)
            continue
        lines += _paragraph(sentence, width, Style.BAD)
        for value in values:
            lines += _paragraph(value, width, indent=2)
    return lines


def _outcomes(detail: NotAtomic, width: int) -> list[Line]:
    """What came of calls in parallel, and what comes of whole ones."""
    lines: list[Line] = [[]]
    if detail.before is not None and detail.after is not None:
        who, whose = one_line(detail.came_in), one_line(detail.interrupted)
        sources = dict.fromkeys((detail.before, detail.after))
        where = "between these lines" if len(sources) > 1 else "at this line"
        lines += _paragraph(f"{who} came in {where} of {whose}:", width)
        for source in sources:
            lines += _paragraph(_place(source), width, Style.BAD, indent=2)
    outcome, *outcomes = words.call_outcomes(detail)
    nearest, others = outcomes[: len(detail.nearest)], outcomes[len(detail.nearest) :]
    lines += _paragraph("What came of it:", width)
    lines += _paragraph(outcome, width, Style.BAD, indent=2)
    lines += _paragraph("The nearest that whole calls give:", width)
    for text in nearest:
        lines += _paragraph(text, width, indent=2)
    if others:
        lines += _paragraph("No order of whole calls gives these either:", width)
        for text in others:
            lines += _paragraph(text, width, Style.FAINT, indent=2)
        more = len(detail.others) - len(others) + detail.more
        if more:
            rest = f"and {words.count(more, 'other outcome')}"
            lines += _paragraph(rest, width, Style.FAINT, indent=2)
    return lines


def _polls(polls: Iterable[Poll], width: int) -> list[Line]:
    """Who looks at what, over and over."""
    lines: list[Line] = []
    for poll in polls:
        sentence = f"{one_line(poll.thread)} {words.poll_text(poll)} ({_place(poll.source)})"
        lines += _paragraph(sentence, width, Style.BAD, indent=2)
    return lines


def _waits(waits: Iterable[Wait], verbosity: int, width: int) -> list[Line]:
    """Who waits for what, held by whom; in the order of the circle where there is one."""
    lines: list[Line] = []
    for wait in waits:
        sentence = f"{one_line(wait.thread)} {words.wait_text(wait)}"
        if held := words.held_by(wait):
            sentence += f", {held}"
        if wait.note:
            sentence += f": {one_line(wait.note)}"
        if verbosity > 0:
            sentence += f" ({_place(wait.source)})"
        lines += _paragraph(sentence, width, Style.BAD, indent=2)
    return lines


def _place(source: Source) -> str:
    """A line of a file, with what stands there."""
    return f"{one_line(source.file)}:{source.line}: {one_line(source.text)}"


def _sides(sides: Iterable[PendingAccess], width: int) -> list[Line]:
    """What the two threads of a data race are about to do, and where, as race detectors show it."""
    lines: list[Line] = []
    for each in sides:
        sentence = f"{one_line(each.thread)} {words.pending_text(each)} ({_place(each.source)})"
        lines += _paragraph(sentence, width, Style.BAD, indent=2)
    return lines


def _paragraph(
    text: str, width: int, style: Style = Style.NORMAL, *, indent: int = 0
) -> list[Line]:
    first, *rest = wrap(text, width - indent)
    if rest:  # continuation lines hang, so that one sees where the next paragraph begins
        rest = wrap(" ".join(rest), width - indent - 2)
    margins = [" " * indent] + [" " * (indent + 2)] * len(rest)
    return [[(margin + line, style)] for margin, line in zip(margins, [first, *rest], strict=True)]
