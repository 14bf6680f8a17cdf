"""Operations of shared sequences that compare elements, by C code or by Python code."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
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

USES = (
    "self.items.remove(self.one)",
    "self.items.count(self.one)",
    "self.queue.remove(self.one)",
    "heapq.heappush(self.items, self.one)",
    "self.items.sort()",
    "self.items == self.others",
)

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


@pytest.mark.parametrize(("kind", "use"), [*product(ELEMENTS, USES)])
def test_by_python_code_they_are_refused(kind: str, use: str, tmp_path: Path) -> None:
    definition, element, is_refused = ELEMENTS[kind]
    source = MODEL.format(definition=definition, element=element, use=use)
    if not is_refused:
        assert verdict(tmp_path, source) == "verified"
        return
    with pytest.raises(ModelError, match="compares elements by Python code"):
        verdict(tmp_path, source)
