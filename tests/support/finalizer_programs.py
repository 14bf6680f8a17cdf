"""Programs drawn at random in which objects with a `__del__` are made, passed on, and let go of."""

from __future__ import annotations

import random
from textwrap import indent

HEAD = """
from interleave import Model, thread

class Thing:
    def __init__(self, log, name):
        self.log = log
        self.name = name
        self.child = None

    def __del__(self):
        self.log.append(self.name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.log.append("exit")

class M(Model):
    def setup(self):
        self.events = []
        self.x = Thing(self.events, "x")
        self.y = None
        self.items = [Thing(self.events, "i"), Thing(self.events, "j")]
        self.table = {1: Thing(self.events, "t")}

    def note(self, what):
        self.events.append(what)

    def make(self, name):
        return Thing(self.events, name)
"""


class _Drawer:
    """Draws one program."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self._number = 0

    def program(self) -> str:
        """Its text: a model whose thread `run` notes things in `events`."""
        functions = [
            self._function("fails", "p", "    raise ValueError(p)\n"),
            self._function("gives", "p, q", "    return p\n"),
            self._function("takes", "p, q=None", ""),
            self._function("yields", "p", "    yield p\n    self.note('again')\n    yield q\n"),
        ]
        run = self._function("run", "", "", size=7)
        return (
            HEAD
            + "".join(indent(each, "    ") for each in functions)
            + indent(f"\n@thread\n{run}", "    ")
        )

    def _function(self, name: str, parameters: str, end: str, size: int = 2) -> str:
        known = ["a", "b", *[each.split("=")[0] for each in parameters.split(", ") if each]]
        first = "    a = b = q = None\n" if "q" not in parameters else "    a = b = None\n"
        is_plain = name != "run"
        body = self._body(known, size, is_plain=is_plain)
        given = f"self, {parameters}" if parameters else "self"
        return f"def {name}({given}):\n{first}{indent(body, '    ')}{end}"

    def _body(self, known: list[str], size: int, *, is_plain: bool, depth: int = 0) -> str:
        count = self._draw.randint(1, size)
        return "".join(self._statement(known, is_plain, depth) for _ in range(count))

    def _name(self) -> str:
        self._number += 1
        return f"n{self._number}"

    def _note(self) -> str:
        return f"self.note({self._name()!r})\n"

    def _thing(self, known: list[str]) -> str:
        v = self._draw.choice(known)
        return self._draw.choice([
            f'self.make("{self._name()}")', f'self.make("{self._name()}")', v, v, "self.x", "self.y",
            "None", "self.table.get(1)", f"[{v}]", f"({v}, {self._draw.choice(known)})",
            f'[self.make("{self._name()}"), self.make("{self._name()}")]',
        ])  # fmt: skip

    def _statement(self, known: list[str], is_plain: bool, depth: int) -> str:
        draw, thing = self._draw, self._thing
        v, w = draw.choice(known), draw.choice(known)
        if depth > 1 or draw.random() < 0.6:
            return draw.choice(
                [
                    self._note(),
                    self._note(),
                    f"{v} = {thing(known)}\n",
                    f"{v} = {thing(known)}\n",
                    f"{v} = None\n",
                    f"{v}, {w} = {thing(known)}, {thing(known)}\n",
                    f"{v} = {w} = {thing(known)}\n",
                    f"self.x = {thing(known)}\n",
                    f"self.y = {thing(known)}\n",
                    f"self.x, self.y = self.y, {v}\n",
                    f"self.items.append({thing(known)})\n",
                    f"self.items = [{v}, {thing(known)}]\n",
                    "self.items.clear()\n",
                    f"if self.items:\n    {v} = self.items.pop()\n",
                    "if self.items:\n    self.items.pop(0)\n",
                    f"self.table[1] = {thing(known)}\n",
                    "self.table.clear()\n",
                    f"if isinstance({v}, Thing):\n    {v}.child = {thing(known)}\n",
                    f"if isinstance({v}, Thing):\n    {v}.child = None\n",
                    f"{v} = (lambda {w}={w}: {w})\n",
                ]
            )
        if is_plain:
            return self._note()
        inner = self._body(known, 3, is_plain=is_plain, depth=depth + 1)
        more = self._body(known, 2, is_plain=is_plain, depth=depth + 1)
        inner, more = indent(inner, "    "), indent(more, "    ")
        return draw.choice(
            [
                f"if {v}:\n{inner}else:\n{more}",
                f"for {v} in [{thing(known)}, {thing(known)}]:\n{inner}",
                f"for {v} in ({thing(known)}, {thing(known)}):\n{inner}",
                f"for {v} in [{thing(known)}, {thing(known)}]:\n{inner}    break\n",
                f"for {v} in self.yields({thing(known)}):\n{inner}",
                f"try:\n    {v} = {thing(known)}\n    self.fails({thing(known)})\nexcept ValueError:\n{inner}",
                f"try:\n{inner}    self.fails({thing(known)})\nexcept ValueError as e:\n{more}",
                f"try:\n    self.fails({thing(known)})\nexcept ValueError as e:\n{inner}finally:\n{more}",
                f'with self.make("{self._name()}") as {v}:\n{inner}',
                f'with self.make("{self._name()}"):\n{inner}',
                f"self.takes({thing(known)}, {thing(known)})\n",
                f"self.takes(q={thing(known)}, p={thing(known)})\n",
                f"{v} = self.gives({thing(known)}, {thing(known)})\n",
                f"self.gives({thing(known)}, {thing(known)})\n",
                f"{v} = [self.make(n) for n in 'kl']\n",
            ]
        )


def finalizer_program(seed: int) -> str:
    """The text of a model. Its thread `run` notes in `events` what it does, and when `__del__`
    runs.
    """
    return _Drawer(seed).program()
