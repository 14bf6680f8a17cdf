"""The report as data: one JSON document, schema 1.

Keys may be added to a schema; none is renamed or removed without a new schema number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from interleave.errors import InterleaveError, UsageError
from interleave.result import (
    Access,
    CallOutcome,
    Change,
    Compared,
    DataRace,
    Detail,
    ExpressionPart,
    FailedProperty,
    Interleavings,
    LostUpdate,
    ModelResult,
    NotAtomic,
    PendingAccess,
    Poll,
    Polls,
    Result,
    Source,
    StepPart,
    TraceStep,
    Violation,
    Wait,
    Waits,
)
from interleave.schedule import Schedule
from interleave.showing import plain_text, to_json

SCHEMA = 1

Document = dict[str, Any]
"""A JSON object: what it holds passes `json.dumps(..., allow_nan=False)`."""


def to_document(result: Result, *, version: str) -> Document:
    """The result as a JSON object; `version` is that of interleave.

    Values that JSON has are themselves, tuples and deques are lists, and any other value (a set,
    bytes, NaN, an enum, a dataclass, the state of a lock) is the text that the other reports show.
    """
    return {**_head(result, version), "models": [_model(model) for model in result.models]}


def render_json(result: Result, *, version: str) -> str:
    """`to_document` as indented JSON text, without a newline at its end."""
    return _dumps(to_document(result, version=version))


class _Told(Protocol):
    """What a command has found."""

    @property
    def exit_code(self) -> int:
        """What the command ends with."""

    @property
    def errors(self) -> Sequence[InterleaveError]:
        """Those of files and models that could not be looked at."""


def document_text(told: _Told, version: str, parts: Document) -> str:
    """What a command has found as indented JSON text: how it ended, and then its `parts`."""
    return _dumps({**_head(told, version), **parts})


def _head(told: _Told, version: str) -> Document:
    errors = [plain_text(str(error)) for error in told.errors]
    return {
        "schema": SCHEMA,
        "version": version,
        "exit_code": told.exit_code,
        **({"errors": errors} if errors else {}),
    }


def _dumps(document: Document) -> str:
    return json.dumps(document, allow_nan=False, ensure_ascii=False, indent=2)


def _model(model: ModelResult) -> Document:
    return {
        "model": plain_text(model.model),
        "file": plain_text(model.file),
        "runtime": model.runtime,
        "parameters": _values(model.parameters.items()),
        "verdict": model.verdict,
        "expected": model.expected,
        "expectation": plain_text(model.expectation),
        "complete": model.complete,
        "limit": plain_text(model.limit),
        **({"limit_kind": model.limit_kind} if model.limit_kind else {}),
        "states": model.states,
        "transitions": model.transitions,
        "depth": model.depth,
        **_interleavings(model.interleavings),
        "assumed_pure": [plain_text(name) for name in model.assumed_pure],
        "bounds": _values(model.bounds),
        "followed": [
            {
                "file": plain_text(each.file),
                "functions": [plain_text(name) for name in each.functions],
            }
            for each in model.followed
        ],
        **_compared(model.compared),
        "warnings": [plain_text(warning) for warning in model.warnings],
        "violations": [_violation(violation) for violation in model.violations],
    }


def _compared(compared: Compared | None) -> Document:
    """What a race has found out, and of all else nothing."""
    if compared is None:
        return {}
    return {
        "atomic": None if compared.why_not else compared.outcomes == compared.explained,
        "compared": {
            "outcomes": compared.outcomes,
            "explained": compared.explained,
            "why_not": plain_text(compared.why_not),
        },
    }


def _interleavings(counted: Interleavings | None) -> Document:
    if counted is None:
        return {"interleavings": None, "violating_interleavings": None, "outcomes": None}
    outcomes = [
        {
            "state": _values(outcome.state),
            "end": outcome.how,
            "interleavings": outcome.interleavings,
        }
        for outcome in counted.outcomes
    ]
    return {
        "interleavings": counted.total,
        "violating_interleavings": counted.violating,
        **({"uncounted": counted.uncounted} if counted.uncounted else {}),
        "outcomes": outcomes or None,
    }


def _violation(violation: Violation) -> Document:
    return {
        "kind": violation.kind,
        "message": plain_text(violation.message),
        "hint": plain_text(violation.hint),
        "location": _name(violation.location),
        "threads": [plain_text(thread) for thread in violation.threads],
        "source": None if violation.source is None else _source(violation.source),
        "initial": _values(violation.trace.initial),
        "final": _values(violation.trace.final),
        "all_threads": [plain_text(thread) for thread in violation.trace.threads],
        "trace": [_step(step) for step in violation.trace.steps],
        "loop": [_step(step) for step in violation.trace.loop],
        "schedule": violation.schedule and _schedule(violation.schedule),
        **_detail(violation.detail),
        **({"alike": [*map(plain_text, violation.alike)]} if violation.alike else {}),
    }


def _schedule(schedule: Schedule) -> Document | None:
    """How it is stored; None where it cannot be."""
    try:
        return schedule.to_document()
    except UsageError:
        return None


def _detail(detail: Detail | None) -> Document:
    """What there is to say of a violation by what it is, and of all else that it says nothing."""
    document: Document = {
        "waits": [],
        "cycle": False,
        "leaked": False,
        "race": [],
        "lost_update": None,
        "looked_at": [],
    }
    match detail:
        case LostUpdate():
            document["lost_update"] = _lost(detail)
        case Waits(waits, cycle, leaked):
            document |= {"waits": [*map(_wait, waits)], "cycle": cycle, "leaked": leaked}
        case Polls(polls, waits, cycle):
            looks = [each for poll in polls for each in _poll(poll)]
            document |= {"waits": [*looks, *map(_wait, waits)], "cycle": cycle}
        case DataRace(sides):
            document["race"] = [*map(_pending, sides)]
        case FailedProperty(looked_at, why):
            document["looked_at"] = [*map(plain_text, looked_at)]
            document["why"] = [*map(_part_of_expression, why)]
        case NotAtomic():
            document["not_atomic"] = _not_atomic(detail)
    return document


def _part_of_expression(part: ExpressionPart) -> Document:
    return {
        "text": plain_text(part.text),
        "value": to_json(part.value),
        "is_false": part.is_false,
        "changed_at": part.changed_at,
    }


def _not_atomic(detail: NotAtomic) -> Document:
    return {
        "outcome": _call_outcome(detail.outcome),
        "nearest": [*map(_call_outcome, detail.nearest)],
        "differing": [*map(plain_text, detail.differing)],
        "only_state": detail.only_state,
        "came_in": plain_text(detail.came_in),
        "interrupted": plain_text(detail.interrupted),
        "before": detail.before and _source(detail.before),
        "after": detail.after and _source(detail.after),
        "last": detail.last,
        "next": detail.next,
        "others": [*map(_call_outcome, detail.others)],
        "more": detail.more,
        "order": [[*map(plain_text, each)] for each in detail.order],
    }


def _call_outcome(outcome: CallOutcome) -> Document:
    return {"results": _values(outcome.results), "state": _values(outcome.state)}


def _step(step: TraceStep) -> Document:
    """One step, with its "parts" if it has any.

    "access" is the first of its "accesses", of which an atomic block has several.
    """
    accesses = [_access(access) for access in step.accesses]
    return {
        "step": step.number,
        "thread": plain_text(step.thread),
        "access": accesses[0] if accesses else None,
        **_facts(step),
        **({"parts": [*map(_facts, step.parts)]} if step.parts else {}),
    }


def _facts(step: TraceStep | StepPart) -> Document:
    """What a step, or a part of one, does."""
    return {
        "accesses": [_access(access) for access in step.accesses],
        "source": _source(step.source),
        "changes": _changes(step.changes),
        "outcome": plain_text(step.outcome),
        **({"looked": plain_text(step.looked)} if step.looked else {}),
    }


def _changes(changes: tuple[Change, ...]) -> Document:
    """Location to [before, after], over the whole step where it changes a location twice."""
    document: Document = {}
    for change in changes:
        before = document.get(change.location, [to_json(change.before)])[0]
        document[plain_text(change.location)] = [before, to_json(change.after)]
    return document


def _access(access: Access) -> Document:
    return {"kind": plain_text(access.kind), "location": _name(access.location)}


def _source(source: Source) -> Document:
    return {"file": plain_text(source.file), "line": source.line, "text": plain_text(source.text)}


def _poll(poll: Poll) -> list[Document]:
    """A thread that waits busily, once for each access by which it looks."""
    known = {name: to_json(value) for name, value in poll.values}
    return [
        {
            "thread": plain_text(poll.thread),
            "access": None if access is None else _access(access),
            "source": _source(poll.source),
            "holders": [],
            **({"value": known[access.location]} if access and access.location in known else {}),
        }
        for access in poll.accesses or (None,)
    ]


def _wait(wait: Wait) -> Document:
    return {
        "thread": plain_text(wait.thread),
        "access": _access(wait.access),
        "source": _source(wait.source),
        "holders": [plain_text(holder) for holder in wait.holders],
        "holders_ended": wait.holders_ended,
        "is_run": wait.is_run,
        "note": wait.note,
    }


def _pending(pending: PendingAccess) -> Document:
    return {
        "thread": plain_text(pending.thread),
        "access": _access(pending.access),
        "source": _source(pending.source),
        "writes": pending.writes,
    }


def _lost(lost: LostUpdate) -> Document:
    return {
        "reader": plain_text(lost.reader),
        "writer": plain_text(lost.writer),
        "read": lost.read,
        "lost": lost.lost,
        "overwrite": lost.overwrite,
        "by_condition": lost.by_condition,
    }


def _name(name: str | None) -> str | None:
    return None if name is None else plain_text(name)


def _values(pairs: Iterable[tuple[str, object]]) -> Document:
    return {plain_text(name): to_json(value) for name, value in pairs}
