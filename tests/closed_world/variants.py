"""Model files with hidden state: each home, written in each way, reached in each way.

Two threads run the same code, which reads the home and then writes it, and keep what it gave them:
0 for the one who came first, and 1 for the other, unless something went wrong in between. Where
there is a lock nothing can.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from dataclasses import dataclass
from itertools import product

from closed_world.homes import HOMES, Home
from closed_world.reaches import REACHES, Reach
from closed_world.writes import WRITES, Write

MODEL = """


class Hidden(Model):
    a = None
    b = None

    @thread
    def left(self):
        self.a = {call}

    @thread
    def right(self):
        self.b = {call}

    @postcondition
    def one_came_first(self):
        return sorted([self.a, self.b]) == [0, 1]
"""

LIBRARIES = ("collections", "functools", "sys", "threading")


@dataclass(frozen=True)
class Variant:
    """One model: where the state lives, how it is written, how the code is reached."""

    home: Home
    write: Write
    reach: Reach
    locked: bool = False

    @property
    def name(self) -> str:
        parts = [self.home.name, self.write.name, self.reach.name, *["locked"] * self.locked]
        return "-".join(part.replace(" ", "_") for part in parts)

    @property
    def switches_inside(self) -> bool:
        """Whether another thread can come in the middle of an access.

        That is so in `defaultdict.__missing__`, up to CPython 3.14 without a GIL: it looks, calls
        the factory, and stores what that gave over what came meanwhile.
        """
        return self.home.made_when_missing and self.write.first == "0" and not self.locked

    def files(self) -> dict[str, str]:
        """Module names and texts, each after those that it imports. The last is the model."""
        stem = "".join(c if c.isalnum() else "_" for c in self.name)
        stock, helper = f"stock_{stem}", f"helper_{stem}"
        files = {}
        code = self._code()
        if self.home.apart:
            files[stock] = self.home.definitions(self.write.first)
            code = code.with_line(f"import {stock} as stock")
        else:
            code = code.after(self.home.definitions(self.write.first))
        model = _Text().with_line("from interleave import Model, postcondition, thread")
        if self.reach.importing:
            files[helper] = str(code)
            model = model.with_line(self.reach.importing.format(helper=helper))
        else:
            model = code.with_line("from interleave import Model, postcondition, thread")
        call = self.reach.call.format(helper=helper)
        files[f"model_{stem}"] = str(model).rstrip() + MODEL.format(call=call)
        return {name: text.strip("\n") + "\n" for name, text in files.items()}

    def code_names(self) -> list[str]:
        """The dotted names of the functions and classes that the code stands in."""
        defined = ["make"] if self.home.local("0") else _defined(self.reach.template)
        return [f"{self._module_of_code}.{name}" for name in defined]

    def home_names(self) -> list[str]:
        """The dotted names of the module, or of the functions and classes, that the state is in."""
        if self.home.apart:
            return [next(iter(self.files()))]
        defined = _defined(self.home.definitions(self.write.first).strip("\n"))
        return [f"{self._module_of_code}.{name}" for name in defined]

    @property
    def _module_of_code(self) -> str:
        *others, model = self.files()
        return others[-1] if self.reach.importing else f"__interleave_model__.{model}"

    def _code(self) -> _Text:
        """The code that reads and writes, in what it is reached by."""
        first = self.write.first
        owner = self.reach.owner or self.home.owner
        lines = self.write.lines(self.home)
        assert lines is not None
        body = "\n".join(lines)
        if self.locked:
            body = "with lock:\n" + textwrap.indent(body, "    ")
        prepare = self.home.prepare.format(owner=owner)
        give = self.reach.give.format("v")
        body = "\n".join(part for part in (self.home.declare, prepare, body, give) if part)
        text = self.reach.definitions(
            body,
            class_body=self.home.class_body(first),
            parameter=self.home.parameter(first),
        )
        local = self.home.local(first)
        if local:
            inner = textwrap.indent(f"{local}\n\n{text}\n\nreturn {self.reach.entry}", "    ")
            text = f"def make():\n{inner}\n\n\n{self.reach.entry} = make()"
        lock = "lock = threading.Lock()" if self.locked else ""
        return _Text(body=text).after(self.write.definitions).after(lock)


def _defined(text: str) -> list[str]:
    """What stands at the left margin of a piece of source: functions and classes."""
    return re.findall(r"^(?:class|def) (\w+)", text, re.MULTILINE)


@dataclass(frozen=True)
class _Text:
    """A module: imports, and the rest."""

    head: tuple[str, ...] = ()
    body: str = ""

    def with_line(self, line: str) -> _Text:
        return _Text((*self.head, line), self.body)

    def after(self, definitions: str) -> _Text:
        """The same with definitions before the rest."""
        parts = (definitions.strip("\n"), self.body)
        return _Text(self.head, "\n\n\n".join(part for part in parts if part))

    def __str__(self) -> str:
        libraries = [f"import {name}" for name in LIBRARIES if f"{name}." in self.body]
        return "\n".join([*libraries, *self.head, "", "", self.body])


def makes_sense(variant: Variant) -> bool:
    """Whether there is such a thing.

    Not all homes can be written in all ways. A lock is tried with one way of writing: what it
    keeps together is the same in all of them.
    """
    if variant.write.lines(variant.home) is None:
        return False
    return not variant.locked or variant.write.name == "plain"


ALL = [
    variant
    for parts in product(HOMES, WRITES, REACHES, (False, True))
    if makes_sense(variant := Variant(*parts))
]
"""Every variant."""


def sample() -> list[Variant]:
    """Variants in which each two of a home, a way to write, and a way to reach occur together.

    That is, where they do in any variant; and a lock with each home and each way to reach.
    """
    chosen = []
    together: Counter[tuple[Home | Reach, Write]] = Counter()
    for home, reach in product(HOMES, REACHES):
        writes = [write for write in WRITES if makes_sense(Variant(home, write, reach))]
        rarest = min(writes, key=lambda write: together[home, write] + together[reach, write])
        together.update([(home, rarest), (reach, rarest)])
        chosen.append(Variant(home, rarest, reach))
    plain = WRITES[0]
    for j, reach in enumerate(REACHES):
        chosen.append(Variant(HOMES[j % len(HOMES)], plain, reach, locked=True))
    return chosen
