"""Which threads are suspected of losing an update, and what it costs to be sure."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from families import drawn
from hypothesis import strategies as st
from running import load, unload

from interleave import check
from interleave.checks import lost_update, suspects
from interleave.checks.cells import Cell
from interleave.engine.graph import SearchGraph
from interleave.model import Model
from interleave.result import ModelResult

BENCHMARKS = Path(__file__).parents[2] / "benchmarks" / "models"

ENGINES = ("reference", "auto", "native")


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[SearchGraph]:
    """What is searched together with what suspects hold, as it is searched."""
    found: list[SearchGraph] = []
    usual = lost_update.explore

    def explore(*arguments: Any, **keywords: Any) -> SearchGraph:
        found.append(usual(*arguments, **keywords))
        return found[-1]

    monkeypatch.setattr(lost_update, "explore", explore)
    return found


# State machines: each keeps in a local what to do next, and with it all that it has ever read

WAITING = {
    "a step that is not enabled waits": (
        "if state == 'free' and self.fork == 0:\n    self.fork = 1\n    state = 'taken'\n"
        "elif state == 'taken':\n    self.fork = 0\n    state = 'free'\n"
        "else:\n    self.never.acquire()"
    ),
    "it does nothing": (
        "if state == 'free' and self.fork == 0:\n    self.fork = 1\n    state = 'taken'\n"
        "elif state == 'taken':\n    self.fork = 0\n    state = 'free'"
    ),
    "the guard waits": (
        "if state == 'free':\n    if self.fork != 0:\n        self.never.acquire()\n"
        "    self.fork = 1\n    state = 'taken'\n"
        "else:\n    self.fork = 0\n    state = 'free'"
    ),
    "a choice of what is enabled": (
        "ways = []\nif state == 'free' and self.fork == 0:\n    ways.append('take')\n"
        "if state == 'taken':\n    ways.append('give')\nif not ways:\n    self.never.acquire()\n"
        "if choose(ways) == 'take':\n    self.fork = 1\n    state = 'taken'\n"
        "else:\n    self.fork = 0\n    state = 'free'"
    ),
}
"""Ways to write that a step takes a fork if it is there, and the next gives it back."""


def machine(
    folder: Path, steps: str, *, shared: str = "fork = 0", atomic: bool = True
) -> type[Model]:
    """A model of two threads that take one of some steps for ever."""
    indented = "\n".join(" " * (16 if atomic else 12) + line for line in steps.splitlines())
    return load(
        folder / "machine.py",
        "import threading\nfrom interleave import Model, atomic, choose, thread\n\n\n"
        f"class Machine(Model):\n    {shared}\n    never = threading.Lock()\n\n"
        "    def setup(self):\n        self.never.acquire()\n\n"
        "    @thread(2)\n    def run(self, i):\n        state = 'free'\n        t = 0\n"
        "        while True:\n" + ("            with atomic():\n" if atomic else "") + indented,
    )


def lines(result: ModelResult) -> set[tuple[int, ...]]:
    """The lines of the read, the lost write and the write of each lost update."""
    found = set()
    for violation in result.violations:
        lost = violation.lost_update
        if lost is not None:
            steps = violation.trace.steps
            numbers = (lost.read, lost.lost, lost.overwrite)
            found.add(tuple(steps[number - 1].source.line for number in numbers))
    return found


@pytest.mark.parametrize("name", WAITING)
def test_who_looks_in_the_step_in_which_he_writes_is_no_suspect(
    tmp_path: Path, products: list[SearchGraph], name: str
) -> None:
    (result,) = check(machine(tmp_path, WAITING[name])).models
    assert not lines(result)
    assert not products


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["it does nothing", "the guard waits"])
def test_who_looks_in_a_step_of_its_own_is_one(
    tmp_path: Path, products: list[SearchGraph], name: str, engine: str
) -> None:
    steps = WAITING[name].replace("self.fork = 1", "self.fork += 1")
    model = machine(tmp_path, steps.replace("self.never.acquire()", "pass"), atomic=False)
    (result,) = check(model, engine=engine, max_states=300).models
    assert lines(result)
    assert products


@pytest.mark.slow
def test_philosophers_cost_no_product(products: list[SearchGraph]) -> None:
    (result,) = check(BENCHMARKS / "philosophers_in_a_room.py").models
    assert (result.states, result.expected) == (5_049, True)
    assert not products


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_held_of_a_slot_is_one_of_three_things(
    products: list[SearchGraph], engine: str
) -> None:
    """Nothing, a read that is up to date, or a stale one; and seldom all that in one state."""
    model = BENCHMARKS / "anderson.py"
    (result,) = check(model, parameters={"N": 2}, engine=engine).models
    assert result.expected
    (product,) = products
    assert len(product) <= 3 * 4 * result.states


# Random ones

_numbers = st.integers(0, 2)
_next = st.sampled_from(["'free'", "'taken'", "'third'"])


_WRITES = ("write", "add", "blind")


@st.composite
def _statements(draw: st.DrawFn, kinds: Collection[str]) -> list[str]:
    """What a machine does in one of its states."""
    one, other = draw(_numbers), draw(_numbers)
    elsewhere = draw(_next)
    texts = {
        "read": ["t = self.fork"],
        "write": ["self.fork = t"],
        "add": ["self.fork = (t + 1) % 3"],
        "blind": [f"self.fork = {one}"],
        "test and set": [f"if self.fork == {one}:", f"    self.fork = {other}"],
        "at once": [
            "with atomic():", f"    if self.fork == {one}:", f"        self.fork = {other}"
        ],
        "look": [f"if self.fork == {one}:", f"    state = {elsewhere}", "    continue"],
        "remember": [f"t = 1 if self.fork == {one} else 2"],
        "by what it knows": [f"if t == {one}:", f"    self.fork = {other}"],
    }  # fmt: skip
    chosen = draw(st.sampled_from(sorted(kinds or texts)))
    return texts[chosen]


@st.composite
def machines(draw: st.DrawFn) -> str:
    """The steps of a random state machine."""
    text, names = [], ["free", "taken", "third"]
    for number, state in enumerate(names):
        text.append(f"{'elif' if number else 'if'} state == {state!r}:")
        # One of them writes; and no round is without a step.
        parts = [draw(_statements(())), draw(_statements(() if number else _WRITES))]
        following = f"state = {names[(number + 1) % 3]!r}"
        text += [f"    {line}" for line in ["self.fork", *parts[0], *parts[1], following]]
    return "\n".join(text)


def _everything(
    moves: suspects.LocalMoves, thread: int, _: Cell
) -> tuple[bool, dict[int, set[suspects.Carried]]]:
    """That all that is held is needed everywhere."""
    mine = {local: steps for (each, local), steps in moves.edges.items() if each == thread}
    carriers = {
        carrier
        for steps in mine.values()
        for step in steps
        if step.flow
        for carrier in step.flow.carriers
    }
    contents = {(carrier, by_condition) for carrier in carriers for by_condition in (False, True)}
    return True, {local: set(contents) for local in mine}


@pytest.mark.slow
@drawn(8, 60, steps=machines())
def test_nothing_is_missed_by_what_is_left_out(steps: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        model = machine(Path(folder), steps, atomic=False)
        (result,) = check(model).models
        patch.setattr(suspects.LocalMoves, "_needed", _everything)
        (whole,) = check(model).models
        unload()
    assert result.complete
    assert lines(result) == lines(whole)


@pytest.mark.parametrize("engine", ENGINES)
def test_two_ways_to_one_local_state_are_two(tmp_path: Path, engine: str) -> None:
    """By one of them the thread has looked again, and by the other it has not."""
    model = load(
        tmp_path / "ways.py",
        "import threading\nfrom interleave import Model, atomic, thread\n\n\n"
        "class Ways(Model):\n    x = 0\n    flag = True\n    lock = threading.Lock()\n\n"
        "    @thread\n    def run(self):\n        t = self.x\n        with self.lock:\n"
        "            with atomic():\n                if self.flag:\n"
        "                    seen = self.x >= 0\n                else:\n"
        "                    seen = True\n"
        "            if t == 0 and seen:\n                self.x = 7\n\n"
        "    @thread\n    def other(self):\n        with self.lock:\n"
        "            self.x = 5\n            self.flag = False\n",
    )
    (result,) = check(model, engine=engine).models
    assert len(lines(result)) == 1
