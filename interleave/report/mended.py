"""What `fix` has found: sentences and diffs for people, a diff for `patch`, a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from interleave.loading import here
from interleave.mending.results import Cost, Fix, Fixes
from interleave.report.cells import one_line, wrap
from interleave.report.document import document_text
from interleave.report.locked import outcome_text
from interleave.report.style import Line, Style, hanging, written
from interleave.report.words import count, violation_name
from interleave.result import ModelResult, Outcome, Violation
from interleave.showing import plain_text


def render_text(found: Fixes, *, color: bool = False, width: int = 100, **_: object) -> str:
    """What there is to say of each model that is violated, without a newline at its end."""
    lines: list[Line] = []
    for model in found.models:
        if model.violations or model.mended:
            lines += [[]] if lines else []
            lines += _model(model, width)
    rest = sum(not (each.violations or each.mended) for each in found.models)
    if rest:
        lines += [[]] if lines else []
        unknown = sum(not each.complete for fix in found.models for each in fix.before)
        said = f"nothing to fix in {count(rest, 'model')}"
        said += f"; {count(unknown, 'search')} did not come to an end" if unknown else ""
        lines.append([(said, Style.FAINT)])
    for file in found.applied:
        lines.append([(f"{one_line(file)} is written", Style.STRONG)])
    return written(lines, color=color)


def render_diff(found: Fixes, **_: object) -> str:
    """The changes of all files, each as one diff."""
    return "\n".join(text for text in found.diffs.values() if text)


def render_json(found: Fixes, *, version: str, **_: object) -> str:
    """All of it as a JSON document."""
    parts = {
        "models": [_as_data(model) for model in found.models],
        "diffs": {plain_text(file): plain_text(text) for file, text in found.diffs.items()},
        "applied": [*map(plain_text, found.applied)],
    }
    return document_text(found, version, parts)


# Sentences


def _model(model: Fix, width: int) -> list[Line]:
    head = f"{one_line(model.model)} ({one_line(model.file)}): {_headline(model)}"
    lines: list[Line] = [[(text, Style.STRONG)] for text in wrap(head, width)]
    for violation in model.violations or model.mended:
        sentence = f"{violation_name(violation)}: {one_line(violation.message)}"
        lines += hanging(sentence, 2, width, Style.BAD)
    if model.mended:
        return lines
    if not model.diff:
        return [*lines, *_none_found(model, width)]
    lines += [[], *map(_of_diff, model.diff.splitlines()), []]
    for violation in model.left:
        sentence = f"still there: {violation_name(violation)}: {one_line(violation.message)}"
        lines += hanging(sentence, 2, width, Style.BAD)
    for result in () if model.left else model.after:
        lines += hanging(_verdict(result), 2, width, Style.GOOD)
    for sentence in _costs(model.costs):
        lines += hanging(sentence, 2, width, Style.NORMAL)
    for sentence in _outcomes(model):
        lines += hanging(sentence, 2, width, Style.CAUTION)
    if model.expects and not model.left:
        sentence = "the model says by @expect what it finds: change that too"
        lines += hanging(sentence, 2, width, Style.FAINT)
    return lines


def _headline(model: Fix) -> str:
    if model.mended:
        return "mended by a change above"
    if model.left:
        return f"no change was found that removes all; {one_line(model.words)} removes a part"
    return one_line(model.words) if model.diff else "no change was found"


def _none_found(model: Fix, width: int) -> list[Line]:
    tried = model.limit or f"{count(model.tried, 'change')} of the kinds that there are"
    said = f"none is verified: {tried}, up to {count(model.most_states, 'state')} each"
    lines = hanging(said, 2, width, Style.CAUTION)
    places = [place for each in model.violations for place in _elsewhere(each, model.file)]
    for place in dict.fromkeys(places):
        said = f"{place}, and only {one_line(str(here(model.file)))} may be changed"
        lines += hanging(said, 2, width, Style.CAUTION)
    return lines


def _elsewhere(violation: Violation, file: str) -> Iterator[str]:
    """The lines at fault that are in another file than the one that is changed, in words."""
    lost = violation.lost_update
    told = [("a line at fault", violation.source)]
    if lost is not None:
        told = [("the write", violation.trace.all_steps[lost.overwrite - 1].source)]
    elif violation.race:
        told = [("an access", side.source) for side in violation.race]
    for what, source in told:
        if source is not None and source.file != file:
            yield f"{what} is at {one_line(str(here(source.file)))}:{source.line}"


def _of_diff(line: str) -> Line:
    shown = "".join(each if each.isprintable() or each == "\t" else "\ufffd" for each in line)
    style = {"+": Style.GOOD, "-": Style.BAD, "@": Style.FAINT}.get(line[:1], Style.NORMAL)
    return [(f"  {shown}", style)]


def _verdict(result: ModelResult) -> str:
    return f"{result.verdict} under {result.runtime}: {count(result.states, 'state')}"


def _costs(costs: Sequence[Cost]) -> Iterator[str]:
    """In how many orders threads can still access what they share."""
    less = [each for each in costs if (each.after or 0) < (each.before or 0)]
    last = less[-1] if less else None
    for cost in costs:
        if cost.before is None or cost.after is None:
            yield f"orders of accesses under {cost.runtime}: not counted"
            continue
        share = ""
        if cost.before >= cost.after and cost.before:
            share = f" ({100 * cost.after / cost.before:.3g} %)"
        if cost.before > cost.after and cost is last:
            share += "; the fewer are left, the more parallelism it costs"
        yield (
            f"orders of accesses under {cost.runtime}: {cost.after:,} where there were "
            f"{cost.before:,}{share}"
        )


def _outcomes(model: Fix) -> Iterator[str]:
    if model.untold:
        yield "which outcomes met no violation before takes too much to tell"
    for told, outcomes in (
        ("an outcome that is not reached any more", model.lost),
        ("an outcome that was not reached before", model.new),
    ):
        for text, runtimes in _by_text(outcomes).items():
            yield f"{told}, under {' and '.join(runtimes)}: {text}"


def _by_text(outcomes: Sequence[tuple[str, Outcome]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for runtime, outcome in outcomes:
        found.setdefault(outcome_text(outcome), []).append(runtime)
    return found


# Data


def _as_data(model: Fix) -> dict[str, object]:
    return {
        "model": plain_text(model.model),
        "file": plain_text(model.file),
        "violations": [
            {"kind": each.kind, "message": plain_text(each.message)} for each in model.violations
        ],
        "found": model.is_found,
        "mended": [
            {"kind": each.kind, "message": plain_text(each.message)} for each in model.mended
        ],
        "left": [{"kind": each.kind, "message": plain_text(each.message)} for each in model.left],
        "change": plain_text(model.words),
        "diff": plain_text(model.diff),
        "verdicts": {each.runtime: each.verdict for each in model.after},
        "orders": [
            {"runtime": each.runtime, "before": each.before, "after": each.after}
            for each in model.costs
        ],
        "outcomes_lost": [*map(plain_text, _by_text(model.lost))],
        "outcomes_new": [*map(plain_text, _by_text(model.new))],
        "outcomes_told": not model.untold,
        "tried": model.tried,
        "limit": plain_text(model.limit),
    }
