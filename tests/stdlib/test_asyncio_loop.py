"""The real asyncio against the modelled one: the same programs end in the same ways.

A driver decides what the real loop does next, and tries everything there is. Under `any` it picks
among all handles that are ready; under `fifo` it takes the first, and only timers and cancellations
are free.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from asyncio_driver import every_outcome, listed
from asyncio_programs import program

from interleave import check

RUNS = 150
"""How often the real loop runs each program at most."""

SEEDS = range(6)

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


@pytest.mark.parametrize("order", ["any", "fifo"])
@pytest.mark.parametrize("seed", range(100, 103))
def test_both_engines_agree(tmp_path: Path, seed: int, order: str) -> None:
    file = tmp_path / "model.py"
    file.write_text(program(seed, makes=True, cancels=False))
    results = [check(file, order=order, engine=engine).models for engine in ("reference", "native")]
    assert results[0] == results[1]
