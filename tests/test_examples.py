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
