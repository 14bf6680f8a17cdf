"""Objects with an `__await__` of their own: what the real asyncio makes of programs of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from asyncio_driver import every_outcome, listed
from awaiting_programs import program
from running import load

from interleave import ModelError, check


@pytest.mark.parametrize(
    ("order", "seed"), [*(("any", n) for n in range(12)), *(("fifo", n) for n in range(11, 18))]
)
def test_as_the_real_library(tmp_path: Path, order: str, seed: int) -> None:
    text = program(seed)
    real, whole = every_outcome(text, fifo=order == "fifo", runs=2_000)
    found = listed(tmp_path / "model.py", text, order)
    assert (found == real) if whole else (found >= real)


ONE = """
import asyncio
from interleave import Model, task

class Own:
    def __init__(self, made):
        self.made = made

    def __await__(self):
        return self.made

class Waits:
    def __init__(self, waited):
        self.waited = waited

    def __await__(self):
        yield from self.waited.__await__()

class M(Model):
    log = ""

    def plain(self):
        yield

    async def child(self):
        await asyncio.sleep(0)

    @task
    async def run(self):
        child = self.child()
        try:
            {}
        except TypeError as error:
            self.log += "TypeError"
        if child is not None:
            await child
"""


@pytest.mark.parametrize(
    "awaits", ["Own(5)", "Own(child)", "Own(None)", "self.plain()", "child.__await__()"]
)
def test_what_cannot_be_awaited(tmp_path: Path, awaits: str) -> None:
    text = ONE.format(f"await {awaits}")
    real, _ = every_outcome(text, runs=10)
    assert listed(tmp_path / "model.py", text, "any") == real
    assert "TypeError" in str(real)


@pytest.mark.parametrize(
    "by_hand",
    [
        "next(Waits(child).__await__())",
        "[*Waits(child).__await__()]",
        "for _ in Waits(child).__await__(): pass",
        "next(child.__await__())",
        "child.__await__().throw(ValueError)",
    ],
)
def test_by_hand_is_refused(tmp_path: Path, by_hand: str) -> None:
    """No frame of a coroutine can be left for code that is to go on with it later."""
    text = ONE.format(by_hand)
    with pytest.raises(ModelError, match="by something else than `await`"):
        check(load(tmp_path / "model.py", text))
