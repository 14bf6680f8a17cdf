"""A step in which several accesses change something is shown statement by statement."""

from __future__ import annotations

import textwrap
from itertools import product
from pathlib import Path

import pytest

from interleave import check
from interleave.report import words
from interleave.report.diagram import counterexample_dot
from interleave.report.document import to_document
from interleave.report.text import render_text
from interleave.result import ModelResult, Result, TraceStep

HEADER = """
from interleave import Model, array, atomic, goroutine, task, thread


class Node:
    def __init__(self, value):
        self.value = value


"""

FAIL = "raise ValueError"

STEPS = {
    "a task": "@task\nasync def t(self):\n    {0}",
    "a thread, by atomic()": "@thread\ndef t(self):\n    with atomic():\n        {1}",
    "a goroutine, by atomic()": "@goroutine\ndef main(self):\n    with atomic():\n        {1}",
    "a thread with a GIL": "@thread\ndef t(self):\n    {0}",
    "a helper of a task": "@task\nasync def t(self):\n    self.inner()\n\ndef inner(self):\n    {0}",
}

CHANGES = {
    "attribute": (["self.a = 1", "self.b = 2"], ["a: 0 → 1", "b: 0 → 2"]),
    "from what was read": (["self.a += 5", "self.b = self.a"], ["a: 0 → 5", "b: 0 → 5"]),
    "one twice": (["self.a = 1", "self.a = 2"], ["a: 0 → 1", "a: 1 → 2"]),
    "nothing new": (["self.a = 0", "self.b = 2"], ["a: 0, unchanged", "b: 0 → 2"]),
    "list": (["self.all.append(1)", "self.all[0] = 2"], ["all: [] → [1]", "all: [1] → [2]"]),
    "dict": (["self.by['x'] = 1", "del self.by['x']"], ["by: {} → {'x': 1}", "by: {'x': 1} → {}"]),
    "array": (["self.ar[0] = 1", "self.ar[1] = 2"], ["ar[0]: 0 → 1", "ar[1]: 0 → 2"]),
    "made": (
        ["self.kept = Node(1)", "self.kept.value = 2"],
        ["kept: None → Node(value=1)", "kept.value: 1 → 2"],
    ),
    "made and a number": (
        ["self.a = 1", "self.kept = [1]"],
        ["a: 0 → 1", "kept: None → [1]"],
    ),
}


RUNTIMES = {"a thread with a GIL": "gil"}


def found_in(folder: Path, kind: str, statements: list[str]) -> tuple[ModelResult, TraceStep]:
    """What is found of a model that runs the statements in one step and fails then, and the step."""
    attributes = "a = b = 0\nall = []\nby = {}\nar = array([0, 0])\nkept = None\n\n"
    bodies = [f"\n{' ' * indent}".join([*statements, FAIL]) for indent in (4, 8)]
    body = textwrap.indent(attributes + STEPS[kind].format(*bodies), "    ")
    file = folder / "model.py"
    file.write_text(f"{HEADER}class M(Model):\n{body}\n")
    (found,) = check(file, runtime=RUNTIMES.get(kind)).models
    (violation,) = found.violations
    return found, violation.trace.steps[-1]


@pytest.mark.parametrize(
    ("kind", "changed"),
    # With a GIL, others may run after the call of a method.
    [each for each in product(STEPS, CHANGES) if each != ("a thread with a GIL", "list")],
)
def test_each_change_has_the_line_that_made_it(tmp_path: Path, kind: str, changed: str) -> None:
    statements, changes = CHANGES[changed]
    _, step = found_in(tmp_path, kind, statements)
    told = [part for part in step.parts if part.changes]
    assert [part.source.text for part in told] == statements
    assert [words.change_text(part.changes[0]) for part in told] == changes
    assert words.effects(told[-1])[-1].endswith("raised ValueError")
    lines = (tmp_path / "model.py").read_text().splitlines()
    assert all(lines[part.source.line - 1].strip() == part.source.text for part in step.parts)


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize("statement", ["self.a = 1", "self.a += self.b", "self.kept = [1]"])
def test_a_step_with_one_change_is_one_row(tmp_path: Path, kind: str, statement: str) -> None:
    found, step = found_in(tmp_path, kind, [statement, "c = self.b"])
    assert not step.parts
    assert "parts" not in str(to_document(Result((found,)), version="0"))


def test_what_is_looked_at_has_a_row_between(tmp_path: Path) -> None:
    statements = ["self.a = 1", "c = self.b", "d = self.a", "self.b = c", "if self.b: pass"]
    _, step = found_in(tmp_path, "a task", statements)
    assert [part.source.text for part in step.parts] == [
        "self.a = 1",
        "c = self.b; d = self.a",
        "self.b = c",
        "if self.b:",
    ]


def test_a_loop_has_a_row_for_each_round(tmp_path: Path) -> None:
    _, step = found_in(tmp_path, "a task", ["for i in range(3): self.a += i"])
    assert [words.effects(part) for part in step.parts] == [
        ["read 0", "a: 0, unchanged"],
        ["read 0", "a: 0 → 1"],
        ["read 1", "a: 1 → 3", "t: pending → done", "raised ValueError"],
    ]


@pytest.mark.parametrize("kind", STEPS)
def test_the_parts_are_the_step(tmp_path: Path, kind: str) -> None:
    """What they access, one after the other, is what it accesses."""
    statements = [each for changed in CHANGES.values() for each in changed[0]]
    found, step = found_in(tmp_path, kind, statements)
    accesses = [access for part in step.parts for access in part.accesses]
    assert [each.kind for each in accesses] == [each.kind for each in step.accesses]
    document = to_document(Result((found,)), version="0")
    *_, written = document["models"][0]["violations"][0]["trace"]
    lines = [part["source"]["line"] for part in written["parts"]]
    assert lines == [part.source.line for part in step.parts]
    changed = [name for part in written["parts"] for name in part["changes"]]
    assert {*written["changes"]} == {each.partition(".")[0] for each in changed}


LOST = """
import asyncio

from interleave import Model, task


class M(Model):
    a = b = c = 0

    @task(2)
    async def t(self):
        x = self.a
        await asyncio.sleep(0)
        self.b += 1
        self.a = x + 1
        self.c = 5
        await asyncio.sleep(0)
"""


def test_notes_stand_at_the_part_that_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(LOST)
    (found,) = check(file).models
    rows = [line for line in render_text(found).splitlines() if "←" in line]
    assert [row.rpartition("←")[2].strip() for row in rows] == [
        "stale read",
        "lost write",
        "overwrites",
    ]
    assert all("self.a = x + 1" in row for row in rows[1:])
    assert rows[1].count("a: 0 → 1") == 1
    assert rows[2].count("a: 1, unchanged") == 1


@pytest.mark.parametrize("width", [50, 100])
def test_a_step_has_one_number_and_one_node(tmp_path: Path, width: int) -> None:
    file = tmp_path / "model.py"
    file.write_text(LOST)
    (found,) = check(file).models
    (violation,) = found.violations
    lines = render_text(found, width=width).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("─"))
    numbers = [line[:2].strip() for line in lines[first + 1 :][: lines[first:].index("") - 1]]
    assert [each for each in numbers if each] == ["1", "2", "3", "4"]
    source = counterexample_dot(found, violation)
    assert [f"step{number} [" in source for number in range(1, 6)] == [True] * 4 + [False]
    assert source.count("self.c = 5") == 2
