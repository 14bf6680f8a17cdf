"""`contextlib.ExitStack`, by its source, and `sys.exc_info`: what real Python makes of a program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from exit_programs import program
from running import events, load

from interleave import ModelError, check


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_as_in_real_python(tmp_path: Path, seed: int, is_async: bool) -> None:
    by_python, by_interleave = events(tmp_path / "model.py", program(seed, is_async=is_async))
    assert by_python == by_interleave


LOCKED = """
import contextlib, threading
from interleave import Model, thread

class M(Model):
    n = 0
    lock = threading.Lock()

    @thread(2)
    def run(self):
        with contextlib.ExitStack() as stack:
            {}
            n = self.n
            self.n = n + 1
"""


@pytest.mark.parametrize(
    ("enters", "found"),
    [
        ("stack.enter_context(self.lock)", set()),
        ("self.lock.acquire(), stack.callback(self.lock.release)", set()),
        ("stack.callback(print)", {"lost-update"}),
    ],
)
def test_it_holds_locks(tmp_path: Path, enters: str, found: set[str]) -> None:
    (result,) = check(load(tmp_path / "model.py", LOCKED.format(enters))).models
    assert {each.kind for each in result.violations} == found


ASKS = """
import sys
from interleave import Model, thread

class M(Model):
    n = 0

    @property
    def handled(self):
        return sys.exc_info()[1] is not None

    def numbers(self):
        yield sys.exception() is not None

    @thread
    def run(self):
        try:
            raise KeyError
        except KeyError as error:
            self.n = {}
"""


@pytest.mark.parametrize("asks", ["self.handled", "list(self.numbers())", "error.__context__"])
def test_what_no_state_tells_is_refused(tmp_path: Path, asks: str) -> None:
    model: Any = load(tmp_path / "model.py", ASKS.format(asks))
    with pytest.raises(ModelError, match=r"exc_info|__context__"):
        check(model)
