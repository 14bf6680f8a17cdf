"""Keys that are told from others by attributes which threads share: refused, where they are used."""

from __future__ import annotations

from pathlib import Path

import pytest
from verdicts import verdict

from interleave import ModelError

SOURCE = """
class Key:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return HASH

    def __eq__(self, other):
        return EQUAL

class M(Model):
    def setup(self):
        self.table, self.seen, self.key = {}, set(), Key("k")

    @thread
    def renames(self):
        RENAMES

    @thread
    def uses(self):
        USES
"""

BY_NAME = [("len(self.name)", "self.name == other.name"), ("1", "self.name == other.name"),
           ("hash(self.name)", "self is other")]  # fmt: skip
USES = [
    "self.table[self.key] = 1",
    "self.table.get(self.key)",
    "self.key in self.table",
    "self.seen.add(self.key)",
    "self.table.setdefault(self.key, [])",
]


def text_of(how: tuple[str, str], uses: str, renames: str) -> str:
    text = SOURCE.replace("HASH", how[0]).replace("EQUAL", how[1])
    return text.replace("USES", uses).replace("RENAMES", renames)


@pytest.mark.parametrize("how", BY_NAME)
@pytest.mark.parametrize("uses", USES)
def test_a_key_with_a_name(tmp_path: Path, how: tuple[str, str], uses: str) -> None:
    for renames in ("pass", "self.key.name = 'other'"):
        with pytest.raises(ModelError, match="has a Key as a key, whose __hash__") as raised:
            verdict(tmp_path, text_of(how, uses, renames))
        assert raised.value.place is not None
        assert raised.value.place.line > SOURCE.count("\n")
        assert "frozen=True" in raised.value.remedy


@pytest.mark.parametrize("uses", USES)
def test_a_key_that_is_itself(tmp_path: Path, uses: str) -> None:
    text = text_of(("7", "self is other"), uses, "self.key.name = 'other'")
    assert verdict(tmp_path, text) == "verified"
