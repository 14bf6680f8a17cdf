"""Classes that derive from numbers, texts, bytes and tuples: their instances are values like these."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

VALUES = {
    "int": "3", "float": "2.5", "complex": "1j", "str": "'text'", "bytes": "b'text'",
    "tuple": "(1, (2, 3))",
}  # fmt: skip
"""Types -> what an instance is made from."""

SOURCE = """
class Own(TYPE):
    def __len__(self):
        return 77

    def __iter__(self):
        return iter("own")

    def __eq__(self, other):
        return type(other) is type(self) and TYPE.__eq__(self, other)

    __hash__ = TYPE.__hash__

class Holder:
    made = None

holder = Holder()

class M(Model):
    made = None

    def setup(self):
        self.kept = (Own(VALUE), [Own(VALUE)])

    @thread(2)
    def t(self):
        own = Own(VALUE)
        self.made = holder.made = own
        for each in (own, self.made, holder.made, self.kept[0], self.kept[1][0]):
            assert type(each) is Own and each == own and {each: 1}[own]
            assert len(each) == 77 and [*each] == ["o", "w", "n"]
"""


@pytest.mark.parametrize("kind", VALUES)
def test_an_instance_is_a_value(tmp_path: Path, kind: str) -> None:
    source = SOURCE.replace("TYPE", kind).replace("VALUE", VALUES[kind])
    assert verdict(tmp_path, source) == "verified"


def test_attributes_of_one_are_in_no_state(tmp_path: Path) -> None:
    source = """
class Own(tuple):
    pass

class M(Model):
    kept = None

    def make(self):
        own = Own((1, 2))
        own.more = 1
        return own

    def setup(self):
        SETUP

    @thread
    def t(self):
        own = self.make()
        self.kept = 5
        assert own.more == 1
"""
    with pytest.raises(ModelError, match="an Own has attributes besides"):
        verdict(tmp_path, source.replace("SETUP", "pass"))
    with pytest.raises(ModelError, match=r"'kept' holds a model\.Own, which cannot be part"):
        verdict(tmp_path, source.replace("SETUP", "self.kept = self.make()"))
