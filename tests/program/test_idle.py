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
