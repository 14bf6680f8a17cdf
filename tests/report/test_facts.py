"""Every fact of a violation is in the JSON: if one of them changes, so does the document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args

import pytest
import report_results as results

from interleave.report.document import render_json
from interleave.result import (
    Access,
    CallOutcome,
    Change,
    DataRace,
    Detail,
    FailedProperty,
    LostUpdate,
    NotAtomic,
    PendingAccess,
    Poll,
    Polls,
    Result,
    Source,
    StepPart,
    Trace,
    TraceStep,
    Violation,
    Wait,
    Waits,
)
from interleave.schedule import Schedule, Turn

SOURCE = Source("model.py", 3, "self.x += 1")
ACCESS = Access("write", "x")
WAIT = Wait("a", Access("acquire", "lock"), SOURCE, ("b",), True, True, "it is so")
POLL = Poll("b", (Access("read", "x"), Access("read", "y")), SOURCE, (("x", 1), ("y", 2)))
PARTS = tuple(StepPart((ACCESS,), SOURCE, (Change("x", n, n + 1),), "got 1") for n in (0, 1))
STEP = TraceStep(1, "a", (ACCESS, Access("read", "y")), SOURCE, PARTS[0].changes, "read 1", PARTS)
SCHEDULE = Schedule(
    "M", "go", (("N", 2),), 1, (Turn("a", 1, (0, 1), "read x"),), (Turn("b"),), 7, ("z",), ("os",)
)
TRACE = Trace(
    ("a", "b"), (("x", 0),), (STEP,), (("x", 1),), (replace(STEP, number=2, thread="b"),), SCHEDULE
)

DETAILS: dict[type, Detail | None] = {
    type(None): None,
    LostUpdate: LostUpdate("a", "b", 1, 2, 3, True),
    Waits: Waits((WAIT, replace(WAIT, thread="b")), True, True),
    Polls: Polls((POLL, replace(POLL, thread="c", accesses=(), values=())), (WAIT,), True),
    DataRace: DataRace((PendingAccess("a", ACCESS, SOURCE, True),)),
    FailedProperty: FailedProperty(("x",)),
    NotAtomic: NotAtomic(
        CallOutcome((("result of f()", 1), ("result of g()", 2)), (("x", 1), ("y", 2))),
        (CallOutcome((("result of f()", 3),)),),
        ("x", "y"),
        True,
        "f()",
        "g()",
        SOURCE,
        SOURCE,
        2,
        4,
        (CallOutcome((), (("x", 5), ("y", 6))),),
        7,
        (("f()", "g()"), ("g()", "f()")),
    ),
}


def variants(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All that a value is if a single fact in it is another one, each with where that is."""
    if is_dataclass(value):
        for field in fields(value):
            for where, other in variants(getattr(value, field.name), f"{path}.{field.name}"):
                yield where, replace(value, **{field.name: other})  # type: ignore[type-var]
    elif isinstance(value, tuple):
        for at, item in enumerate(value):
            for where, other in variants(item, f"{path}[{at}]"):
                yield where, (*value[:at], other, *value[at + 1 :])
        is_named_value = len(value) == 2 and not isinstance(value[1], type(value[0]))
        if value and not is_named_value:
            yield f"{path}[-1]", value[:-1]
    elif isinstance(value, bool):
        yield path, not value
    elif isinstance(value, int):
        yield path, value + 1
    elif isinstance(value, str):
        yield path, f"{value}!"


def test_there_is_a_violation_of_each_kind() -> None:
    assert {*DETAILS} == {type(None), *get_args(Detail)}


@pytest.mark.parametrize("kind", DETAILS, ids=lambda kind: kind.__name__)
def test_every_fact_is_in_the_document(kind: type) -> None:
    violation = Violation(
        "stuck", "a is stuck", "x", ("a",), TRACE, SOURCE, DETAILS[kind], "so it is", ("b is",)
    )
    known = document(violation)
    missing = [where for where, other in variants(violation) if document(other) == known]
    assert not missing


def document(violation: Violation) -> str:
    return render_json(Result((results.model("M", violation),)), version="")
