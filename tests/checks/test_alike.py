"""One cause is one report, however many instances have it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import check
from interleave.report.text import render_text

HEADER = "import threading\nfrom interleave import Model, array, go, goroutine, thread\n"

SAME = {
    "three goroutines, each of which may be the one that holds it": """
        class M(Model):
            def worker(self, mu, ch):
                mu.Lock()
                ch.send(1)
                mu.Unlock()

            @goroutine
            def main(self):
                mu = go.Mutex()
                ch = go.Chan()
                for _ in range(3):
                    go.spawn(self.worker, mu, ch)
        """,
    "each thread fails": """
        class M(Model):
            @thread(3)
            def t(self, i):
                assert i > 5, f"thread {i}"
        """,
    "each thread waits for its own lock": """
        class M(Model):
            def setup(self):
                self.locks = [threading.Lock() for _ in range(3)]

            @thread(3)
            def t(self, i):
                with self.locks[i]:
                    if i == 0:
                        self.locks[0].acquire()
        """,
    "each element is lost": """
        class M(Model):
            def setup(self):
                self.cells = array([0, 0, 0])

            @thread(2)
            def t(self):
                for i in range(3):
                    self.cells[i] += 1
        """,
}


@pytest.mark.parametrize("cause", SAME)
def test_no_report_is_given_twice(tmp_path: Path, cause: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(HEADER + textwrap.dedent(SAME[cause]))
    (found,) = check(file).models
    causes = [
        (each.kind, each.location, each.source, *(wait.source for wait in each.waits))
        for each in found.violations
    ]
    told = [message for each in found.violations for message in (each.message, *each.alike)]
    assert len({*told}) == len(told)
    assert len({*causes}) == len(causes)
    for violation in found.violations:
        if violation.alike:
            assert f"And {len(violation.alike)} more like it:" in render_text(found)


DIFFERENT = {
    "another line": "self.x = 1\n        if i:\n            assert i < 0\n        assert i < 0",
    "another exception": "raise [KeyError, ValueError][i](1)",
}


@pytest.mark.parametrize("causes", DIFFERENT)
def test_two_causes_are_two_reports(tmp_path: Path, causes: str) -> None:
    file = tmp_path / "model.py"
    body = "class M(Model):\n    x = 0\n\n    @thread(2)\n    def t(self, i):\n        "
    file.write_text(f"{HEADER}{body}{DIFFERENT[causes]}\n")
    (found,) = check(file).models
    assert len(found.violations) == 2
    assert not any(each.alike for each in found.violations)


MIRRORED = {
    "two methods": ("self.n = self.n + 1", "self.n = self.n - 1"),
    "a helper": ("self.bump(1)", "self.bump(2)"),
    "a condition and a value": ("if self.n < 9:\n    self.n = 9", "self.n += 1"),
    "elements of a list": ("self.all[0] += 1", "self.all[0] += 2"),
}


@pytest.mark.parametrize("case", MIRRORED)
def test_two_that_lose_each_others_update_are_one_report(tmp_path: Path, case: str) -> None:
    one, other = MIRRORED[case]
    file = tmp_path / "model.py"
    source = f"""
class M(Model):
    n = 0
    all = [0]

    def bump(self, by):
        self.n += by

    @thread
    def one(self):
{textwrap.indent(one, " " * 8)}

    @thread
    def other(self):
{textwrap.indent(other, " " * 8)}
"""
    file.write_text(HEADER + source)
    (found,) = check(file).models
    (violation,) = found.violations
    assert len(violation.trace.steps) <= 4
    told = [violation.message, *violation.alike]
    assert all(each.startswith(("one wrote", "other wrote")) for each in told)
