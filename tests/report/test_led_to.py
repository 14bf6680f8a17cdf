"""A step in the code of somebody else shows that line, and the user's line that led there."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from interleave import check

LIBRARY = """
class Counter:
    def __init__(self):
        self.n = 0

    def bump(self):
        self.n = 5

    @property
    def bumped(self):
        self.n = 5

    def __len__(self):
        self.n = 5
        return 5

    def __eq__(self, other):
        self.n = 5

def bump(counter):
    counter.n = 5

def bump_by_way(counter):
    bump(counter)
"""

CALLS = {
    "a function": ("counting.bump(self.counter)", "counter.n = 5"),
    "a method": ("self.counter.bump()", "self.n = 5"),
    "a property": ("self.counter.bumped", "self.n = 5"),
    "a special method": ("len(self.counter)", "self.n = 5"),
    "an operator": ("self.counter == 1", "self.n = 5"),
    "a function that calls one": ("counting.bump_by_way(self.counter)", "counter.n = 5"),
}

WITHIN_A_BLOCK = ("a property", "a special method", "an operator")
"""What is followed without a step for each call: its line is told beside that of the user's."""


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("call", CALLS)
def test_a_step_in_a_library_names_both_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, nested: bool
) -> None:
    text, inside = CALLS[call]
    source = f"""
    import counting

    from interleave import Model, thread

    class M(Model):
        def setup(self):
            self.counter = counting.Counter()

        def inner(self):
            {text}

        @thread
        def t(self):
            {"self.inner()" if nested else text}
            assert False
    """
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "counting.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(installed))
    monkeypatch.delitem(sys.modules, "counting", raising=False)
    file = tmp_path / "model.py"
    file.write_text(textwrap.dedent(source))
    (found,) = check(file).models
    line = found.violations[0].trace.steps[-1].source
    lines = ["", *LIBRARY.splitlines()]
    numbers = [n for n, each in enumerate(lines) if each.strip() == inside]
    assert line.text in {f"{text} (counting:{number}: {inside})" for number in numbers}
    if call not in WITHIN_A_BLOCK:
        assert line.file == str(installed / "counting.py")
        assert f"counting:{line.line}:" in line.text
    monkeypatch.delitem(sys.modules, "counting", raising=False)
