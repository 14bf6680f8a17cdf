"""A mistake in one class of a file keeps none of its other models from being checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import interleave
from interleave import InterleaveError, ModelError, check
from interleave.cli import main

HEAD = """
import threading
from interleave import Model, expect, invariant, param, thread

class First(Model):
    n = 0

    @thread(2)
    def t(self):
        self.n += 1

"""
TAIL = """

@expect("deadlock")
class Last(Model):
    lock = threading.Lock()

    @thread
    def t(self):
        with self.lock, self.lock:
            pass
"""

MISTAKES = {
    "a number of threads": "class Wrong(Model):\n    @thread(-2)\n    def t(self): pass",
    "two decorators": "class Wrong(Model):\n    @thread\n    @invariant\n    def t(self): pass",
    "an expectation": "@expect('nonsense')\nclass Wrong(Model):\n    @thread\n    def t(self): pass",
    "a parameter": "class Wrong(Model):\n    N = param(2)\n    all = [0] * N",
    "an exception": "class Wrong(Model):\n    n = 1 // 0",
    "an exception in what is derived from": "class Wrong:\n    n = 1 // 0\nclass Other(Wrong): pass",
    "what ends the process": "class Wrong(Model):\n    exit()",
    "a thread of no model": "class Wrong:\n    @thread\n    def t(self): pass",
    "two members": "class Wrong(Model):\n    @thread\n    def t(self): pass\n    t = 1",
    "a thread that cannot be compiled": "class Wrong(Model):\n    @thread\n    def t(self): yield 1",
    "what the file does with it": "class Wrong(Model):\n    n = 1 // 0\nWRONG = Wrong()",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_others_are_checked(tmp_path: Path, mistake: str) -> None:
    file = tmp_path / "models.py"
    file.write_text(f"{HEAD}{MISTAKES[mistake]}{TAIL}")
    errors: list[InterleaveError] = []
    found = check(file, on_error=errors.append)
    assert [model.status for model in found.models] == ["failed", "passed"]
    (error,) = errors
    assert error.place is not None
    lines = MISTAKES[mistake].count("\n") + 1
    assert 0 <= error.place.line - HEAD.count("\n") - 1 < lines
    assert found.exit_code == 2
    with pytest.raises(ModelError, match=str(error.place.line)):
        check(file)


def test_a_mistake_of_the_file_is_one_of_all_its_models(tmp_path: Path) -> None:
    file = tmp_path / "models.py"
    file.write_text(f"{HEAD}raise ValueError{TAIL}")
    errors: list[InterleaveError] = []
    assert not interleave.check(file, on_error=errors.append).models
    assert len(errors) == 1


ONE_OF_TWO = """
from interleave import Model, expect, thread
@expect("lost")
class A(Model):
    n = 0
    @thread
    def t(self): self.n = 1
class B(Model):
    n = 0
    @thread
    def t(self): self.n = 1
"""


@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    [
        ("B", 0, []),
        ("A", 2, ["@expect('lost')"]),
        ("C", 2, ["@expect('lost')", "there is no model 'C'"]),
    ],
)
def test_mistakes_of_models_that_nobody_asks_for(
    tmp_path: Path, wanted: str, code: int, words: list[str]
) -> None:
    file = tmp_path / "two.py"
    file.write_text(ONE_OF_TWO)
    found = CliRunner().invoke(main, ["check", str(file), "-m", wanted])
    assert found.exit_code == code
    assert found.stderr.count("error: ") == len(words)
    assert all(each in found.stderr for each in words)
