"""What is an assertion that fails, and what is an exception that comes up in one."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import load

from interleave import check

TEXT = """
from interleave import Model, thread

class M(Model):
    numbers = []
    names = {}
    n = 0

    def raises(self):
        raise ValueError(self.n)

    def says_so(self):
        raise AssertionError(self.n)

    def asserts(self):
        assert self.n, "in the helper"

    @thread
    def t(self):
        STATEMENT

    @thread
    def u(self):
        self.numbers.append(1)
        self.names["x"] = 1
        self.n = 1
"""

KINDS = {
    "assert self.n": "assertion",
    "assert self.n, self.n": "assertion",
    "assert not self.n < 1 or self.n > 1": "assertion",
    "assert self.asserts() is None": "assertion",
    "assert self.numbers[0]": "exception",
    "assert len(self.numbers) > 5 or self.numbers[0]": "exception",
    "assert self.names['x'] == 1": "exception",
    "assert 1 // self.n": "exception",
    "assert self.raises()": "exception",
    "assert self.says_so()": "exception",
    "assert [1 for each in range(2) if 1 // self.n]": "exception",
    "assert False, self.numbers[0] // self.n": "exception",
}


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("statement", KINDS)
def test_what_an_assertion_is(tmp_path: Path, statement: str, engine: str) -> None:
    model = load(tmp_path / "model.py", TEXT.replace("STATEMENT", statement))
    (result,) = check(model, engine=engine).models
    kinds = {each.kind for each in result.violations} - {"lost-update"}
    also = {"assertion"} if statement.startswith("assert False") else set()
    assert kinds == {KINDS[statement]} | also


@pytest.mark.parametrize("engine", ["auto", "reference", "native"])
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("assert not self.items, self.items", "[1]"),
        ("raise ValueError(self.items)", "[1]"),
        ("raise KeyError('a', self.items)", "('a', [1])"),
        ("raise RuntimeError(self.box)", "Box(n=1)"),
        ("raise RuntimeError(str(self.items))", "[1]"),
    ],
)
def test_a_message_shows_what_was_in_shared_objects(
    tmp_path: Path, code: str, text: str, engine: str
) -> None:
    source = f"""
from interleave import Model, thread
class Box:
    def __init__(self):
        self.n = 0
class M(Model):
    items, box = [], Box()
    @thread
    def t(self):
        self.items.append(1)
        self.box.n = 1
        {code}
    @thread
    def u(self):
        len(self.items), self.box.n
"""
    (result,) = check(load(tmp_path / "model.py", source), engine=engine).models
    assert {each.message.rpartition(": ")[2] for each in result.violations} == {text}
