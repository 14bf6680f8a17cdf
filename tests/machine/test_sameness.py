"""Whether two values are one object is what Python says, or refused: no state knows it of values."""

from __future__ import annotations

from pathlib import Path

import pytest
from families import crossed
from running import load, unload

from interleave import InterleaveError, check

HEADER = """
import collections, dataclasses, datetime, decimal, enum, fractions, re, typing
from interleave import Model, postcondition, thread

Pair = collections.namedtuple("Pair", "a b")

@dataclasses.dataclass(frozen=True)
class Frozen:
    a: int

@dataclasses.dataclass
class Plain:
    a: int

class Derived(tuple): pass

class Number(int): pass

class Colour(enum.Enum):
    RED = 1

def function(): pass

class M(Model):
    x = None
    one = other = other_is_one = unequal = None
    kept, named = [None], {"x": None}

    @thread
    def asks(self):
        MADE
        WAY
        self.one = again is value
        self.other = again is not value
        self.unequal = value is self.unequal

    @postcondition
    def as_in_python(self):
        return self.one is True and self.other is False and self.unequal is False
"""

VALUES = [
    "(1, 2)", "Pair(1, 2)", "Frozen(1)", "Plain(1)", "Derived((1,))", "Number(4)", "Colour.RED",
    "function", "lambda: 1", "10**10", "1.5 * 2", "'ab' + str(3)", "bytes([2])", "frozenset([1])",
    "{1}", "[1]", "{1: 2}", "decimal.Decimal(1)", "fractions.Fraction(1, 2)", "()", "True", "int",
    "datetime.datetime(2020, 1, 1)", "re.compile('a')", "range(2)", "slice(1)", "ValueError(1)",
    "object()", "complex(1, 2)", "((1,), [2])", "(ValueError(1),)", "collections.deque([1])",
]  # fmt: skip

WAYS = [
    "self.x = value; again = self.x",
    "self.kept[0] = value; again = self.kept[0]",
    "self.named['x'] = value; again = self.named['x']",
    "again = value; self.x = 1",
]


@pytest.mark.parametrize(
    ("value", "way"), crossed([(each,) for each in VALUES], [(each,) for each in WAYS])
)
def test_it_is_what_python_says_or_refused(tmp_path: Path, value: str, way: str) -> None:
    text = HEADER.replace("MADE", f"value = {value}").replace("WAY", way)
    try:
        (found,) = check(load(tmp_path / "model.py", text)).models
    except InterleaveError as error:
        assert "are one object, and a state does not hold that" in str(error)
    else:
        assert not found.violations, found.violations
    finally:
        unload()


IN_ONE_STEP = """
from interleave import Model, postcondition, thread

class M(Model):
    x = y = found = None

    @thread
    def asks(self):
        self.x = (1, 2)
        self.y = tuple([1, 2])
        self.found = ASKED

    @postcondition
    def different(self):
        return PROPERTY
"""


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        ("self.x is self.y", "True"),
        ("any(each is self.x for each in [self.y])", "True"),
        ("None", "self.x is not self.y"),
        ("None", "all(each is not self.x for each in [self.y])"),
    ],
)
def test_two_that_a_state_has_as_one(tmp_path: Path, asked: str, condition: str) -> None:
    """In Python they are two."""
    text = IN_ONE_STEP.replace("ASKED", asked).replace("PROPERTY", condition)
    with pytest.raises(InterleaveError, match="two equal values of type tuple are one object"):
        check(load(tmp_path / "model.py", text))
    unload()
