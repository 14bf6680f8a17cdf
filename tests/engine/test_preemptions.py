"""A search of the interleavings with few preemptions finds what those come to, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from concurrent_models import models
from families import drawn
from hypothesis import strategies as st
from running import load, names_of, unload, variables

from interleave import Model, check, invariant, thread
from interleave.engine.engines import Engine
from interleave.engine.observing import Limits, Observer
from interleave.engine.search import Searched, search
from interleave.errors import ModelError
from interleave.loading import parameters_of
from interleave.machine import Machine, State
from interleave.runtimes import DEFAULT

MOST_STATES = 400


def searched(
    model: type[Model], preemptions: int | None = None, states: int | None = None
) -> Searched[Observer]:
    return search(
        model,
        parameters_of(model, {}),
        lambda *_: [],
        runtime=DEFAULT,
        engine=Engine(workers=1),
        limits=Limits(states),
        preemptions=preemptions,
    )


def fewest(found: Searched[Observer]) -> dict[State, int]:
    """For each state, on how few preemptions it can be reached: by who moved last, with 0 and 1."""
    machine, threads = found.machine, range(len(found.machine.program.threads))
    best: dict[tuple[State, int], int] = {}
    level = [(state, -1) for state in machine.initial()]
    preemptions = 0
    while level:
        more: list[tuple[State, int]] = []
        while level:
            state, last = level.pop()
            if (state, last) in best:
                continue
            best[state, last] = preemptions
            goes_on = last >= 0 and bool(found.steps.step(state, last).steps)
            for each in threads:
                for step in found.steps.step(state, each).steps:
                    interrupts = goes_on and each != last
                    (more if interrupts else level).append((machine.after(state, step), each))
        level, preemptions = more, preemptions + 1
    states: dict[State, int] = {}
    for (state, _), number in best.items():
        states[state] = min(number, states.get(state, number))
    return states


def seen(machine: Machine, model: type[Model], states: Iterator[State]) -> Counter[str]:
    """How often the variables are what, and the threads where."""
    names = names_of(model)

    def where(local: int) -> object:
        return machine.pending(local)[1] if local > 1 else local

    return Counter(
        repr((variables(machine, each, names), [*map(where, machine.local_states(each))]))
        for each in states
    )


@pytest.mark.slow
@drawn(15, 60, text=models(), most=st.integers(0, 4))
def test_states_are_those_of_few_preemptions(tmp_path: Path, text: str, most: int) -> None:
    model = load(tmp_path / "model.py", text)
    try:
        full = searched(model, states=MOST_STATES)
    except ModelError:  # some of them have properties that are no conditions
        full = None
    if full is not None and full.graph.stop is None:
        numbers = fewest(full)
        expected = (state for state, number in numbers.items() if number <= most)
        bounded = searched(model, most)
        width = bounded.machine.locations - 1  # the last one is whose turn it is
        states = {
            (*state[:width], *state[width + 1 :]): state
            for state in map(bounded.graph.state, range(len(bounded.graph)))
        }
        assert seen(bounded.machine, model, iter(states.values())) == seen(
            full.machine, model, expected
        )
        if bounded.graph.stop is None:
            assert len(states) == len(full.graph)
    unload()


class Nested(Model):
    """Bad only where `deep` is interrupted in the middle, and what interrupts it is, too."""

    a = 0
    b = 0
    bad = False

    @thread
    def deep(self) -> None:
        self.a = 1
        self.a = 2
        self.b = 1
        self.b = 2

    @thread
    def looks(self) -> None:
        if self.a == 1 and self.b == 1:
            self.bad = True

    @invariant
    def good(self) -> None:
        assert not self.bad


@pytest.mark.parametrize(
    ("most", "verdict", "limit"),
    [
        (0, "inconclusive", "looked only at interleavings with no preemptions"),
        (2, "inconclusive", "looked only at interleavings with at most 2 preemptions"),
        (3, "violated", "looked only at interleavings with at most 3 preemptions"),
        (9, "violated", "looked only at interleavings with at most 3 preemptions"),
    ],
)
def test_fewest_first(most: int, verdict: str, limit: str) -> None:
    (found,) = check(Nested, preemptions=most).models
    assert (found.verdict, found.limit, found.complete) == (verdict, limit, False)


class Alone(Model):
    """No thread is ever interrupted in the middle: it takes one step."""

    n = 0

    @thread(3)
    def once(self) -> None:
        self.n = 1


def test_where_there_are_no_others_all_is_checked() -> None:
    full: Any = check(Alone)
    assert check(Alone, preemptions=0) == full
    assert full.models[0].verdict == "verified"
