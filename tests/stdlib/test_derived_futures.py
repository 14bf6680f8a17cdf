"""Classes that derive from `concurrent.futures.Future`."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

SOURCE = """
from concurrent.futures import Future, InvalidStateError, as_completed, wait

class Attempt(Future):
    def __init__(self, number):
        super().__init__()
        self.number = number

    @property
    def failed(self):
        return self.exception() is not None

class M(Model):
    seen = None
    late = 0

    def setup(self):
        self.attempt = Attempt(1)

    def note(self, attempt):
        self.seen = attempt.result() + attempt.number

    @thread(2)
    def sets(self, i):
        own = Attempt(7)
        own.set_exception(KeyError(i))
        assert own.failed and own.done() and isinstance(own, Future)
        try:
            self.attempt.set_result(5)
        except InvalidStateError:
            self.late += 1

    @thread
    def waits(self):
        FIRST
        assert self.attempt.result() == 5 and not self.attempt.failed

    @postcondition
    def one_was_late(self):
        return self.late == 1
"""


def test_one_that_is_set_twice(tmp_path: Path) -> None:
    assert verdict(tmp_path, SOURCE.replace("FIRST", "pass")) == "verified"


def test_nobody_sets_it(tmp_path: Path) -> None:
    source = SOURCE.replace("FIRST", "pass").replace("self.attempt.set_result(5)", "self.late = 1")
    assert verdict(tmp_path, source) == "deadlock"


@pytest.mark.parametrize("first", ["wait([self.attempt])", "next(as_completed([self.attempt]))"])
def test_it_is_not_waited_for_together_with_others(tmp_path: Path, first: str) -> None:
    with pytest.raises(ModelError, match="instance of Attempt, which derives from "):
        verdict(tmp_path, SOURCE.replace("FIRST", first))
