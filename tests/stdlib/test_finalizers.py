"""Objects with a `__del__`: as long as something refers to one, it is like any other."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import InterleaveError, check

HEAD = """
import queue, threading
from interleave import Model, thread

class Closes:
    def __del__(self):
        pass

class Box:
    pass

class M(Model):
    def setup(self):
        self.made = Closes()
        self.same = self.made
        self.items = [Closes()]
        self.queue = queue.Queue()
        self.queue.put(Closes())
        self.box = Box()
        self.box.inside = [Closes()]
        self.round = Box()
        self.round.again = self.round
        self.round.inside = Closes()

    @thread
    def worker(self):
"""

KEPT = {
    "another reference": "self.made = None",
    "in a local, and back": "it = self.queue.get()\nself.queue.put(it)",
    "elsewhere": "self.items.append(self.made)\nself.made = self.same = None",
    "in what a thread makes": "self.more = [self.items.pop()]",
    "looked at": "self.seen = len(self.box.inside)",
}
LOST = {
    "an attribute": ("self.made = None\nself.same = None", "Closes#1"),
    "an item": ("self.items.clear()", "items"),
    "a local": ("it = self.queue.get()\nself.items.append(0)", "queue"),
    "what leads to it": ("self.box = None", "Box#1.inside[0]"),
    "what leads to itself as well": ("self.round = None", "Box#1.inside"),
    "what a thread has made": ("self.more = [self.items.pop()]\nself.more = None", "items"),
}


def checked(tmp_path: Path, body: str) -> bool:
    """Whether nothing is found of a thread with this body."""
    file = tmp_path / "model.py"
    file.write_text(HEAD + textwrap.indent(body, " " * 8))
    return check(str(file), races=False).passed


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_what_is_kept(tmp_path: Path, body: str) -> None:
    assert checked(tmp_path, body)


@pytest.mark.parametrize(("body", "name"), LOST.values(), ids=LOST)
def test_what_is_let_go_is_refused(tmp_path: Path, body: str, name: str) -> None:
    with pytest.raises(InterleaveError, match="which has a __del__: no step shows") as caught:
        checked(tmp_path, body)
    assert caught.value.place is not None
    assert name in caught.value.what


def test_what_threads_make_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterleaveError, match="this makes a Closes, which has a __del__"):
        checked(tmp_path, "self.made = Closes()")
