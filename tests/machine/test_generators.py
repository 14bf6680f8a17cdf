"""Generators: what real Python makes of a program, and what threads make of each other's."""

from __future__ import annotations

import textwrap
from pathlib import Path

import comprehension_programs as comprehensions
import pytest
from families import drawn
from generator_programs import async_programs, programs
from hypothesis import Phase
from running import events, load

from interleave import InterleaveError, check
from interleave.compiler import generators


@drawn(12, 50, text=programs(), phases=[Phase.generate])
def test_as_in_real_python(tmp_path: Path, text: str) -> None:
    by_python, by_interleave = events(tmp_path / "model.py", text)
    assert by_python == by_interleave


@drawn(8, 50, text=async_programs(), phases=[Phase.generate])
def test_asynchronous_ones_as_in_real_python(tmp_path: Path, text: str) -> None:
    by_python, by_interleave = events(tmp_path / "model.py", text)
    assert by_python == by_interleave


@pytest.mark.parametrize("seed", range(12))
def test_comprehensions_as_in_real_python(tmp_path: Path, seed: int) -> None:
    by_python, by_interleave = events(tmp_path / "model.py", comprehensions.program(seed))
    assert by_python == by_interleave


HEAD = """
import contextlib
from interleave import Model, thread

class M(Model):
    n = 0
    items = [1, 2]
    log = ()

    def values(self):
        for i in range(2):
            value = self.n
            yield value
            self.n = value + 1

    def delegated(self):
        yield from self.values()
        return 7

    def filtered(self):
        return (each for each in self.items if each > self.n)

    @contextlib.contextmanager
    def added(self):
        before = self.n
        try:
            yield before
        finally:
            self.n = before + 1

    @thread(2)
    def run(self, i):
"""

SAME = {
    "for": (
        "for value in self.values():\n    self.log += (value,)",
        (
            "for i in range(2):\n    value = self.n\n    self.log += (value,)\n"
            "    self.n = value + 1"
        ),
    ),
    "next": (
        "g = self.values()\nself.log = (next(g), next(g), next(g, 5))",
        "a = self.n\nself.n = a + 1\nb = self.n\nself.n = b + 1\nself.log = (a, b, 5)",
    ),
    "yield from": (
        "for value in self.delegated():\n    pass",
        "for i in range(2):\n    value = self.n\n    self.n = value + 1",
    ),
    "with": (
        "with self.added() as before:\n    self.log = before",
        "before = self.n\ntry:\n    self.log = before\nfinally:\n    self.n = before + 1",
    ),
    "contextlib": (
        "with contextlib.suppress(KeyError):\n    {}['x']\n"
        "with contextlib.nullcontext(3) as value:\n    self.n += value",
        "self.n += 3",
    ),
    "comprehension of an expression": (
        "self.log = tuple([x + self.n for x in (y * 2 for y in self.items if y > self.n)])",
        (
            "log = []\nfor y in self.items:\n    if y > self.n:\n"
            "        log.append(y * 2 + self.n)\nself.log = tuple(log)"
        ),
    ),
    "expression": (
        "for each in self.filtered():\n    self.n += each",
        "for each in self.items:\n    if each > self.n:\n        self.n += each",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("case", SAME)
def test_as_the_same_code_written_out(tmp_path: Path, case: str, engine: str) -> None:
    results = []
    for number, body in enumerate(SAME[case]):
        text = HEAD + textwrap.indent(body, " " * 8)
        (result,) = check(load(tmp_path / f"model{number}.py", text), engine=engine).models
        assert result.interleavings is not None
        kinds = sorted({(each.kind, each.location) for each in result.violations}, key=repr)
        results.append((result.states, kinds, result.interleavings))
    assert results[0] == results[1]


CLOSED = """
from interleave import Model, thread

class M(Model):
    events = ()

    def values(self):
        try:
            yield 1
        except GeneratorExit:
            return 7

    @thread
    def run(self):
        one, other = self.values(), self.values()
        next(one), next(other)
        log = [one.close(), one.close(), *map(lambda each: each.close(), [other])]
        self.events = tuple(log)
"""


def test_what_close_gives(tmp_path: Path, monkeypatch) -> None:
    by_python, by_interleave = events(tmp_path / "model.py", CLOSED)
    assert by_python == by_interleave
    monkeypatch.setattr(generators, "CLOSE_GIVES_VALUE", not generators.CLOSE_GIVES_VALUE)
    _, otherwise = events(tmp_path / "model.py", CLOSED)
    assert {by_interleave, otherwise} == {(None, None, None), (7, None, 7)}


REFUSED = {
    "given up in a try": (
        "def f(self):\n    try:\n        yield 1\n    finally:\n        self.n = 1",
        "for each in self.f():\n    break\nself.n = 2",
        "the generator M.f is given up inside of a `with` or `try`",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    helpers, body, message = REFUSED[case]
    text = "from interleave import Model, thread\nclass M(Model):\n    n = 0\n"
    text += textwrap.indent(helpers, " " * 4) + "\n    @thread(2)\n    def run(self):\n"
    with pytest.raises(InterleaveError, match=message):
        check(load(tmp_path / "model.py", text + textwrap.indent(body, " " * 8)))


def test_given_up_where_nothing_is_to_be_done(tmp_path: Path) -> None:
    text = HEAD + "        for each in self.values():\n            break\n        self.n = 2"
    (result,) = check(load(tmp_path / "model.py", text)).models
    assert result.violations == ()
