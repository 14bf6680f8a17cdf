"""Names that no model may use, where they are only kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import load

from interleave import check

TEXT = """
import time
from interleave import Model, thread

class Timed:
    def __init__(self, source=time.monotonic):
        self.source = KEPT
        self.n = 0

class M(Model):
    timed = None
    same = False

    def setup(self):
        self.timed = Timed()

    @thread(2)
    def worker(self):
        made = Timed()
        self.timed = made
        made.n += 1
        self.same = id(made) == id(self.timed)
"""


@pytest.mark.parametrize("kept", ["source", "(source, 1)", "[source]"])
def test_they_may_be_kept(tmp_path: Path, kept: str) -> None:
    (result,) = check(load(tmp_path / "model.py", TEXT.replace("KEPT", kept))).models
    assert {each.kind for each in result.violations} <= {"lost-update"}
    assert result.interleavings is not None
    assert result.interleavings.outcomes
