"""The real asyncio against the modelled one: the same programs end in the same ways.

A driver decides what the real loop does next, and tries everything there is. Under `any` it picks
among all handles that are ready; under `fifo` it takes the first, and only timers and cancellations
are free. Where a thread touches what the loop has, the real loop says whether that wakes it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from asyncio_driver import every_outcome, listed
from asyncio_programs import program, program_with_thread
from families import sample

from interleave import check

RUNS = 150
"""How often the real loop runs each program at most."""

SEEDS = sample(3, range(12))

BY_ADDRESS = ("as_completed", "asyncio.wait(", "TaskGroup")
"""What goes through futures in the order of their addresses, so that the driver cannot be sure to
have tried everything.
"""


def compare(file: Path, text: str, order: str, runs: int = RUNS) -> None:
    real, all_of_them = every_outcome(text, fifo=order == "fifo", runs=runs)
    ours = listed(file, text, order)
    assert real <= ours
    if all_of_them and not any(each in text for each in BY_ADDRESS):
        assert ours == real


@pytest.mark.parametrize("order", ["any", "fifo"])
@pytest.mark.parametrize("cancels", [False, True], ids=["", "cancelled"])
@pytest.mark.parametrize("makes", [False, True], ids=["", "making"])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs(tmp_path: Path, seed: int, makes: bool, cancels: bool, order: str) -> None:
    text = program(seed, makes=makes, cancels=cancels)
    compare(tmp_path / "model.py", text, order)


@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
@pytest.mark.parametrize("seed", sample(3, range(12)))
def test_random_programs_with_a_thread(tmp_path: Path, seed: int, debug: bool) -> None:
    """`any` has all that `fifo` has, and both have all that the real loop does."""
    text = program_with_thread(seed) + f"\n    ASYNCIO_DEBUG = {debug}\n"
    file = tmp_path / "model.py"
    outcomes = {order: listed(file, text, order, runtime="gil") for order in ("any", "fifo")}
    kinds = {
        order: {violation.kind for violation in result.violations}
        for order in ("any", "fifo")
        for result in check(file, order=order, runtime="gil").models
    }
    assert outcomes["fifo"] <= outcomes["any"]
    assert kinds["fifo"] <= kinds["any"]
    for order, ours in outcomes.items():
        real, _ = every_outcome(text, fifo=order == "fifo", runs=RUNS // 3)
        assert real <= ours


@pytest.mark.parametrize("seed", sample(2, range(200, 208)))
def test_any_has_all_that_fifo_has(tmp_path: Path, seed: int) -> None:
    text = program(seed, makes=False, cancels=seed % 2 == 0)
    file = tmp_path / "model.py"
    assert listed(file, text, "fifo") <= listed(file, text, "any")


@pytest.mark.parametrize("order", ["any", "fifo"])
@pytest.mark.parametrize("seed", sample(2, range(100, 106)))
def test_both_engines_agree(tmp_path: Path, seed: int, order: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(program(seed, makes=True, cancels=False))
    results = [check(file, order=order, engine=engine).models for engine in ("reference", "native")]
    assert results[0] == results[1]
