"""Long values are cut so that one sees in what they differ."""

from __future__ import annotations

from dataclasses import make_dataclass

import pytest
from families import drawn
from hypothesis import strategies as st

from interleave.report import words
from interleave.report.abridged import abridged
from interleave.result import Change, Described
from interleave.showing import show

NAMES = [f"attribute_{number}" for number in range(30)]
Config = make_dataclass("Config", NAMES, frozen=True)
CONFIG = Config(*range(30))
TEXT = "lorem ipsum " * 30

LONG = {
    "dataclass": (CONFIG, Config(*range(20), 777, *range(21, 30)), "attribute_20=20", "20=777"),
    "nested": ({"a": 1, "c": CONFIG}, {"a": 1, "c": Config(*range(29), 777)}, "29=29", "29=777"),
    "list": ([*range(100)], [*range(50), 777, *range(51, 100)], "[…, 50, …]", "[…, 777, …]"),
    "appended": ([*range(100)], [*range(100), 777], "[…]", "[…, 777]"),
    "dict": (dict.fromkeys(NAMES, 1), dict.fromkeys(NAMES, 1) | {NAMES[9]: 777}, "9': 1", "9': 777"),
    "text": (TEXT, TEXT[:150] + "777" + TEXT[153:], "'…", "777"),
    "described": (Described(show(CONFIG)), Described(show(CONFIG).replace("=9,", "=777,")), "=9", "777"),
    "made": (None, CONFIG, "None", "attribute_0=0"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LONG)
def test_a_change_of_a_long_value_is_seen(kind: str) -> None:
    before, after, *seen = LONG[kind]
    text = words.change_text(Change("x", before, after))
    assert len(text) <= 10 + words.MOST_OF_VALUES
    for value, part in zip(text.removeprefix("x: ").split(" → "), seen, strict=True):
        assert part in value


VALUES = st.recursive(
    st.integers() | st.text(max_size=60) | st.none(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
)


@drawn(15, 200, values=st.lists(VALUES, min_size=1, max_size=4), most=st.integers(40, 90))
def test_what_is_short_is_left_alone_and_what_is_long_is_cut(
    values: list[object], most: int
) -> None:
    texts = [show(value) for value in values]
    cut = abridged(texts, most)
    assert len(cut) == len(texts)
    if sum(map(len, texts)) <= most:
        assert cut == texts
    assert sum(map(len, cut)) <= most + 16 * len(texts)


def test_values_that_differ_in_one_part_stay_different() -> None:
    texts = [show([*range(40), number, *range(40)]) for number in range(5)]
    assert len({*abridged(texts, 90)}) == 5
