"""The examples run, and show what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*arguments: str) -> str:
    """The standard output of Python with some arguments, which must succeed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_check_from_python() -> None:
    lines = run("-X", "utf8", "examples/check_from_python.py").splitlines()
    found = [line.partition(", found ")[::2] for line in lines[:6]]
    assert [what.split(": ")[1] for what, _ in found] == [
        "verified",
        "violated",
        "violated",
        "verified",
        "verified",
        "verified",
    ]
    assert lines[1].endswith("found lost-update, postcondition, 12 states")
    assert lines[7].startswith("lost-update: ")
    assert len(lines) == 8 + 4


def test_with_pytest() -> None:
    assert "3 passed" in run("-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=",
                             "examples/test_with_pytest.py")  # fmt: skip


def test_explored() -> None:
    assert "4 passed" in run("-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=",
                             "examples/test_explored.py")  # fmt: skip


def test_walk_the_graph() -> None:
    """The same on every run: the hash seed of each is another one."""
    found = run("-X", "utf8", "examples/walk_the_graph.py")
    assert found == run("-X", "utf8", "examples/walk_the_graph.py")
    shortest, shared, rounds = (part.splitlines() for part in found.split("\n\n"))
    assert [line.split()[0] for line in shortest[1:5]] == ["worker[0]"] * 2 + ["worker[1]"] * 2
    assert shortest[5].endswith("turn = 0, so worker[0] goes on")
    assert shared[0].startswith("Every run that comes to state ")
    assert shared[1].startswith("  state 0: ")
    assert shared[-2:] == [
        "    customer[0] is about to run: self.number[i] = highest + 1",
        '    customer[1] is about to run: with section("critical"):',
    ]
    assert rounds == [
        "AfterYou is violated (livelock): it goes round for ever in:",
        "  state 0: {'left_has_gone': False, 'right_has_gone': False}, "
        "while not self.right_has_gone: or while not self.left_has_gone:",
    ]
