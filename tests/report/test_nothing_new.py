"""A lost update that writes what was there already says so."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import check

HEADER = "from interleave import Model, array, thread\n\n\n"

SAID = {
    "number": ("n = 0", "self.n += 1", ", and so wrote 1, the value that was there already;"),
    "text": ("n = ''", "self.n += 'a'", ", and so wrote 'a', the value that was there already;"),
    "element": (
        "n = array([0, 0])",
        "self.n[1] += 1",
        ", and so wrote 1, the value that was there already;",
    ),
    "at a key": (
        "n = {'x': 0}",
        "self.n['x'] += 1",
        ", and so wrote 1, the value that was there already;",
    ),
    "long": (
        "n = ()",
        f"self.n += ({'x' * 50!r},)",
        ", and so wrote the value that was there already;",
    ),
}

UNSAID = {
    "another value": ("n = 0", "self.n += i + 1"),
    "an equal one of another type": ("n = 0", "self.n += [1, 1.0][i]"),
    "on a condition": ("n = None", "if self.n is None: self.n = i"),
}


def sentence_of(folder: Path, attribute: str, statement: str) -> str:
    body = f"class M(Model):\n    {attribute}\n\n    @thread(2)\n    def t(self, i):\n"
    file = folder / "model.py"
    file.write_text(HEADER + body + textwrap.indent(statement, " " * 8) + "\n")
    (found,) = check(file).models
    return found.violations[0].message


@pytest.mark.parametrize("case", SAID)
def test_the_value_that_was_there_is_told(tmp_path: Path, case: str) -> None:
    attribute, statement, said = SAID[case]
    assert said in sentence_of(tmp_path, attribute, statement)


@pytest.mark.parametrize("case", UNSAID)
def test_nothing_is_said_of_another_value(tmp_path: Path, case: str) -> None:
    assert "already" not in sentence_of(tmp_path, *UNSAID[case])
