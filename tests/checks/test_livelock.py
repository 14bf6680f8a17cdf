"""Threads that wait busily for what never comes: what is found, on both engines."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from endless_oracle import Oracle
from running import load, unload

from interleave.checking import Checked, Options, checked_model
from interleave.checks.livelock import Livelocks
from interleave.engine import search
from interleave.engine.native import stuck as native_stuck
from interleave.engine.native.space import Sizes
from interleave.loading import parameters_of
from interleave.report.document import render_json
from interleave.result import Result
from interleave.stategraph import StateGraph

OPTIONS: list[dict[str, Any]] = [
    {"engine": "reference"},
    {"engine": "auto"},
    {"engine": "native", "workers": 1},
    {"engine": "native", "workers": 2, "sizes": Sizes(states=20, room=40, wide=150)},
]

# Against brute force

HEADER = """
import threading
import time
from interleave import Model, array, atomic, choose, thread

class M(Model):
    x = 0
    y = 0
    cells = array([0, 0])
    lock_a = threading.Lock()
    lock_b = threading.Lock()

    def setup(self):
        self.table = {"a": 0, "b": 0}

    @thread
    def makes_them_variables(self):
        with atomic():
            if self.x == 9:
                self.x = self.y = 9
            self.cells[1] = self.table["c"] = 9
"""

LINES = [
    "self.x = 1",
    "self.x = choose([0, 1])",
    "self.y = 1 - self.y",
    "self.cells[0] = self.x",
    'self.table["a"] = self.y',
    'self.table["b"] = 1 - self.table["b"]',
    "while not self.x: pass",
    "while self.y != self.x: time.sleep(0)",
    "while self.cells[0] != 1: pass",
    'while not self.table["a"]: pass',
    "while not self.lock_a.acquire(blocking=False): pass",
    "self.lock_a.acquire()",
    "self.lock_a.release()",
    "self.lock_b.acquire()",
    "time.sleep(0)",
    "if self.x: return",
]

BLOCKS = [
    "while True:",
    "while True:",
    "while self.x == 0:",
    "with self.lock_a:",
    "with self.lock_b:",
]


def drawn(draw: random.Random) -> str:
    """The source of a random model of threads that mostly wait for each other."""
    text = HEADER
    for number in range(draw.choice([2, 2, 3])):
        daemon = ", daemon=True" if draw.random() < 0.2 else ""
        text += f"\n    @thread(1{daemon})\n    def t{number}(self):\n"
        text += "".join(f"        {line}\n" for line in _lines(draw, 2))
    return text


def _lines(draw: random.Random, depth: int) -> list[str]:
    lines = []
    for _ in range(draw.choice([1, 2, 2, 3]) if depth == 2 else draw.choice([1, 2])):
        if depth and draw.random() < 0.4:
            lines.append(draw.choice(BLOCKS))
            lines += [f"    {line}" for line in _lines(draw, depth - 1)]
        else:
            lines.append(draw.choice(LINES))
    return lines


def agree(tmp_path: Path, text: str) -> tuple[int, int]:
    """How many livelocks, and states with stuck threads, a model has, by all engines and by the
    definitions.
    """
    model = load(tmp_path / "model.py", text)
    try:
        found = [
            checked_model(model, "", parameters_of(model, {}), Options(**each, max_states=700))
            for each in OPTIONS
        ]
    finally:
        unload()
    documents = [render_json(Result((each.result,)), version="") for each in found]
    assert documents == documents[:1] * len(documents)
    if not found[0].result.complete:
        return 0, 0
    program = found[0].searched.machine.program
    names = [thread.name for thread in program.threads]
    states = StateGraph(found[0].result, found[0].searched, found[0].ways)
    oracle = Oracle(states, {t.name for t in program.threads if t.daemon}, text)
    livelocks = oracle.livelocks()
    told = [each for each in states.counterexamples if each.violation.kind == "livelock"]
    assert bool(told) == bool(livelocks)
    wanted = {
        each.part.first: each.waiting | (each.blocked if each.nobody_works else set())
        for each in livelocks
    }
    for each in told:
        assert set(each.violation.threads) == wanted[each.states[-1]]
    assert not told or told[0].states[-1] == livelocks[0].part.first
    stuck = [(number, tuple(map(names.index, threads))) for number, threads in oracle.stuck()]
    assert _stuck(found[0]) == stuck
    for checked in found[1:]:
        some = _stuck(checked)
        assert set(some) <= set(stuck)
        assert some[:1] == stuck[:1]
        assert some == sorted(some)
    assert ("stuck" in {violation.kind for violation in found[0].result.violations}) == bool(stuck)
    return len(livelocks), len(stuck)


def _stuck(checked: Checked) -> list[tuple[int, tuple[int, ...]]]:
    searched = checked.searched
    if not searched.graph.leads_back:
        return []
    return searched.graph.stuck((), Livelocks(searched.machine, searched.learnt))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernel come back often, and `auto` go over to it in the middle of small graphs."""
    monkeypatch.setattr(native_stuck, "AT_ONCE", 7)
    monkeypatch.setattr(native_stuck, "DEEDS_AT_ONCE", 1)
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", 20)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", range(40))
def test_random_models(tmp_path: Path, seed: int) -> None:
    agree(tmp_path, drawn(random.Random(seed)))
