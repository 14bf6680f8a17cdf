"""The native engine gives what the reference engine gives: every number, name and byte."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from concurrent_models import models
from families import drawn, sample
from hypothesis import strategies as st
from running import load, unload

from interleave import array, invariant, thread
from interleave.checking import Checked, Options, checked_model
from interleave.engine import search
from interleave.engine.engines import Engine
from interleave.engine.native.store.states import Sizes
from interleave.engine.observing import Limits
from interleave.engine.passes import shortest
from interleave.errors import InterleaveError
from interleave.loading import parameters_of
from interleave.model import Model
from interleave.report.document import render_json
from interleave.result import Result
from interleave.runtimes import DEFAULT
from interleave.stategraph import StateGraph

MOST = 1500
"""States that are searched; the reference engine is slow."""

SMALL = Sizes(states=20, room=40)
"""Tables that must grow many times."""

NATIVE: list[dict[str, Any]] = [
    {"engine": "auto"},
    {"engine": "native", "workers": 1},
    {"engine": "native", "workers": 2, "sizes": Sizes(chunk=7, shared_from=0)},
    {"engine": "native", "workers": 3, "sizes": Sizes(states=20, room=40, chunk=1, shared_from=0)},
    {"engine": "native", "workers": 1, "sizes": SMALL},
    {"engine": "native", "workers": 2, "sizes": Sizes(states=20, room=40, wide=150, shared_from=0)},
]


def outcome(model: type[Model], options: Options) -> tuple[Any, Checked | None]:
    """What a check gives, as far as it is a fact of the model; or the error that it ends in."""
    try:
        checked = checked_model(model, "model.py", parameters_of(model, {}), options)
    except InterleaveError as error:
        return str(error), None
    return render_json(Result((checked.result,)), version=""), checked


def states(checked: Checked) -> list[Any]:
    """Every state, with the transitions from it."""
    graph = StateGraph(checked.result, checked.searched, checked.ways)
    return [(state, list(graph.transitions_from(state.number))) for state in graph.states()]


@pytest.fixture(autouse=True)
def _native_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `auto` go over to the native engine in the middle of small graphs."""
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", 60)


def agree(
    model: type[Model], configurations: Sequence[dict[str, Any]] = NATIVE, **limits: Any
) -> None:
    expected, checked = outcome(model, Options(engine="reference", **limits))
    for options in configurations:
        found, other = outcome(model, Options(**options, **limits))
        assert found == expected, options
        assert (checked is None) == (other is None)
    if checked is not None and other is not None and len(checked.searched.graph) < 300:
        assert states(other) == states(checked)


one_of_them = st.sampled_from(NATIVE).map(lambda each: [each])
two_of_them = st.lists(st.sampled_from(NATIVE), min_size=2, max_size=2, unique_by=repr)
"""For random models: to try more models finds more than to try each in every way."""


@pytest.mark.slow
@drawn(
    20,
    120,
    text=models(),
    most=st.sampled_from([MOST, MOST, 1, 10, 50, 200]),
    enough=st.integers(1, 200),
    races=st.booleans(),
    configurations=two_of_them,
)
def test_random_models(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    most: int,
    enough: int,
    races: bool,
    configurations: list[dict[str, Any]],
) -> None:
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", enough)
    agree(load(tmp_path / "model.py", text), configurations, max_states=most, races=races)
    unload()


@pytest.mark.slow
@drawn(
    20,
    120,
    text=models(),
    most=st.sampled_from([MOST, 100]),
    races=st.booleans(),
    configurations=one_of_them,
)
def test_first_violation(
    tmp_path: Path, text: str, most: int, races: bool, configurations: list[dict[str, Any]]
) -> None:
    model = load(tmp_path / "model.py", text)
    agree(model, configurations, max_states=most, fail_fast=True, races=races)
    unload()


@pytest.mark.slow
@drawn(20, 200, text=models(), preemptions=st.integers(0, 3), configurations=one_of_them)
def test_few_preemptions(
    tmp_path: Path, text: str, preemptions: int, configurations: list[dict[str, Any]]
) -> None:
    model = load(tmp_path / "model.py", text)
    agree(model, configurations, max_states=200, preemptions=preemptions)
    unload()


@pytest.mark.slow
@drawn(
    20,
    120,
    text=models(),
    most=st.sampled_from([MOST, MOST, 100]),
    races=st.booleans(),
    configurations=one_of_them,
)
def test_large_graphs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    most: int,
    races: bool,
    configurations: list[dict[str, Any]],
) -> None:
    """As if the graph were too large for what is done on small ones only."""
    monkeypatch.setattr(shortest, "CHEAP", 0)
    agree(load(tmp_path / "model.py", text), configurations, max_states=most, races=races)
    unload()


class Gated(Model):
    """The change that matters is over before most steps are met for the first time."""

    def setup(self) -> None:
        self.value = 0
        self.cells = array([0] * 40)
        self.changed = threading.Lock()
        self.changed.acquire()

    @thread
    def slow(self) -> None:
        seen = self.value
        self.changed.acquire()
        for cell in range(40):
            self.cells[cell] = cell
        self.value = seen + 1

    @thread
    def quick(self) -> None:
        self.value = 5
        self.changed.release()


@pytest.mark.slow
def test_a_change_is_remembered() -> None:
    agree(Gated)


class FailsAtTheEnd(Model):
    x = 0

    @thread
    def reader(self) -> None:
        _ = self.x
        _ = self.x

    @thread(2)
    def writer(self) -> None:
        _ = self.x
        self.x += 1

    @invariant
    def written(self) -> bool:
        return not self.finished("reader") or bool(self.x)


@pytest.mark.slow
@pytest.mark.parametrize("enough", [1, 30, 129])
def test_paths_end_where_the_reference_engine_saw_a_failure(
    monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", enough)
    agree(FailsAtTheEnd)


class Counter(Model):
    counter = 0

    @thread(3)
    def increment(self) -> None:
        for _ in range(4):
            self.counter += 1


ROOMS = [(900, 60), (1300, 400), (2100, 3000)]
ROOMS += [each for each in product((900, 1300, 2100), (60, 400, 3000)) if each not in ROOMS]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(("states", "room"), sample(3, ROOMS))
def test_what_is_taken_back_hides_nothing(workers: int, states: int, room: int) -> None:
    """Where a case is missed, what later workers have entered into the table is taken out again.

    States that stand behind it in the table must be found all the same, or they would be twice in
    the graph. The number of states that the table is made for has it full again and again.
    """
    engine = Engine("native", workers, Sizes(states=states, room=room, shared_from=0))
    found = search.search(
        Counter,
        {},
        lambda *_: [],
        runtime=DEFAULT,
        engine=engine,
        limits=Limits(50_000),
    )
    assert (len(found.graph), found.graph.transitions) == (42_237, 110_595)
