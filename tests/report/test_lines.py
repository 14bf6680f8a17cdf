"""The line that a report names is the one at fault."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import check

HEADER = """
from interleave import Model, invariant, postcondition, thread

def is_two(x):
    return x == 2

def must_be_two(x):
    assert is_two(x)  # in a function

class Judge:
    def look(self, x):
        assert x == 2, "not two"  # in a method of another class

class M(Model):
    x = 0

    @thread
    def t(self):
        self.x = 1

    def helper(self):
        if self.x != 2:
            raise AssertionError  # in a method

    @property
    def checked(self):
        assert self.x == 2  # in a property of Python
        return self.x

"""

BODIES = {
    "first": "assert self.x == 2  # here\nassert self.x < 2\nreturn True",
    "second": "assert self.x < 2\nassert self.x == 2  # here\nreturn True",
    "nested": "for each in [1, 2]:\n    if each == 2:\n        assert self.x == each  # here",
    "tried": "try:\n    assert self.x == 2  # here\nfinally:\n    y = 1",
    "long": "assert (  # here\n    self.x\n    == 2\n), 'no'\nreturn True",
    "a generator": "assert all(each == 2 for each in [self.x])  # here\nreturn True",
    "raised": "if self.x != 2:\n    raise AssertionError('no')  # here\nreturn True",
    "in a function": "must_be_two(self.x)\nreturn True",
    "in a method": "self.helper()\nreturn True",
    "in a method of another class": "Judge().look(self.x)\nreturn True",
    "in a property of Python": "return self.checked == 2",
    "false": "y = self.x\nreturn y == 2  # here",
}


@pytest.mark.parametrize("kind", ["postcondition", "invariant"])
@pytest.mark.parametrize("body", BODIES)
def test_a_property_that_does_not_hold_shows_the_line_that_says_so(
    tmp_path: Path, body: str, kind: str
) -> None:
    inside = textwrap.indent(BODIES[body], " " * 8)
    source = f"{HEADER}    @{kind}\n    def holds(self):\n{inside}\n"
    file = tmp_path / "model.py"
    file.write_text(source)
    mark = "# here" if "# here" in source else f"# {body}"
    (wanted,) = (n for n, line in enumerate(source.splitlines(), 1) if line.endswith(mark))
    (found,) = check(file).models
    (violation,) = found.violations
    assert violation.source is not None
    assert violation.source.line == wanted
    line = source.splitlines()[wanted - 1].partition("  #")[0].strip()
    assert violation.source.text.startswith(line)
