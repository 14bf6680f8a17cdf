"""Statements that look as if they did something, and do nothing, are errors with a line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import ModelError, check

MODEL = """
import contextlib
import interleave
from interleave import *

def helper(self):
    {helper}

class M(Model):
    x = 0

    def setup(self):
        {setup}

    @thread(2)
    def step(self):
        helper(self)
        with atomic():
            self.x += 1
        {step}

    @invariant
    def holds(self):
        {holds}
        return self.x < 3
"""

PLACES = ("helper", "setup", "step", "holds")

IDLE = {
    "assert (self.x < 9, 'large')": "`assert self.x < 9, 'large'`",
    "assert (self.x < 9,)": "`assert self.x < 9`",
    "if self.x == 0: assert (self.x < 9, 'large')": "`assert self.x < 9, 'large'`",
    "atomic()": "`with atomic():`",
    "interleave.atomic()": "`with interleave.atomic():`",
    "section('a')": "`with section('a'):`",
    "inside = section('a')": "`with section('a'):`",
    "for _ in (1, 2): section('a')": "`with section('a'):`",
    "with atomic: pass": "`with atomic():`",
    "with section: pass": '`with section("critical"):`',
    "with contextlib.nullcontext(), atomic: pass": "`with atomic():`",
}

BUSY = (
    "assert self.x < 9, 'large'",
    "assert (self.x < 9)",
    "assert () == ()",
    "with atomic(), section('a'): pass",
    "inside = section('a')\nwith inside: pass",
    "section = list\nsection()",
    "with contextlib.ExitStack() as stack: stack.enter_context(section('a'))",
)


def written(folder: Path, place: str, statement: str) -> Path:
    file = folder / "model.py"
    bodies = dict.fromkeys(PLACES, "pass")
    bodies[place] = textwrap.indent(statement, " " * (4 if place == "helper" else 8)).strip()
    file.write_text(MODEL.format(**bodies))
    return file


@pytest.mark.filterwarnings("ignore:assertion is always true")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("statement", IDLE)
def test_what_does_nothing_is_an_error(tmp_path: Path, statement: str, place: str) -> None:
    file = written(tmp_path, place, statement)
    with pytest.raises(ModelError) as found:
        check(file)
    error = found.value
    assert error.place is not None
    assert file.read_text().splitlines()[error.place.line - 1].strip() == statement
    assert IDLE[statement] in error.remedy


@pytest.mark.parametrize("statement", BUSY)
def test_what_does_something_is_none(tmp_path: Path, statement: str) -> None:
    (found,) = check(written(tmp_path, "step", statement)).models
    assert found.verdict == "verified"


SELECT = """
from interleave import Model, go, goroutine
from interleave.go import select

class M(Model):
    a = go.Chan(1)
    b = go.Chan(1)
    got = None

    @goroutine
    def main(self):
        match {select}:
            case {case}:
                self.got = 1
"""
TWO = "go.recv(self.a), go.send(self.b, 1)"


@pytest.mark.parametrize(
    ("select", "case", "said"),
    [
        (f"go.select({TWO})", "0, v, ok", "gives two things"),
        (f"select({TWO})", "(0, v, ok)", "gives two things"),
        (f"go.select_ok({TWO})", "1, _", "gives three things"),
        (f"go.select({TWO})", "1", "`case 1` never matches"),
        (f"go.select({TWO})", "(0, _) | 1", "`case 1` never matches"),
        (f"go.select({TWO})", "(0, v, ok) as found", "gives two things"),
        (f"go.select({TWO})", "2, _", "no case 2"),
        (f"go.select({TWO})", "-2, _", "no case -2"),
        (f"go.select({TWO})", "-1, _", "which this select does not have"),
    ],
)
def test_a_case_that_is_never_chosen_is_an_error(
    tmp_path: Path, select: str, case: str, said: str
) -> None:
    file = tmp_path / "model.py"
    file.write_text(SELECT.format(select=select, case=case))
    with pytest.raises(ModelError) as found:
        check(file)
    assert said in str(found.value)
    assert found.value.place is not None
    assert found.value.place.line == 13


@pytest.mark.parametrize(
    ("select", "case"),
    [
        (f"go.select({TWO})", "1, _"),
        (f"go.select_ok({TWO})", "1, v, ok"),
        (f"go.select({TWO})", "1, *_"),
        (f"go.select({TWO})", "number, v"),
        (f"go.select({TWO})", "found"),
        (f"go.select({TWO}, default=True)", "(1, _) | (-1, _)"),
        ("go.select(*[go.recv(self.a), go.send(self.b, 1)])", "1, _"),
    ],
)
def test_a_case_that_may_be_chosen_is_none(tmp_path: Path, select: str, case: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(SELECT.format(select=select, case=case))
    (found,) = check(file).models
    assert "got = 1" in str(found.interleavings) or "'got', 1" in str(found.interleavings)
