"""Operations of containers that C code does in several steps, where there is no GIL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from running import load

import interleave

MODEL = """
from collections import Counter, OrderedDict, defaultdict
from interleave import Model, thread

class Changes(Model):
    def setup(self):
        self.it = {start}

    @thread
    def one(self):
        {one}

    @thread
    def two(self):
        {two}
"""

SEVERAL = {
    "counter": ("Counter()", "self.it.update(['k'])", "self.it.update(['k'])"),
    "counter of many": ("Counter(k=1)", "self.it.update('abk')", "self.it.update(iter('k'))"),
    "intersection": ("{1, 2, 3}", "self.it.intersection_update({1, 4})", "self.it.add(4)"),
    "updates": ("set()", "self.it.update({1}, {2})", "self.it.discard(1)"),
    "differences": ("{1, 2}", "self.it.difference_update({1}, {2})", "self.it.add(1)"),
    "keywords": ("{}", "self.it.update({'a': 1}, b=2)", "self.it.pop('a', None)"),
}
ONE = {
    "intersection": ("{1, 2, 3}", "it = self.it; it &= {1, 4}", "self.it.add(4)"),
    "updates": ("set()", "self.it.update({1, 2})", "self.it.discard(1)"),
    "symmetric": ("{1, 2}", "self.it.symmetric_difference_update({1, 3})", "self.it.add(1)"),
    "pairs": ("{}", "self.it.update([('a', 1), ('b', 2)])", "self.it.pop('a', None)"),
    "ordered": ("OrderedDict()", "self.it.update({'a': 1})", "self.it.pop('a', None)"),
    "list": ("[1]", "self.it.extend([2, 3])", "self.it.reverse()"),
}


def found(folder: Path, changes: tuple[str, str, str], runtime: str) -> tuple[int, set[str]]:
    """How many interleavings there are, and the kinds of what is found."""
    start, one, two = changes
    file = folder / "model.py"
    file.write_text(MODEL.format(start=start, one=one, two=two))
    (result,) = interleave.check(file, runtime=runtime).models
    assert result.interleavings is not None
    count = result.interleavings.total
    return count or 0, {each.kind for each in result.violations}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_steps(tmp_path: Path, name: str) -> None:
    several, kinds = found(tmp_path, SEVERAL[name], "free-threaded")
    assert several > 2
    assert kinds == ({"lost-update"} if name.startswith(("counter", "inter")) else set())
    assert found(tmp_path, SEVERAL[name], "gil") == (2, set())


@pytest.mark.parametrize("name", ONE)
def test_one_step(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, ONE[name], "free-threaded") == (2, set())


ASKS = """
from collections import deque
from interleave import Model, thread

asked = []

class Asked:
    def __iter__(self):
        asked.append("iter")
        return iter([1, 2])

    def __len__(self):
        asked.append("len")
        return 2

class Asks(Model):
    @thread
    def run(self):
        it, items, bag = Asked(), [], set()
{uses}
"""

USES = (
    "{*it}", "{0, *it, 3}", "[*it]", "[0, *it]", "(*it,)", "set(it)", "frozenset(it)", "list(it)",
    "tuple(it)", "a, b = it", "a, *b = it", "max(*it)", "sorted(it)", "sum(it)", "items.extend(it)",
    "bag.update(it)", "dict.fromkeys(it)", "deque(it)", "max(it)", "[*zip(it, it)]",
)  # fmt: skip
"""What goes through an object: some of it asks how long it is, to guess how large a list will be."""


def test_lengths_are_asked_for_as_in_python(tmp_path: Path) -> None:
    lines = [f"        asked.append({use!r})\n        {use}\n" for use in USES]
    file = tmp_path / "asks.py"
    file.write_text(ASKS.format(uses="".join(lines)))
    (result,) = interleave.check(file).models
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    model = load(file, file.read_text())
    real: Any = model()
    real.run()
    assert dict(outcome.state)["asked"] == sys.modules[model.__module__].asked
