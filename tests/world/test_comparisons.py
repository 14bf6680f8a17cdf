"""Operations of shared sequences that compare elements, by C code or by Python code."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from families import sample
from running import by_interleave, by_python
from verdicts import verdict

from interleave import ModelError

ELEMENTS = {
    "number": ("", "1", False),
    "tuple": ("", "(1, 'a')", False),
    "enum": ("Kind = enum.IntEnum('Kind', 'A B')", "Kind.A", False),
    "dataclass": ("@dataclass(order=True)\nclass Item:\n    x: int", "Item(1)", True),
    "frozen": ("@dataclass(order=True, frozen=True)\nclass Item:\n    x: int", "Item(1)", True),
    "inside": (
        "@dataclass(order=True, frozen=True)\nclass Item:\n    x: int",
        "(Item(1), 2)",
        True,
    ),
    "class": (
        "class Item:\n    def __eq__(self, other): return True\n"
        "    def __lt__(self, other): return False",
        "Item()",
        True,
    ),
}

IN_STEPS = (
    "self.items.remove(self.one)",
    "self.items.count(self.one)",
    "heapq.heappush(self.items, self.one)",
    "self.items.sort()",
)
"""What is done step by step where elements compare by Python code."""

REFUSED = ("self.queue.remove(self.one)", "self.items == self.others")
"""What is refused there."""

MODEL = """
import enum, heapq
from collections import deque
from dataclasses import dataclass
{definition}

class M(Model):
    def setup(self):
        self.items = [{element}, {element}]
        self.others = [{element}, {element}]
        self.queue = deque([{element}, {element}])
        self.one = {element}

    @thread
    def add(self):
        self.items.append(self.one)
        self.queue.append(self.one)

    @thread
    def use(self):
        {use}
"""


@pytest.mark.parametrize(("kind", "use"), [*product(ELEMENTS, IN_STEPS + REFUSED)])
def test_by_python_code_some_are_refused(kind: str, use: str, tmp_path: Path) -> None:
    definition, element, in_python = ELEMENTS[kind]
    source = MODEL.format(definition=definition, element=element, use=use)
    if in_python and use in REFUSED:
        with pytest.raises(ModelError, match="compares elements by Python code"):
            verdict(tmp_path, source)
    elif in_python and ("sort" in use or "heap" in use):
        # Others have put something in meanwhile, and Python says so.
        assert verdict(tmp_path, source) == "exception"
    else:
        assert verdict(tmp_path, source) == "verified"


# What they come to

KINDS = {
    "class": (
        "class Item:\n"
        "    def __init__(self, x): self.x = x\n"
        "    def __eq__(self, other): return self.x == other.x\n"
        "    def __lt__(self, other): return self.x < other.x\n"
        "    def __repr__(self): return f'<{self.x}>'",
        "Item({x})",
        "{item}.x",
    ),
    "dataclass": (
        "@dataclass(order=True)\nclass Item:\n    x: int",
        "Item({x})",
        "{item}.x",
    ),
    "in a tuple": (
        "@dataclass(order=True, frozen=True)\nclass Item:\n    x: int",
        "({x} // 2, Item({x}))",
        "{item}[1].x",
    ),
}
"""How elements are defined, made, and told apart."""

DONE = (
    "got = self.one in items",
    "got = items.count(self.one)",
    "got = items.index(self.one)",
    "got = items.index(self.one, 1)",
    "got = items.index(self.one, -2, 9)",
    "items.remove(self.one)",
    "items.sort()",
    "items.sort(reverse=True)",
    "items.sort(key=lambda item: -{item})",
    "heapq.heapify(items)",
    "heapq.heapify(items)\nfor _ in range(len(items)): kept.append({popped})",
    "heapq.heapify(items)\nheapq.heappush(items, self.one)",
    "heapq.heapify(items)\nkept.append({replaced})",
    "heapq.heapify(items)\nkept.append({pushed})",
    "kept.append({least})",
    "kept.append({greatest})",
)

PROGRAM = """
import heapq
from dataclasses import dataclass
from interleave import *

{definition}


class M(Model):
    kept = []
    left = got = None

    def setup(self):
        self.items = [{element} for x in {numbers}]
        self.one = {one}

    @thread
    def run(self):
        items, kept, got = self.items, self.kept, None
        {use}
        self.got = got
        self.left = tuple([{shown} for each in items])
"""


LISTS = ([3, 1, 2, 5, 4, 1], [2, 2], [], [9, 8, 7, 6])
SOME = [*zip(LISTS, (1, 7, 1, 7), strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("cases", sample(1, [SOME, [*product(LISTS, (1, 7))]]), ids=len)
@pytest.mark.parametrize(("kind", "use"), [*product(KINDS, DONE)])
def test_step_by_step_they_do_what_python_does(
    kind: str, use: str, cases: list[tuple[list[int], int]], tmp_path: Path
) -> None:
    definition, element, key = KINDS[kind]
    shown = {
        name: key.format(item=f"heapq.{call}" if call.startswith("heap") else call)
        for name, call in (
            ("popped", "heappop(items)"),
            ("replaced", "heapreplace(items, self.one)"),
            ("pushed", "heappushpop(items, self.one)"),
            ("least", "min(items)"),
            ("greatest", "max(items)"),
        )
    }
    for numbers, one in cases:
        source = PROGRAM.format(
            definition=definition,
            numbers=numbers,
            element=element.format(x="x"),
            one=element.format(x=one),
            use=use.format(item=key.format(item="item"), **shown).replace("\n", "\n        "),
            shown=key.format(item="each"),
        )
        file = tmp_path / "model.py"
        assert by_interleave(file, source) == by_python(file, source), source


@pytest.mark.parametrize(("element", "found"), [("1", "verified"), ("Item(1)", "exception")])
def test_values_of_a_dict_are_compared_one_by_one(tmp_path: Path, element: str, found: str) -> None:
    """Where Python code compares them, another thread may put one in meanwhile."""
    source = f"""
    class Item:
        def __init__(self, x): self.x = x
        def __eq__(self, other): return self.x == other.x

    class M(Model):
        def setup(self):
            self.kept = {{"a": {element}, "b": {element}}}

        @thread
        def look(self):
            assert {element.replace("1", "2")} not in self.kept.values()

        @thread
        def put(self):
            self.kept["c"] = {element}
    """
    assert verdict(tmp_path, source) == found
