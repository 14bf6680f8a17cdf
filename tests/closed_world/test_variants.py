"""What interleave says of hidden state is what real threads do.

A sample of the variants is tried; `pytest -m exhaustive` tries all of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from closed_world.homes import HOMES
from closed_world.reaches import REACHES
from closed_world.running import Checked, Ending, by_interleave, by_python
from closed_world.variants import ALL, Variant, sample
from closed_world.writes import WRITES

pytestmark = pytest.mark.slow  # coverage traces threads too, and a scheduler of threads traces them


SAMPLE = sample()

IN_TURN: frozenset[Ending] = frozenset({("finished", 0, 1), ("finished", 1, 0)})
"""The endings where nobody comes in between."""

TORN: frozenset[Ending] = IN_TURN | {("finished", 0, 0)}
"""The endings where both can read before either writes."""

STORED_OVER: frozenset[Ending] = frozenset({("finished", -1, 0), ("finished", 0, -1)})
"""The endings where one reads the first value after its own write."""


def named(variant: Variant) -> str:
    return variant.name


def endings_of(variant: Variant) -> frozenset[Ending]:
    """What real threads make of a variant. It depends on how the home is written alone."""
    found_missing: frozenset[Ending] = frozenset({("failed", 0, None), ("failed", None, 0)})
    if variant.locked:
        return IN_TURN
    if takes_away(variant):
        return IN_TURN | found_missing
    if variant.write.name == "rebind":
        return TORN | found_missing
    if variant.write.name == "augmented":  # the value is read afterwards
        return TORN | {("finished", 1, 1)}
    return TORN


def kinds_of(variant: Variant) -> frozenset[str]:
    """The kinds of violation in these endings, and a lost update where two accesses were torn."""
    kinds = set()
    endings = endings_of(variant)
    if any(ending[0] == "failed" for ending in endings):
        kinds.add("exception")
    if not {ending for ending in endings if ending[0] == "finished"} <= IN_TURN:
        kinds.add("postcondition")
        # What is appended to a list takes nothing away, and what is overwritten was taken away
        # before, whatever it was.
        if variant.write.name not in ("append", "rebind"):
            kinds.add("lost-update")
    return frozenset(kinds)


def takes_away(variant: Variant) -> bool:
    """Whether the read also removes what it reads, so that no two can read the same."""
    return variant.write.name == "rebind" and variant.home.is_list


def test_the_number_of_variants() -> None:
    assert (len(HOMES), len(WRITES), len(REACHES)) == (15, 8, 18)
    unlocked = [variant for variant in ALL if not variant.locked]
    # All combinations but a cell by a dynamic name, and cells and items in a namespace.
    assert len(unlocked) == 15 * 8 * 18 - (1 + 1 + 4) * 18
    assert len(ALL) == len(unlocked) + 15 * 18
    assert len({variant.name for variant in ALL}) == len(ALL)


def test_the_sample_has_every_pair() -> None:
    assert len(SAMPLE) == len(set(SAMPLE)) == 15 * 18 + 18
    pairs = {
        (one, other)
        for variant in SAMPLE
        for one in (variant.home, variant.write)
        for other in (variant.write, variant.reach)
    }
    for variant in ALL:
        assert (variant.home, variant.write) in pairs
        assert (variant.home, variant.reach) in pairs
        assert (variant.write, variant.reach) in pairs


@pytest.mark.parametrize("variant", SAMPLE, ids=named)
def test_a_verdict_is_what_real_threads_do(variant: Variant, tmp_path: Path) -> None:
    compare(variant, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("variant", ALL, ids=named)
def test_every_verdict_is_what_real_threads_do(variant: Variant, tmp_path: Path) -> None:
    compare(variant, tmp_path)


def compare(variant: Variant, folder: Path) -> None:
    real = by_python(variant)
    assert real == endings_of(variant)
    checked = by_interleave(variant, folder)
    if checked.refusal is not None:
        assert checked.refusal.place is not None
        assert checked.refusal.place.file.startswith(str(folder))
        assert checked.refusal.remedy
        # Real threads have given the same twice.
        assert "not deterministic" not in checked.refusal.what
        return
    # Switches happen at the accesses to the home, here as there, if not inside them.
    more = STORED_OVER if variant.switches_inside else frozenset()
    assert real <= checked.endings <= real | more
    assert checked.verdict == ("violated" if kinds_of(variant) else "verified")
    kinds = checked.kinds
    if variant.write.name == "rebind":
        # Of code that is run as a whole it is not known what the deletion has taken away.
        kinds -= {"lost-update"}
    assert kinds == kinds_of(variant)


def gives_a_verdict(checked: Checked) -> bool:
    return checked.verdict in ("verified", "violated")


@pytest.mark.slow
def test_most_variants_get_a_verdict(tmp_path: Path) -> None:
    some = SAMPLE[::6]  # all are run above
    verdicts = [gives_a_verdict(by_interleave(variant, tmp_path)) for variant in some]
    assert sum(verdicts) >= 0.7 * len(some)


@pytest.mark.exhaustive
def test_most_of_all_variants_get_a_verdict(tmp_path: Path) -> None:
    verdicts = [gives_a_verdict(by_interleave(variant, tmp_path)) for variant in ALL]
    assert sum(verdicts) >= 0.7 * len(ALL)
