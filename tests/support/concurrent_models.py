"""Random models of several threads, as hypothesis strategies that give their sources."""

from __future__ import annotations

import textwrap

from hypothesis import strategies as st

HEADER = """
import threading
from collections import deque
from interleave import Model, array, atomic, choose, invariant, postcondition, section, thread


class Box:
    def __init__(self):
        self.inside = 0

    def put(self, value):
        self.inside = value
        return value


class M(Model):
    x = 0
    y = 1
    flag = False
    items = [4]
    cells = array([0, 0])
    table = {"k": 1}
    queue = deque([2])
    box = Box()
    lock = threading.Lock()
    second = threading.Lock()
    again = threading.RLock()

    def helper(self, n):
        if n > 2:
            return self.x
        self.y = n
        return n + 1

    def guarded(self, n):
        with self.again:
            self.x = n
            return self.x
"""

SIMPLE = [
    "t = self.x",
    "self.x = t + 1",
    "self.x = (t * 2 + 1) % 5",
    "self.x += 1",
    "self.x = self.x + self.y",
    "self.y = t",
    "t = self.y if t else self.x",
    "self.flag = True",
    "self.flag = not self.flag",
    "self.items.append(t % 3)",
    "t = self.items.pop() if self.items else 7",
    "self.items[0] = t",
    "for item in self.items: t += item",
    "self.cells[t % 2] = self.x",
    "t = self.cells[1]",
    "self.cells[0] += 1",
    'self.table["k"] = t',
    't = self.table.get("j", 0)',
    "self.table[t % 3] = 1",
    "self.queue.append(t % 2)",
    "t = len(self.queue)",
    "t = self.queue.popleft()",
    "t = self.box.put(t % 2)",
    "t = self.box.inside",
    "t = choose([0, 1, 2])",
    "self.x = choose([t, 5])",
    "t = self.helper(t)",
    "self.guarded(t)",
    "self.lock.acquire()",
    "self.lock.release()",
    "t = int(self.second.acquire(blocking=False))",
    "assert t < 3",
    "t = 0",
    'if t > 3: raise ValueError("too much")',
    "if self.flag: return",
    "while not self.flag: pass",
    "self.x = 1000 + 37 * t",
]

BLOCKS = [
    "with self.lock:",
    "with self.second:",
    "with self.again:",
    "with atomic():",
    'with section("s"):',
    "for i in range(2):",
    "for i in range(3):",
    "if self.x > t:",
    "if t:",
    "while self.y > 0 and t < 2:",
]

PROPERTIES = [
    ("invariant", "return self.x < 4"),
    ("invariant", 'return self.inside("s") <= 1'),
    ("invariant", 'assert len(self.items) < 3, f"{len(self.items)} items"'),
    ("invariant", "return self.x + self.y + self.cells[0] < 7"),
    ("invariant", 'return not self.finished("t0") or self.x'),
    ("postcondition", "return self.x == 2"),
    ("postcondition", "return self.lock.locked() or self.x in (1, 2)"),
    ("postcondition", 'return "k" in self.table and self.box.inside < 2'),
]


@st.composite
def _block(draw: st.DrawFn, depth: int, most: int) -> list[str]:
    lines: list[str] = []
    for _ in range(draw(st.integers(1, most))):
        if depth and draw(st.integers(0, 3)) == 0:
            inner = draw(_block(depth - 1, 2))
            kind = draw(st.sampled_from([*BLOCKS, "try:"]))
            lines += [kind, *[f"    {line}" for line in inner]]
            if kind == "try:":
                lines += ["except IndexError:", "    t = 9"]
            elif kind.startswith("while"):
                lines.append("    t += 1")
        else:
            lines.append(draw(st.sampled_from(SIMPLE)))
    return lines


@st.composite
def models(draw: st.DrawFn) -> str:
    """The source of a model."""
    text = HEADER
    if draw(st.booleans()):
        text += "\n    def setup(self):\n        self.x = choose([0, 3])\n"
    for number in range(draw(st.integers(1, 3))):
        arguments = draw(st.sampled_from(["", "", "(2)", "(daemon=True)", "(2, daemon=True)"]))
        body = textwrap.indent("\n".join(draw(_block(2, 3))), " " * 8)
        text += f"\n    @thread{arguments}\n    def t{number}(self):\n        t = 0\n{body}\n"
    for number, (kind, body) in enumerate(
        draw(st.lists(st.sampled_from(PROPERTIES), max_size=2, unique=True))
    ):
        text += f"\n    @{kind}\n    def p{number}(self):\n        {body}\n"
    return text
