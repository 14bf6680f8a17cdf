"""Cases that were written down give the same numbers when they are read back, and no code runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from concurrent_models import models
from families import drawn
from generator_programs import async_programs, programs
from hypothesis import Phase
from running import load, unload

from interleave.checking import checked_model
from interleave.errors import InterleaveError
from interleave.loading import load_models, parameters_of
from interleave.machine import Machine, Moves, Step
from interleave.model import Model
from interleave.options import Options
from interleave.recorded.reading import Recorded
from interleave.recorded.writing import written
from interleave.said import said

FILES = sorted((Path(__file__).parent.parent / "models").glob("*/*.py"))[::12]
"""Some. That all of them can be read back, test_models.py says."""


def facts_of(outcome: Any) -> object:
    """What an outcome says, in words that do not depend on which program it is of."""
    if isinstance(outcome, Moves):
        return [*map(facts_of, outcome.steps)], outcome.blocked is None, outcome.looked_at
    if not isinstance(outcome, Step):
        return outcome
    accesses = [
        (
            access.kind.name,
            access.kind.where,
            [(touch.location.name, touch.fresh, touch.value) for touch in access.writes],
            [touch.location.name for touch in access.reads],
            repr(access.raised),
        )
        for access in outcome.accesses
    ]
    failed = outcome.failure and (said(outcome.failure.exception), outcome.failure.raised_by_assert)
    return *outcome.outcome()[:3], failed, accesses, outcome.raised, outcome.choices


def assert_same_numbers(model: type[Model]) -> None:
    """Another machine that reads what was learnt knows each case, and all has the same numbers.

    Nothing is asserted of a model that is at fault.
    """
    with suppress(InterleaveError):
        checked = checked_model(model, "", parameters_of(model, {}), Options())
        assert checked.searched is not None
        machine = checked.searched.machine
        record = written(machine)
        other = Machine(checked.searched.make())
        other.cases.earlier = Recorded(other, record)
        for case in machine.cases.learnt:
            outcome, looked_at = other.cases.ask(case.question, case.state, refuse)
            assert facts_of(outcome) == facts_of(case.outcome)
            assert looked_at == case.looked_at
        again = written(other)
        assert (again.tables, again.paths) == (record.tables, record.paths)


def refuse() -> Any:
    raise AssertionError("this case is known")


@pytest.mark.slow
@drawn(8, 60, source=models())
def test_random_models(tmp_path: Path, source: str) -> None:
    assert_same_numbers(load(tmp_path / "model.py", source))
    unload()


@pytest.mark.slow
@drawn(4, 40, source=programs() | async_programs(), phases=[Phase.generate])
def test_generators_that_wait(tmp_path: Path, source: str) -> None:
    assert_same_numbers(load(tmp_path / "model.py", source))
    unload()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_models(file: Path) -> None:
    for model in load_models(file):
        assert_same_numbers(model)
