"""Loops over what another thread changes, also between where they begin and their first item."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import load

from interleave import check
from interleave.result import ModelResult

TEXT = """
from collections import Counter, OrderedDict, defaultdict, deque
from interleave import Model, thread

class M(Model):
    items = ITEMS

    @thread
    def writer(self):
        CHANGE

    @thread
    def reader(self):
        LOOP
"""

DICT = 'self.items["x"] = 1'

CHANGED = {
    "dict": ("{}", DICT, "for each in self.items:\n            pass"),
    "keys": ("{}", DICT, "for each in self.items.keys():\n            pass"),
    "items": ("{}", DICT, "for a, b in self.items.items():\n            pass"),
    "values": ("{}", DICT, "n = [each for each in self.items.values()]"),
    "enumerate": ("{}", DICT, "for a, b in enumerate(self.items):\n            pass"),
    "zip": ("{}", DICT, "for a, b in zip(self.items, [1]):\n            pass"),
    "two items": ('{"a": 1}', DICT, "for each in self.items:\n            pass"),
    "removed": ('{"x": 1}', 'del self.items["x"]', "for each in self.items:\n            pass"),
    "defaultdict": ("defaultdict(int)", DICT, "for each in self.items:\n            pass"),
    "Counter": ("Counter()", DICT, "for each in self.items:\n            pass"),
    "set": ("set()", "self.items.add(1)", "for each in self.items:\n            pass"),
    "deque": ("deque()", "self.items.append(1)", "for each in self.items:\n            pass"),
}

UNCHANGED = {
    "list": ("[]", "self.items.append(1)", "for each in self.items:\n            pass"),
    "a copy": ("{}", DICT, "for each in list(self.items):\n            pass"),
    "same size": ('{"x": 2}', DICT, "for each in self.items:\n            pass"),
}


def checked(tmp_path: Path, case: tuple[str, str, str], runtime: str, engine: str) -> ModelResult:
    items, change, loop = case
    text = TEXT.replace("ITEMS", items).replace("CHANGE", change).replace("LOOP", loop)
    model = load(tmp_path / "model.py", text)
    (result,) = check(model, runtime=runtime, engine=engine).models
    return result


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize("case", CHANGED)
def test_it_may_change_before_the_first_item(tmp_path: Path, case: str, engine: str) -> None:
    result = checked(tmp_path, CHANGED[case], "free-threaded", engine)
    (violation,) = result.violations
    assert violation.kind == "exception"
    assert "during iteration" in violation.message
    assert [step.thread for step in violation.trace.steps] == ["reader", "writer", "reader"]
    # Who comes before or after all of it does no harm.
    assert result.interleavings is not None
    assert {each.how for each in result.interleavings.outcomes} == {"finished", "failed"}


@pytest.mark.parametrize("case", ["dict", "set"])
def test_under_a_gil_it_begins_with_its_first_item(tmp_path: Path, case: str) -> None:
    assert checked(tmp_path, CHANGED[case], "gil", "auto").violations == ()


@pytest.mark.parametrize("case", UNCHANGED)
def test_nothing_is_wrong_where_the_size_is_the_same(tmp_path: Path, case: str) -> None:
    assert checked(tmp_path, UNCHANGED[case], "free-threaded", "auto").violations == ()
