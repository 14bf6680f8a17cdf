"""Values are written alike on every run."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

import pytest

from interleave.report.cells import cell_width, fit, one_line, shorten, wrap
from interleave.result import Described
from interleave.showing import show, to_json


class Color(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 3


@dataclass(frozen=True)
class Point:
    x: object
    hidden: int = field(default=0, repr=False)


@dataclass
class Own:
    x: int

    def __repr__(self) -> str:
        return f"<<{self.x}>>"


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text", "data"),
    [
        (None, "None", None),
        (True, "True", True),
        (10**30, str(10**30), 10**30),
        (0.5, "0.5", 0.5),
        (math.nan, "nan", "nan"),
        (-math.inf, "-inf", "-inf"),
        ("a'b", '"a\'b"', "a'b"),
        (b"\x00a", "b'\\x00a'", "b'\\x00a'"),
        ((1,), "(1,)", [1]),
        ((), "()", []),
        ([1, (2, {3})], "[1, (2, {3})]", [1, [2, "{3}"]]),
        ({"b", "a"}, "{'a', 'b'}", "{'a', 'b'}"),
        ({10, 9, 2.5}, "{2.5, 9, 10}", "{2.5, 9, 10}"),
        (set(), "set()", "set()"),
        (frozenset({1}), "frozenset({1})", "frozenset({1})"),
        ({1: "x", (2,): set()}, "{1: 'x', (2,): set()}", {"1": "x", "(2,)": "set()"}),
        (deque([1], maxlen=2), "deque([1], maxlen=2)", [1]),
        (Color.RED, "Color.RED", "Color.RED"),
        (Level.LOW, "Level.LOW", "Level.LOW"),
        (Point({"z", "y"}), "Point(x={'y', 'z'})", "Point(x={'y', 'z'})"),
        (Own(3), "<<3>>", "<<3>>"),
        (Described("locked"), "locked", "locked"),
        (Broken(), "<Broken>", "<Broken>"),
        (object(), "<object object>", "<object object>"),
        ("\ud800", "'\\ud800'", "\\ud800"),
    ],
)
def test_each_kind_of_value(value: object, text: str, data: object) -> None:
    assert show(value) == text
    assert to_json(value) == data
    assert type(to_json(value)) is type(data)


def test_a_value_that_holds_itself() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert show(loop) == "[1, ...]"
    assert to_json(loop) == [1, "..."]


def test_the_hash_seed_does_not_show() -> None:
    program = (
        "from interleave.showing import show\n"
        "print(show({'a', 'b', 'c', ('d', 1), None, frozenset({'e', 'f'}), frozenset({'g'})}))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert outputs == {"{None, frozenset({'e', 'f'}), frozenset({'g'}), 'a', 'b', 'c', ('d', 1)}\n"}


def test_cell_width() -> None:
    assert [cell_width(text) for text in ("abc", "中文", "e\u0301", "🎉", "")] == [3, 4, 1, 2, 0]


def test_one_line_escapes_controls() -> None:
    assert one_line(" a\n\t b\x1b[31m\u202e ") == "a b\\x1b[31m\\u202e"


def test_wrap_breaks_at_spaces_and_within_long_words() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("a bcdefghijk", 6) == ["a bcde", "fghijk"]
    assert wrap("中文中文", 5) == ["中文", "中文"]
    assert wrap("", 5) == [""]
    assert wrap("one two three four", 5, lines=2) == ["one", "two…"]
    assert shorten("中文中文", 6) == "中文…"


def test_fit_narrows_the_widest_first() -> None:
    assert fit([10, 20, 5], [5, 5, 5], 35) == [10, 20, 5]
    assert fit([10, 20, 5], [5, 5, 5], 25) == [10, 10, 5]
    assert fit([10, 20, 5], [9, 9, 5], 22) is None
