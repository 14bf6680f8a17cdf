"""Calls with `**` of a mapping that threads share."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import load

from interleave import check

TEXT = """
from interleave import Model, thread

class Call:
    def __init__(self, function):
        self.function = function
        self.kwargs = KWARGS

class M(Model):
    n = 0
    call = None

    def add(self, v=1):
        self.n += v

    @thread
    def caller(self):
        call = self.call
        if call is not None:
            function, kwargs = call.function, call.kwargs
            call = None
            function(**kwargs)

    @thread
    def maker(self):
        self.call = Call(self.add)
        self.call = None
"""


@pytest.mark.parametrize(("kwargs", "outcomes"), [("{}", {0, 1}), ('{"v": 2}', {0, 2})])
def test_they_are_looked_at_once(tmp_path: Path, kwargs: str, outcomes: set[int]) -> None:
    (result,) = check(load(tmp_path / "model.py", TEXT.replace("KWARGS", kwargs))).models
    assert result.violations == ()
    assert result.interleavings is not None
    assert {dict(each.state)["n"] for each in result.interleavings.outcomes} == outcomes
