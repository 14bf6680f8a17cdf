"""Instances of generic classes whose parameters are given are those of the class."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

import interleave

MODEL = """
import threading
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, get_args
from interleave import Model, thread

T = TypeVar("T")
U = TypeVar("U")

class Box(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value

    def increment(self) -> None:
        self.value += 1

@dataclass
class Both(Box[T], Generic[T, U]):
    value: T
    other: U = None

class Numbers(Box[int]):
    pass

class Of(Protocol[T]):
    value: T

class Implements(Of[T]):
    def __init__(self, value: T) -> None:
        self.value = value

    def increment(self) -> None:
        self.value += 1

Boxed = Box[int]
Nested = Box[Box[int]]
{there}

class Counts(Model):
    box = None
    lock = threading.Lock()

{body}
"""

MADE = ("Box[int](0)", "Both[int, str](0)", "Numbers(0)", "Implements[int](0)", "Boxed(0)")
PLACES = {
    "module": ("there = {made}", "", "there.increment()"),
    "setup": ("", "self.box = {made}", "self.box.increment()"),
    "thread": (
        "",
        "",
        "with self.lock:\n    if self.box is None:\n        self.box = {made}\nself.box.increment()",
    ),
}


def kinds(folder: Path, there: str, setup: str, step: str) -> list[str]:
    methods = f"def setup(self):\n    {setup or 'pass'}\n\n@thread(2)\ndef step(self):\n"
    body = indent(methods + indent(step, "    "), "    ")
    file = folder / "model.py"
    file.write_text(MODEL.format(there=there, body=body))
    (found,) = interleave.check(file).models
    return [f"{each.kind} of {each.location}" for each in found.violations]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("made", MADE)
def test_an_update_is_lost(tmp_path: Path, made: str, place: str) -> None:
    there, setup, step = (part.format(made=made) for part in PLACES[place])
    (found,) = kinds(tmp_path, there, setup, step)
    assert found in ("lost-update of there.value", "lost-update of box.value", "lost-update of box")


@pytest.mark.parametrize(
    "holds",
    [
        "isinstance(Boxed(0), Box) and type(Boxed(0)) is Box",
        "Boxed(0).__orig_class__ == Box[int] == Boxed",
        "get_args(Box[int](0).__orig_class__) == (int,)",
        "get_args(Nested(None).__orig_class__) == (Box[int],)",
    ],
)
def test_an_alias_means_the_class_of_the_model(tmp_path: Path, holds: str) -> None:
    assert not kinds(tmp_path, "", "self.box = 0", f"self.box\nassert {holds}\nself.box = 0")
