"""Generators that threads share: what real Python makes of them, and what threads of each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from generator_programs import programs
from hypothesis import Phase, given, settings
from running import events, load

from interleave import ModelError, check

OWN = "made = [self.outer(log), self.nested(log)]"
SHARED = "self.made = made = [self.outer(log), self.nested(log)]"


@given(programs())
@settings(max_examples=5, phases=[Phase.generate])
def test_as_in_real_python(tmp_path: Path, text: str) -> None:
    """One that a thread makes, and has in a variable of the model too."""
    assert OWN in text
    shared = text.replace("events = ()", "events = ()\n    made = None").replace(OWN, SHARED)
    # What C code goes through cannot share what it makes on the way, within one statement.
    shared = re.sub(r"list\((made.*)\)\)\)", r"[each for each in \1]))", shared)
    by_python, by_interleave = events(tmp_path / "model.py", shared)
    assert by_python == by_interleave


MODEL = """
import contextlib, threading
from interleave import Model, thread

class M(Model):
    got = ()
    n = 0
    gen = None
    lock = threading.Lock()

    def numbers(self, n, *more, k=1):
        for i in range(n):
            yield i + k
        yield from more

    def counted(self):
        while True:
            n = self.n
            self.n = n + 1
            yield n

    def setup(self):
        self.gen = {made}

    @thread(2)
    def run(self, i):
        {body}
"""


def outcomes(tmp_path: Path, made: str, body: str, engine: str = "reference") -> set[object]:
    """What is in `got` in the end, and the kinds of what is found."""
    text = MODEL.format(made=made, body=body.replace("\n", "\n        "))
    (result,) = check(load(tmp_path / "model.py", text), engine=engine).models
    assert result.interleavings is not None
    found = {dict(each.state)["got"] for each in result.interleavings.outcomes}
    return found | {each.kind for each in result.violations if each.kind != "lost-update"}


NEXT = """
with self.lock:
    value = next(self.gen, None)
    self.got += (value,)
"""
TRIED = """
try:
    value = next(self.gen, None)
except ValueError:
    value = "runs"
with self.lock:
    self.got += (value,)
"""


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(
    ("made", "body", "expected"),
    [
        ("self.numbers(2)", NEXT, {(1, 2)}),
        ("self.numbers(0, 7)", NEXT, {(7, None)}),
        ("self.numbers(1, 5, k=3)", NEXT, {(3, 5)}),
        ("self.counted()", NEXT, {(0, 1)}),
        ("self.numbers(2)", TRIED, {(1, 2), (2, 1), (1, "runs"), ("runs", 1)}),
        ("self.counted()", TRIED, {(0, 1), (1, 0), (0, "runs"), ("runs", 0)}),
    ],
)
def test_made_in_setup(
    tmp_path: Path, made: str, body: str, expected: set[object], engine: str
) -> None:
    assert outcomes(tmp_path, made, body, engine) == expected


MAKES = """
if i == 0:
    box = []
    self.gen = (box.append(each) or (each, len(box)) for each in self.numbers(2))
elif self.gen is not None:
    with self.lock:
        self.got = tuple(self.gen)
"""


def test_made_by_a_thread(tmp_path: Path) -> None:
    assert outcomes(tmp_path, "None", MAKES) == {(), ((1, 1), (2, 2))}


def test_both_at_once_raise(tmp_path: Path) -> None:
    found = outcomes(tmp_path, "self.numbers(2)", "for value in self.gen: self.got += (value,)")
    assert "exception" in found


@pytest.mark.parametrize(
    ("made", "body"),
    [
        ("self.numbers(3); next(self.gen)", "next(self.gen)"),
        ("(each for each in [1, 2])", "next(self.gen)"),
        ("[self.numbers(0, 1)]", "next(self.gen[0])\nself.gen.clear()"),
    ],
)
def test_refused(tmp_path: Path, made: str, body: str) -> None:
    with pytest.raises(ModelError, match=r"generator"):
        outcomes(tmp_path, made, body)
