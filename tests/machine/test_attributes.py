"""Attributes that run code of the model's block by block: as in real Python, and in all orders."""

from __future__ import annotations

from pathlib import Path

import pytest
from attribute_programs import programs
from families import drawn
from hypothesis import Phase
from running import load

from interleave import ModelError, check
from interleave.machine import port
from interleave.result import ModelResult


@drawn(2, 60, text=programs(), phases=[Phase.generate])
def test_as_in_real_python(tmp_path: Path, text: str) -> None:
    model = load(tmp_path / "model.py", text)
    (result,) = check(model).models
    real = model()
    real.setup()
    real.run()
    assert result.violations == (), result.violations
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    assert dict(outcome.state)["events"] == real.events


WAYS = {
    "a property": """
@property
def items(self):
    if self.kept is None:
        LOCKED
    return self.kept
""",
    "__getattr__": """
def __getattr__(self, name):
    if self.kept is None:
        LOCKED
    return self.kept
""",
    "__getattribute__": """
def __getattribute__(self, name):
    if name == "items" and self.kept is None:
        LOCKED
    return super().__getattribute__("kept" if name == "items" else name)
""",
    "a descriptor": """
class Lazy:
    def __get__(self, instance, owner):
        return instance.make_it()

items = Lazy()

def make_it(self):
    if self.kept is None:
        LOCKED
    return self.kept
""",
    "a property of a base": """
@property
def items(self):
    return super().items
""",
}
"""How a list is made where it is first asked for -> members of a class."""

LOCKS = {
    "without a lock": ("self.kept = []", {"lost-update", "postcondition"}),
    "looking once more": (
        "with self.lock: self.kept = [] if self.kept is None else self.kept",
        set(),
    ),
}

LAZY = """
import threading
from interleave import *

class Base:
    def __init__(self):
        self.kept = None
        self.lock = threading.RLock()

    @property
    def items(self):
        if self.kept is None:
            LOCKED
        return self.kept

class Holder(Base):
    MEMBERS

class M(Model):
    def setup(self):
        self.holder = Holder()

    @thread(2)
    def add(self, i):
        self.holder.items.append(i)

    @postcondition
    def both_are_there(self):
        return len(self.holder.kept) == 2
"""


def checked(file: Path, text: str, **options: str) -> ModelResult:
    (result,) = check(load(file, text), **options).models  # type: ignore[arg-type]
    return result


def kinds(result: ModelResult) -> set[str]:
    return {each.kind for each in result.violations}


CASES = [(way, "without a lock") for way in WAYS] + [("a property", "looking once more")]


@pytest.mark.parametrize(("way", "lock"), CASES)
def test_what_is_made_where_it_is_first_asked_for(tmp_path: Path, way: str, lock: str) -> None:
    locked, expected = LOCKS[lock]
    text = LAZY.replace("MEMBERS", WAYS[way].replace("\n", "\n    ")).replace("LOCKED", locked)
    results = [checked(tmp_path / "m.py", text, engine=each) for each in ("reference", "native")]
    assert [kinds(each) for each in results] == [expected] * 2
    assert results[0].states == results[1].states


def test_a_getter_waits_in_a_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "LONGEST_LOG", 20)
    text = """
from interleave import *

class Flag:
    up = False

    @property
    def is_seen(self):
        while not self.up:
            pass
        return True

    @is_seen.setter
    def is_seen(self, value):
        self.log = [value]
        self.up = self.log[0]

class M(Model):
    def setup(self):
        self.flag = Flag()

    @thread
    def waits(self):
        assert self.flag.is_seen

    @thread
    def sets(self):
        self.flag.is_seen = True
"""
    result = checked(tmp_path / "m.py", text)
    assert kinds(result) == set()
    assert result.states < 20


def test_threads_switch_where_a_getter_is_entered_and_not_where_it_is_left(tmp_path: Path) -> None:
    text = """
from interleave import *

class Table:
    kept = None

    @property
    def made(self):
        if self.kept is None:
            self.kept = [0]
        return self.kept[0]

class M(Model):
    n = 0

    def setup(self):
        self.table = Table()

    @thread(2)
    def run(self):
        self.n = LINE
"""
    after = text.replace("LINE", "self.table.made + self.n + 1")
    assert kinds(checked(tmp_path / "m.py", after, runtime="gil")) == set()
    before = text.replace("LINE", "self.n + self.table.made + 1")
    assert kinds(checked(tmp_path / "m.py", before, runtime="gil")) == {"lost-update"}


def test_where_c_code_asks_for_an_attribute_it_is_run_as_a_whole(tmp_path: Path) -> None:
    text = LAZY.replace("MEMBERS", "pass").replace("LOCKED", LOCKS["without a lock"][0])
    text = text.replace(
        "self.holder.items.append(i)", "sorted([self.holder], key=lambda h: h.items)"
    )
    with pytest.raises(ModelError, match="goes on after it has shared what it made"):
        checked(tmp_path / "m.py", text)


ALONE = {
    "a task": "@task(2)\n    async def add(self, i):\n        self.holder.items.append(i)",
    "atomic": "@thread(2)\n    def add(self, i):\n        with atomic(): self.holder.items.append(i)",
}


@pytest.mark.parametrize("how", ALONE)
def test_nobody_else_runs_while_a_getter_makes_something(tmp_path: Path, how: str) -> None:
    text = LAZY.replace("MEMBERS", "pass").replace("LOCKED", LOCKS["without a lock"][0])
    before = "@thread(2)\n    def add(self, i):\n        self.holder.items.append(i)"
    result = checked(tmp_path / "m.py", text.replace(before, ALONE[how]))
    assert kinds(result) == set()
    assert text.count(before) == 1
