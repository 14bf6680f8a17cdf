"""The lost updates that are reported, against those that an oracle finds by brute force."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from families import drawn
from lost_update_oracle import Cause, Oracle
from running import unload
from small_programs import Program, programs

from interleave import check


def reported(program: Program, engine: str = "auto") -> set[Cause]:
    """The causes of the lost updates that a check reports."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.py"
        file.write_text(program.text)
        with patch("interleave.checking.folded", list):  # each of them, like others or not
            (result,) = check(file, engine=engine).models
        unload()
    assert not result.limit
    found = set()
    for violation in result.violations:
        lost = violation.lost_update
        if lost is not None:
            steps = violation.trace.steps
            lines = [steps[n - 1].source.line for n in (lost.read, lost.lost, lost.overwrite)]
            found.add((violation.location, *lines))
    return found


@pytest.mark.slow
@drawn(100, 600, program=programs())
def test_every_cause_and_no_other_is_reported(program: Program) -> None:
    assert reported(program) == Oracle(program).causes(), program.text
