"""A model brings checks of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from running import load

import interleave
from interleave.errors import UsageError

SHRINKS = """
from interleave import Model, expect, thread
from interleave.checks import Check, Found
from interleave.result import Violation


class Kinds:
    kinds = ("shrinks",)


class Shrinks(Check):
    kinds = ("shrinks",)
    SEES

    def __init__(self, machine, steps):
        super().__init__(machine, steps)
        self.goal = None

    def on_transition(self, number, state, step):
        values = self.machine.program.heap.values
        for place, value in step.writes:
            before, after = values[state[place]], values[value]
            if self.goal is None and type(before) is type(after) is int and after < before:
                self.goal = number, step
                return True
        return False

    def found(self, graph):
        return [] if self.goal is None else [Found(self.describe, self.goal)]

    def describe(self, path, trace):
        return Violation("shrinks", "a number shrinks", None, (), trace)


@expect("shrinks")
class Best(Model):
    CHECKS = (Shrinks,)
    best = 0

    @thread
    def low(self):
        self.best = 5

    @thread
    def high(self):
        self.best = 9
"""


@pytest.mark.parametrize("engine", ["auto", "reference"])
def test_a_check_is_told_of_every_transition(tmp_path: Path, engine: str) -> None:
    model = load(tmp_path / "model.py", SHRINKS.replace("SEES", ""))
    (result,) = interleave.check(model, engine=engine).models
    assert result.expected is True


def test_the_native_engine_is_for_checks_that_need_less(tmp_path: Path) -> None:
    model = load(tmp_path / "model.py", SHRINKS.replace("SEES", ""))
    with pytest.raises(UsageError, match="Shrinks is to be told of every transition"):
        interleave.check(model, engine="native")
    fewer = load(tmp_path / "fewer.py", SHRINKS.replace("SEES", "sees_all = False"))
    assert interleave.check(fewer, engine="native").models[0].complete


@pytest.mark.parametrize("kinds", ['"shrink"', '"shrinks", "grows"'])
def test_what_no_check_finds_cannot_be_expected(tmp_path: Path, kinds: str) -> None:
    text = SHRINKS.replace("SEES", "").replace('expect("shrinks")', f"expect({kinds})")
    with pytest.raises(interleave.InterleaveError, match="there is no such kind of violation"):
        load(tmp_path / "model.py", text)


@pytest.mark.parametrize("checks", ["(1,)", "(int,)", "(Kinds,)", "Shrinks", "3"])
def test_what_is_no_check_is_an_error(tmp_path: Path, checks: str) -> None:
    text = (
        SHRINKS.replace("SEES", "").replace("(Shrinks,)", checks).replace('@expect("shrinks")', "")
    )
    model = load(tmp_path / "model.py", text)
    with pytest.raises(interleave.InterleaveError, match="CHECKS is"):
        interleave.check(model)


def test_the_kinds_are_those_of_the_checks() -> None:
    from interleave.checks import ALL
    from interleave.model import KINDS

    assert [kind for check in ALL for kind in check.kinds] == [*KINDS]


@pytest.mark.parametrize(
    ("runtime", "races"), [("free-threaded", False), ("free-threaded", True), ("gil", False)]
)
def test_a_check_of_the_package_is_made_once(tmp_path: Path, runtime: str, races: bool) -> None:
    text = "from interleave.checks.races import RaceCheck\n" + SHRINKS.replace("SEES", "")
    model = load(tmp_path / "model.py", text.replace("(Shrinks,)", "(Shrinks, RaceCheck)"))
    (result,) = interleave.check(model, runtime=runtime, races=races).models
    raced = [each for each in result.violations if each.kind == "data-race"]
    assert len(raced) == races


@pytest.mark.parametrize("target", [3, None, 1.5, [3], [b"model.py"]])
@pytest.mark.parametrize("function", [interleave.check, interleave.explore])
def test_what_is_nothing_to_check_is_an_error(function: Any, target: object) -> None:
    with pytest.raises(UsageError, match="nothing to check"):
        function(target)
