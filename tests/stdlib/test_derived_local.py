"""Classes of the model that derive from `threading.local`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import check
from interleave.errors import ModelError

HEAD = """
import threading
from interleave import *

LOCK = threading.Lock()
begun = []

class Kept(threading.local):
    depth = 0
    made = 0

    def __init__(self, start=5, *, tag="none"):
        super().__init__()
        with LOCK:
            Kept.made += 1
            begun.append(tag)
        self.stack = []
        self.n = start

    def push(self, item):
        self.stack.append(item)
        self.depth += 1

    @property
    def top(self):
        return self.stack[-1]

class Plain(threading.local):
    x = 1

kept, plain = Kept(7, tag="global"), Plain()

def told(i):
    kept.push(i)
    kept.stack.append(i + 1)
    kept.n += 1
    plain.x += 1
    lacking = []
    del kept.n
    for each, name in ((kept, "n"), (kept, "none"), (plain, "y")):
        try:
            getattr(each, name)
        except AttributeError as error:
            lacking.append(str(error))
    mine = Kept(1)
    mine.push(2)
    return (
        i, kept.top, kept.depth, kept.stack, Kept.depth, plain.x, Plain.x, mine.n, mine.stack,
        lacking, hasattr(plain, "x"), isinstance(kept, (Kept, threading.local)),
    )
"""

IN_THREADS = """
class M(Model):
    def setup(self):
        self.given = [None, None]

    @thread(2)
    def run(self, i):
        self.given[i] = told(i)

    @postcondition
    def each_has_begun_by_itself(self):
        return Kept.made == 5 and sorted(begun) == ["global"] * 3 + ["none"] * 2
"""


def test_classes_that_derive_from_local(tmp_path: Path) -> None:
    model = load(tmp_path / "model.py", HEAD + IN_THREADS)
    real: Any = vars(sys.modules[model.__module__])["told"]
    given = []
    for i in range(2):
        begin = threading.Thread(target=lambda i=i: given.append(real(i)))
        begin.start()
        begin.join()
    for engine in ("reference", "native"):
        again = load(tmp_path / "again.py", HEAD + IN_THREADS)
        (result,) = check(again, engine=engine).models
        assert result.verdict == "verified"
        assert result.interleavings is not None
        kept = {str(dict(each.state)["given"]) for each in result.interleavings.outcomes}
        assert kept == {repr(given)}


@pytest.mark.parametrize("text", ["vars(plain)", "plain.__dict__"])
def test_what_a_local_has_is_asked_for_by_name(text: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="__dict__ is used"):
        check(load(tmp_path / "model.py", HEAD + IN_THREADS.replace("told(i)", text)))


def test_a_local_that_gives_itself_away(tmp_path: Path) -> None:
    text = HEAD.replace("begun.append(tag)", "begun.append(self)")
    with pytest.raises(ModelError, match="gives it away"):
        check(load(tmp_path / "model.py", text + IN_THREADS))
