"""Classes that answer for all names: only an object that is asked answers, and its type for dunders."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

GETTERS = {
    "object": "def __getattribute__(self, name): return object.__getattribute__(self, name)",
    "super": "def __getattribute__(self, name): return super().__getattribute__(name)",
    "nothing": "def __getattribute__(self, name): return 0",
    "lacking": "def __getattr__(self, name): return name",
    "all": "def __getattr__(self, name): return lambda *_: 0",
}

OF_OBJECTS = """
class Odd:
    def __init__(self, v):
        super().__setattr__("v", v)
    def __call__(self, more):
        return more + 1
    {method}

odd = Odd(4)

class M(Model):
    n = 0

    def setup(self):
        self.odd = Odd(4)

    @thread(2)
    def run(self):
        own = Odd(4)
        for each in (own, self.odd, odd):
            assert each.v == {expected}
            assert each(1) == 2
        self.n = 1
"""


@pytest.mark.parametrize("kind", GETTERS)
def test_an_object(kind: str, tmp_path: Path) -> None:
    expected = 0 if kind == "nothing" else 4
    source = OF_OBJECTS.format(method=GETTERS[kind], expected=expected)
    assert verdict(tmp_path, source) == "verified"


OF_CLASSES = """
class All(type):
    def __getattr__(cls, name): return name
    {method}

class Made(metaclass=All):
    pass

class M(Model):
    n = 0

    def setup(self):
        self.made = Made()

    @thread(2)
    def run(self):
        own = Made()
        assert Made.any == "any"
        self.n = 1
"""


@pytest.mark.parametrize("method", ["", "def __call__(cls): return 5"])
def test_a_class(method: str, tmp_path: Path) -> None:
    assert verdict(tmp_path, OF_CLASSES.format(method=method)) == "verified"
