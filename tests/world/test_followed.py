"""What threads may do besides: variables of modules, classes and functions, and lambdas.

Each comes with a race that is found, and a lock around it that makes the model verified.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from interleave import check


@dataclass
class Case:
    body: str
    """What each of two threads does."""
    holds: str
    """What is true if one does it after the other."""
    header: str = ""
    shared: str = "x = 0"
    methods: str = ""
    found: tuple[str, ...] = ("lost-update", "postcondition")


BOX = """\
class Box:
    made = []

    @classmethod
    def add(cls):
        cls.made.append(len(cls.made))
"""

SLOW = """\
class Box:
    made = 0

    @property
    def late(self):
        before = Box.made
        time.sleep(1)
        Box.made = before + 1
"""

TAKES = """\
PLACES = [1]
class Box:
    def __init__(self):
        if PLACES:
            self.at = PLACES.pop()
"""

CASES = {
    "a global": Case("global COUNT\nCOUNT += 1", "COUNT == 2", header="COUNT = 0"),
    "a global by `:=`": Case(
        "global COUNT\nprint(COUNT := COUNT + 1)", "COUNT == 2", header="COUNT = 0"
    ),
    "a variable of a function around, by `:=`": Case(
        "n = 0\ndef f():\n    return n + 1\nself.x = (n := self.x) + f() - n", "self.x == 2"
    ),
    "an attribute of the model's class": Case("M.x += 1", "M.x == 2"),
    "a list of the model's class": Case(
        "M.items.append(len(M.items))",
        "M.items == [0, 1]",
        shared="items = []",
        found=("postcondition",),
    ),
    "a list of another class": Case(
        "Box.add()", "Box.made == [0, 1]", header=BOX, found=("postcondition",)
    ),
    "a list that is a default argument": Case(
        "self.f()",
        "self.f(look=True) == [0, 1]",
        methods=(
            "def f(self, acc=[], look=False):\n"
            "    if not look:\n        acc.append(len(acc))\n"
            "    return acc"
        ),
        found=("postcondition",),
    ),
    "a new attribute": Case("self.y = getattr(self, 'y', 0) + 1", "self.y == 2"),
    "a global that making an object takes from": Case(
        "Box()", "PLACES == []", header=TAKES, found=("exception",)
    ),
    "a property of an object that sleeps": Case("Box().late", "Box.made == 2", header=SLOW),
    "an attribute that is deleted": Case(
        "if hasattr(self, 'y'):\n    del self.y",
        "not hasattr(self, 'y')",
        methods="def setup(self):\n    self.y = 1",
        found=("exception",),
    ),
    "an attribute that is deleted by its name": Case(
        "if hasattr(self, 'y'):\n    delattr(self, 'y')",
        "not hasattr(self, 'y')",
        methods="def setup(self):\n    self.y = 1",
        found=("exception",),
    ),
    "a global function that it defines": Case(
        "global add\ndef add(n):\n    return n + 1\nself.x = add(self.x)", "self.x == 2"
    ),
    "a variable of a function around, that it defines as a function": Case(
        "define()\nself.x = call(self.x)",
        "self.x == 2",
        header=(
            "def make():\n    add = None\n    def define():\n        nonlocal add\n"
            "        def add(n):\n            return n + 1\n"
            "    return define, lambda n: add(n)\ndefine, call = make()"
        ),
    ),  # fmt: skip
    "a lambda in a variable": Case("f = lambda: self.x + 1\nself.x = f()", "self.x == 2"),
    "a lambda in a list": Case("fs = [lambda: self.x + 1]\nself.x = fs[0]()", "self.x == 2"),
    "a lambda in an attribute": Case(
        "self.f = lambda: self.x + 1\nself.x = self.f()", "self.x == 2", shared="x = 0\nf = None"
    ),
    "a lambda with a default value": Case("self.x = (lambda by=1: self.x + by)()", "self.x == 2"),
    "a lambda that map calls in a loop": Case(
        "for i in map(lambda v: v + self.x, [1]):\n    self.x = i", "self.x == 2"
    ),
    "after an import that fails": Case(
        "try:\n    import nonexistent\nexcept ImportError:\n    self.x += 1", "self.x == 2"
    ),
}

MODEL = """\
import threading
import time
from interleave import Model, postcondition, thread
LOCK = threading.Lock()
{header}

class M(Model):
{shared}

{methods}

    @thread(2)
    def run(self):
{body}

    @postcondition
    def holds(self):
        return {holds}
"""


def source(case: Case, *, locked: bool) -> str:
    body = case.body
    if locked:
        body = "with LOCK:\n" + textwrap.indent(body, "    ")
    return MODEL.format(
        header=case.header,
        shared=textwrap.indent(case.shared, "    "),
        methods=textwrap.indent(case.methods, "    "),
        body=textwrap.indent(body, "        "),
        holds=case.holds,
    )


@pytest.mark.parametrize("name", CASES)
def test_a_race_is_found(tmp_path: Path, name: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(source(CASES[name], locked=False))
    (found,) = check(file).models
    assert found.verdict == "violated"
    assert tuple(sorted(violation.kind for violation in found.violations)) == CASES[name].found


@pytest.mark.parametrize("name", CASES)
def test_a_lock_makes_it_right(tmp_path: Path, name: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(source(CASES[name], locked=True))
    (found,) = check(file).models
    assert found.verdict == "verified"
