"""The reference engine is independent of decision trees: a wrong one would be noticed by it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from interleave import check, go, goroutine, invariant, postcondition, thread
from interleave.engine import search as searching
from interleave.engine.advancing import begin
from interleave.engine.engines import Engine
from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Limits
from interleave.engine.reference import breadth_first
from interleave.engine.search import search
from interleave.engine.steps import RunSteps
from interleave.loading import checked_runtime
from interleave.machine.trees import DecisionTree
from interleave.model import Model
from interleave.report.document import render_json
from interleave.runtimes.gil import GIL


class Loses(Model):
    """Lost updates, an assertion that fails, an invariant and a postcondition that do not hold."""

    stock = 2

    @thread(2)
    def sell(self) -> None:
        left = self.stock
        self.stock = left - 1

    @thread
    def count(self) -> None:
        assert self.stock == 2

    @invariant
    def much(self) -> bool:
        return self.stock > 1

    @postcondition
    def sold(self) -> bool:
        return self.stock == 0


class Crossed(Model):
    """A deadlock of two threads, beside one that goes on for ever: they are stuck."""

    one, two = threading.Lock(), threading.Lock()
    turn = 0

    @thread
    def forth(self) -> None:
        with self.one, self.two:
            self.turn = 2

    @thread
    def back(self) -> None:
        with self.two, self.one:
            self.turn = 2

    @thread
    def spin(self) -> None:
        while True:
            self.turn = 1 - self.turn


class Waits(Model):
    """A livelock: nobody ever sets what is waited for."""

    ready = False
    done = 0

    @thread(2)
    def wait(self) -> None:
        while not self.ready:
            self.done = 0

    @thread
    def never(self) -> None:
        if self.done == 7:
            self.ready = True


class Races(Model):
    """A deadlock, or a goroutine that is leaked; and a data race."""

    x = 0
    ch = go.Chan()

    @goroutine
    def main(self) -> None:
        if self.x:
            self.ch.recv()

    @goroutine
    def other(self) -> None:
        self.x = 1
        self.ch.send(1)


MODELS = (Loses, Crossed, Waits, Races)


def reported(model: type[Model]) -> str:
    return render_json(check(model, engine="reference", races=model is Races), version="")


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_learnt(model: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = reported(model)
    assert '"kind"' in expected

    def refuse(*_: Any) -> None:
        raise AssertionError("the reference engine does not learn")

    monkeypatch.setattr(searching, "LearntSteps", refuse)
    assert reported(model) == expected


@pytest.mark.parametrize("model", MODELS)
def test_what_trees_say_changes_nothing(
    model: type[Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = reported(model)
    monkeypatch.setattr(DecisionTree, "find", lambda *_: object())
    assert reported(model) == expected


@pytest.mark.parametrize("model", MODELS)
def test_the_specification_stands_alone(model: type[Model]) -> None:
    """Without observers and limits it numbers the states that any search does."""
    found = search(
        model, {}, lambda *_: [], runtime=checked_runtime(None, model), limits=Limits()
    ).graph
    graph = SearchGraph(found.machine, RunSteps(found.machine).step)
    begin(graph, found.machine.initial(), [], Limits())
    events = list(breadth_first(graph))
    assert [graph.state(number) for number in range(len(graph))] == [
        found.state(number) for number in range(len(found))
    ]
    assert (graph.transitions, graph.leads_back) == (found.transitions, found.leads_back)
    assert [number for event, number, *_ in events if event.name == "EXPANDED"] == list(
        range(len(graph))
    )


def test_each_state_is_run() -> None:
    """In a product, too, whose nodes have states that were run before."""
    asked: list[Any] = []

    def watch(machine: Any, steps: Any) -> list[Any]:
        usual = machine.step

        def step(state: Any, thread: int, **how: Any) -> Any:
            asked.append((state, thread))
            return usual(state, thread, **how)

        machine.step = step
        return []

    found = search(Loses, {}, watch, runtime=GIL, engine=Engine("reference"), limits=Limits()).graph
    threads = range(len(found.machine.program.threads))
    states = [found.state(number) for number in range(len(found))]
    assert set(asked) == {(state, thread) for state in states for thread in threads}
