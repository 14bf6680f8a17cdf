"""Random programs that look at identities: all objects stay alive, so that no address comes again."""

from __future__ import annotations

from random import Random

HEADER = """
import threading
from enum import Enum
from interleave import *


class Node:
    def __init__(self, next=None):
        self.next = next
        self.number = id(self)


class Plain:
    pass


class Color(Enum):
    RED = 1


def function():
    pass


FIRST, SECOND = Node(), Plain()
SENTINEL = object()
NAMES = {id(FIRST): "first", id(SECOND): "second"}
HASHES = {hash(SECOND): "second"}
PAIR = (id(FIRST), frozenset({id(SECOND)}))


class M(Model):
    log = ""
    one = Plain()
    other = [Plain()]
    lock = threading.Lock()
    known = {id(one): "one", id(other): "other", id(other[0]): "inside", id(lock): "lock"}
    kept = None
    reg = {}
    alive = []

    def setup(self):
        self.made = Node(Node())
        self.at = {id(self.made): "made", id(self.made.next): "next", id(self): "model"}

    def note(self, *values):
        self.log += " ".join(map(str, values)) + ";"

    def names(self, x):
        self.note(NAMES.get(id(x)), self.known.get(id(x)), self.at.get(id(x)), self.reg.get(id(x)))
        self.note(HASHES.get(hash(x)), id(x) == PAIR[0], id(x) in PAIR[1])
"""

OBJECTS = (
    "FIRST", "SECOND", "self.one", "self.other", "self.other[0]", "self.lock", "self.made",
    "self.made.next", "self", "None", "Node", "Plain", "function", "int", "Color", "SENTINEL", "M", "self.kept", "y", "x.next", "self.reg", "threading",
)  # fmt: skip

MADE = ("Node()", "Plain()", "[]", "{}", "Node(y)", "set()", "threading.Lock()", "[x, y]")

STATEMENTS = (
    "x = {object}",
    "x = {made}\nalive.append(x)",
    "x = {made}\nself.alive.append(x)",
    "x, y = y, x",
    "self.kept = x",
    "self.reg[id(x)] = {k}",
    "reg[id(x)] = {k}",
    "number = id(x)",
    "self.names(x)",
    "self.note(id(x) == id(y), x is y, id(x) == number, hash(x) == hash(y))",
    "self.note(reg.get(id(x)), self.reg.get(id(x)), number in self.reg, id(x) in reg)",
    "self.note(len({{id(each) for each in (x, y, self.kept, self.one, FIRST)}}))",
    "self.note(len(set(map(id, [x, y, self.other]))), len(reg), len(self.reg))",
    "self.note(x.number == id(x))",
    "self.note([id(each) == number for each in alive])",
    "self.note(sorted([id(x), id(y)])[0] in (id(x), id(y)), max([x, y], key=id) in [x, y])",
    "self.note(str(id(x)) == f'{{id(x)}}', isinstance(id(x), int), id(x) > 0)",
)


def program(seed: int, size: int = 8) -> str:
    """A model whose one thread does `size` things, and notes what they give or raise."""
    random = Random(seed)
    text = [HEADER, "    @thread\n    def run(self):\n"]
    text.append("        x, y, number, reg, alive = FIRST, SECOND, 0, {}, []\n")
    for _ in range(size):
        statement = random.choice(STATEMENTS).format(
            object=random.choice(OBJECTS),
            made=random.choice(MADE),
            k=random.randrange(9),
            each="{each}",
        )
        text.append("        try:\n")
        text += [f"            {line}\n" for line in statement.splitlines()]
        text.append("        except Exception as error:\n")
        text.append("            self.note(type(error).__name__)\n")
    return "".join(text)
