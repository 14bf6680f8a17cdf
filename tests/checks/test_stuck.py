"""Threads that are stuck while others go on: what is found, on both engines."""

from __future__ import annotations

import json
import random
import threading
from pathlib import Path
from typing import Any

import networkx
import pytest
from concurrent_models import models
from endless_oracle import Oracle
from families import sample
from hypothesis import given, settings
from hypothesis import strategies as st
from running import load, unload

from interleave import Model, check, choose, expect, param, thread
from interleave.checking import Checked, Options, checked_model
from interleave.engine import search, stopping
from interleave.engine.native.passes import stuck as native_stuck
from interleave.engine.native.store.states import Sizes
from interleave.engine.passes.stuck import find_stuck
from interleave.errors import InterleaveError
from interleave.loading import parameters_of
from interleave.report.diagram import counterexample_dot
from interleave.report.document import render_json
from interleave.report.text import render_text
from interleave.result import ModelResult, Result
from interleave.stategraph import StateGraph

ENGINES = ("reference", "native")


def checked(model: type[Model], **options: Any) -> ModelResult:
    """The result of a check, which is the same on every engine."""
    found = [check(model, engine=engine, **options) for engine in ENGINES]
    documents = [render_json(result, version="") for result in found]
    assert documents[0] == documents[1]
    return found[0].models[0]


def kinds(result: ModelResult) -> list[str]:
    return [violation.kind for violation in result.violations]


# What is stuck


class Crossed(Model):
    """Two threads wait for each other, and a third one goes on."""

    a = threading.Lock()
    b = threading.Lock()
    x = 0

    @thread
    def forwards(self):
        with self.a, self.b:
            pass

    @thread
    def backwards(self):
        with self.b, self.a:
            pass

    @thread
    def ticks(self):
        while True:
            self.x = 1 - self.x


def test_two_threads_in_a_circle_while_a_third_goes_on() -> None:
    result = checked(Crossed)
    (violation,) = result.violations
    assert violation.kind == "stuck"
    assert violation.threads == ("forwards", "backwards")
    assert violation.message == (
        "forwards waits for b, held by backwards; backwards waits for a, held by forwards: "
        "they never move again, although others can go on for ever"
    )
    assert violation.cycle
    assert [(w.thread, w.access.location, w.holders) for w in violation.waits] == [
        ("forwards", "b", ("backwards",)),
        ("backwards", "a", ("forwards",)),
    ]
    assert [step.thread for step in violation.trace.steps] == ["forwards", "backwards"]
    assert (result.states, result.transitions) == (76, 164)
    assert result.interleavings is not None
    assert result.interleavings.total is None


class LockNotReleased(Model):
    """One thread keeps a lock for ever, and another one does not care."""

    lock = threading.Lock()
    on = True

    @thread
    def keeps(self):
        self.lock.acquire()

    @thread
    def wants(self):
        with self.lock:
            pass

    @thread(1, daemon=True)
    def polls(self):
        while True:
            if not self.on:
                self.on = True


def test_a_lock_that_a_thread_took_with_it() -> None:
    result = checked(LockNotReleased)
    (violation,) = result.violations
    assert violation.kind == "stuck"
    assert violation.message == (
        "wants waits for lock, held by keeps, which has ended: "
        "it never moves again, although others can go on for ever"
    )
    assert violation.threads == ("wants",)
    assert not violation.cycle
    assert violation.source is not None
    assert violation.source.text == "with self.lock:"
    assert [step.thread for step in violation.trace.steps] == ["keeps"]


def test_each_cause_is_told_once_in_its_first_state() -> None:
    class Two(Model):
        N = param(3)
        first = threading.Lock()
        second = threading.Lock()
        x = 0

        @thread(N)
        def worker(self, i):
            self.first.acquire()
            self.second.acquire()
            self.first.release()

        @thread
        def ticks(self):
            while True:
                self.x = 1 - self.x

    result = checked(Two)
    # One goes through both; the next has the first and waits for the second; the last for that one.
    assert kinds(result) == ["stuck"]
    (violation,) = result.violations
    assert [(w.thread, w.access.location, w.holders) for w in violation.waits] == [
        ("worker[1]", "second", ("worker[0]",)),
        ("worker[2]", "first", ("worker[1]",)),
    ]
    assert [step.thread for step in violation.trace.steps] == [*3 * ["worker[0]"], "worker[1]"]


def test_causes_that_come_one_after_the_other() -> None:
    class Chain(Model):
        a = threading.Lock()
        b = threading.Lock()
        gone = threading.Lock()
        x = 0

        def setup(self):
            self.gone.acquire()

        @thread
        def one(self):
            self.x = 1
            with self.a, self.gone:
                pass

        @thread
        def two(self):
            with self.b, self.a:
                pass

        @thread(1, daemon=True)
        def ticks(self):
            while True:
                self.x = 2

    first, second = checked(Chain).violations
    assert first.kind == second.kind == "stuck"
    assert first.threads == ("one",)
    assert {step.thread for step in first.trace.steps} == {"one"}
    assert second.threads == ("one", "two")
    assert [wait.holders for wait in second.waits] == [(), ("one",)]


def test_a_deadlock_as_well() -> None:
    class Both(Model):
        """What ticks can also come to its end."""

        a = threading.Lock()
        b = threading.Lock()
        x = 0

        @thread
        def forwards(self):
            with self.a, self.b:
                pass

        @thread
        def backwards(self):
            with self.b, self.a:
                pass

        @thread
        def ticks(self):
            while choose([True, False]):
                self.x = 1 - self.x

    result = checked(Both)
    assert kinds(result) == ["deadlock", "stuck"]
    deadlock, stuck = result.violations
    assert len(stuck.trace.steps) < len(deadlock.trace.steps)
    assert deadlock.threads == stuck.threads == ("forwards", "backwards")


# What is not


def test_a_path_that_is_not_fair_does_not_count() -> None:
    class Unfair(Model):
        """Who waits for the flag does so for ever only if the other one is never run."""

        a = threading.Lock()
        b = threading.Lock()
        on = True

        @thread
        def forwards(self):
            with self.a, self.b:
                pass

        @thread
        def backwards(self):
            with self.b, self.a:
                pass

        @thread
        def waits(self):
            while self.on:
                pass

        @thread
        def switches(self):
            self.on = False

    assert kinds(checked(Unfair)) == ["deadlock"]


@pytest.mark.slow
def test_a_path_is_fair_to_who_cannot_always_move() -> None:
    class Starves(Model):
        """Who would end it all waits for a lock, and that is given back only to be taken again."""

        a = threading.Lock()
        b = threading.Lock()
        lock = threading.Lock()
        stop = False
        x = 0

        @thread
        def forwards(self):
            with self.a, self.b:
                pass

        @thread
        def backwards(self):
            with self.b, self.a:
                pass

        @thread
        def ticks(self):
            while True:
                with self.lock:
                    if self.stop:
                        return
                    self.x = 1 - self.x

        @thread
        def stops(self):
            with self.lock:
                self.stop = True

    assert kinds(checked(Starves)) == ["deadlock", "stuck"]


class Philosophers(Model):
    N = param(4)

    def setup(self):
        self.forks = [threading.Lock() for _ in range(self.N)]

    @thread(N)
    def philosopher(self, i):
        first, second = self.forks[i], self.forks[(i + 1) % self.N]
        if i == self.N - 1:
            first, second = second, first
        while True:
            with first, second:
                pass


@pytest.mark.parametrize("number", [2, 4, 9])
def test_nobody_is_stuck_for_ever(number) -> None:
    options: dict[str, Any] = {"parameters": {"N": number}}
    result = checked(Philosophers, **options) if number < 5 else None
    (native,) = check(Philosophers, engine="native", **options).models
    assert result is None or result == native
    assert native.verdict == "verified"
    assert native.interleavings is not None
    assert native.interleavings.total is None  # they do go on for ever


def test_a_deadlock_without_a_cycle_is_only_that() -> None:
    class Acyclic(Model):
        a = threading.Lock()
        b = threading.Lock()

        @thread
        def forwards(self):
            with self.a, self.b:
                pass

        @thread
        def backwards(self):
            with self.b, self.a:
                pass

    assert kinds(checked(Acyclic)) == ["deadlock"]


def test_a_deadlock_behind_a_cycle_is_only_that() -> None:
    class Behind(Model):
        """Who waits for the flag goes on for ever, but not once there is nobody else to move."""

        flag = False
        lock = threading.Lock()

        @thread
        def waits(self):
            while not self.flag:
                pass
            self.lock.acquire()
            self.lock.acquire()

        @thread
        def sets(self):
            self.flag = True

    assert kinds(checked(Behind)) == ["deadlock"]


def test_a_thread_that_waits_in_a_loop_is_not_stuck() -> None:
    class Spins(Model):
        left = right = False

        @thread
        def one(self):
            while not self.left:
                pass
            self.right = True

        @thread
        def two(self):
            while not self.right:
                pass
            self.left = True

    assert kinds(checked(Spins)) == ["livelock"]


def test_a_daemon_need_not_go_on() -> None:
    class Serves(Model):
        DAEMON = param(True)
        lock = threading.Lock()
        x = 0

        def setup(self):
            self.lock.acquire()

        @thread(1, daemon=True)
        def serves(self):
            with self.lock:
                pass

        @thread
        def ticks(self):
            while True:
                self.x = 1 - self.x

    assert checked(Serves).verdict == "verified"


def test_a_thread_that_an_exception_has_ended_is_not_stuck() -> None:
    class Fails(Model):
        x = 0

        @thread
        def fails(self):
            self.x = 1
            raise ValueError

        @thread
        def ticks(self):
            while True:
                self.x = 2

    assert kinds(checked(Fails)) == ["exception"]


def test_only_daemons_go_on() -> None:
    class Daemon(Model):
        lock = threading.Lock()
        x = 0

        @thread
        def twice(self):
            with self.lock, self.lock:
                pass

        @thread(2, daemon=True)
        def ticks(self):
            while True:
                self.x = 1

    (violation,) = checked(Daemon).violations
    assert violation.kind == "stuck"
    assert violation.message == (
        "twice waits for lock, which it holds itself: "
        "it never moves again, although others can go on for ever"
    )


# Searches that end early


def test_an_incomplete_search_says_nothing() -> None:
    result = checked(Crossed, max_states=75)
    assert (result.verdict, result.violations) == ("inconclusive", ())
    assert kinds(checked(Crossed, max_states=76)) == ["stuck"]


def test_fail_fast_finds_it_at_the_end() -> None:
    result = checked(Crossed, fail_fast=True)
    assert result.complete
    assert kinds(result) == ["stuck"]


def test_it_can_be_expected() -> None:
    assert checked(expect("stuck")(type("Expected", (Crossed,), {}))).passed
    assert not checked(expect("deadlock")(type("Other", (Crossed,), {}))).passed


@pytest.mark.parametrize("engine", ENGINES)
def test_interrupted(monkeypatch, engine) -> None:
    from interleave.checks import stuck

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stuck, "find_stuck", interrupt)
    monkeypatch.setattr(native_stuck, "visit", interrupt)
    (result,) = check(Crossed, engine=engine).models
    assert (result.verdict, result.limit) == ("inconclusive", "interrupted")


def test_too_little_memory(monkeypatch) -> None:
    monkeypatch.setattr(native_stuck, "AT_ONCE", 1)
    monkeypatch.setattr(stopping, "LOOK_EVERY", 0)
    visit = native_stuck.visit

    def visit_little(*arguments: Any) -> Any:
        monkeypatch.setattr(stopping, "shortage", lambda _: "reached 1 GB")
        return visit(*arguments)

    monkeypatch.setattr(native_stuck, "visit", visit_little)
    (result,) = check(Crossed, engine="native").models
    assert (result.verdict, result.limit) == ("inconclusive", "reached 1 GB")


def test_a_graph_without_a_way_back_costs_nothing(monkeypatch) -> None:
    class Straight(Model):
        x = 0

        @thread(2)
        def t(self):
            self.x = 1

    def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(native_stuck, "visit", never)
    for engine in ENGINES:
        (result,) = check(Straight, engine=engine).models
        assert result.complete


# Reports


def test_text() -> None:
    lines = render_text(checked(Crossed), width=120).splitlines()
    assert lines[0] == "Crossed: violated - stuck"
    assert lines[-6:-3] == [
        "Others can go on for ever, but these can never move again, because they wait for each "
        "other in a circle:",
        "  forwards waits for b, held by backwards",
        "  backwards waits for a, held by forwards",
    ]
    assert "1 other thread takes no step here." in lines
    alone = render_text(checked(LockNotReleased)).splitlines()
    assert alone[-5:-3] == [
        "Others can go on for ever, but this one can never move again:",
        "  wants waits for lock, held by keeps, which has ended",
    ]


def test_document() -> None:
    (model,) = json.loads(render_json(Result((checked(LockNotReleased),)), version=""))["models"]
    (violation,) = model["violations"]
    assert violation["kind"] == "stuck"
    assert violation["threads"] == ["wants"]
    (wait,) = violation["waits"]
    assert wait["thread"] == "wants"
    assert wait["access"] == {"kind": "acquire", "location": "lock"}
    assert wait["holders"] == ["keeps"]
    assert violation["cycle"] is False


def test_diagram() -> None:
    result = checked(Crossed)
    source = counterexample_dot(result, result.violations[0])
    assert "Crossed: stuck" in source
    assert source.count("waits for ") == 4  # two of them in the sentence
    assert source.count("held by</FONT>") == 2
    assert "ticks" not in source


def test_state_graph() -> None:
    searched = checked_model(Crossed, "", {}, Options())
    graph = StateGraph(searched.result, searched.searched, searched.ways)
    (example,) = graph.counterexamples
    assert by_brute_force(searched)[0] == (example.states[-1], (0, 1))


# Many threads


class Queue(Model):
    """All but the first wait for a lock that is not given back."""

    N = param(70)
    lock = threading.Lock()
    x = 0

    @thread(1)
    def ticks(self):
        while True:
            self.x = 1 - self.x

    @thread(N)
    def waits(self, i):
        self.lock.acquire()


@pytest.mark.parametrize("number", [2, 7, 8, 9, 16, 63, 64, 65, 130])
def test_any_number_of_threads(number) -> None:
    if number > 16:  # as before, on the engine that packs threads into words
        (result,) = check(Queue, engine="native", parameters={"N": number}).models
    else:
        result = checked(Queue, parameters={"N": number})
    (violation,) = result.violations
    assert violation.kind == "stuck"
    assert violation.threads == tuple(f"waits[{i}]" for i in range(1, number))
    assert all(wait.holders == ("waits[0]",) and wait.holders_ended for wait in violation.waits)
    assert len(violation.trace.steps) == 1


# Against brute force


def by_brute_force(checked: Checked) -> list[tuple[int, tuple[int, ...]]]:
    """States with the threads that are stuck in them, by the definition."""
    states = StateGraph(checked.result, checked.searched, checked.ways)
    graph = states.to_networkx()
    parts = Oracle(states, set(), "").parts
    endless = {node for part in parts if part.is_fair for node in part.states}
    found = []
    for node in graph:
        reached = networkx.descendants(graph, node) | {node}
        moving = {each for _, _, each in graph.out_edges(reached, data="thread")}
        threads = tuple(
            thread.number
            for thread in checked.searched.machine.program.threads
            if not thread.daemon
            and graph.nodes[node]["threads"][thread.name] not in ("finished", "failed")
            and thread.name not in moving
        )
        if threads and reached & endless:
            found.append((node, threads))
    return found


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the kernel come back often, and `auto` go over to it in the middle of small graphs."""
    monkeypatch.setattr(native_stuck, "AT_ONCE", 7)
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", 60)


OTHERS: list[dict[str, Any]] = [
    {"engine": "auto"},
    {"engine": "native", "workers": 1},
    {"engine": "native", "workers": 2, "sizes": Sizes(states=20, room=40, wide=150)},
]
"""What the reference engine is compared with: to try more models finds more than to try each of
them in every way."""


def agree(model: type[Model], most: int, other: dict[str, Any]) -> int:
    """How many states have stuck threads, which two engines and brute force agree about."""
    parameters = parameters_of(model, {})
    found = [
        checked_model(model, "", parameters, Options(**each, max_states=most))
        for each in ({"engine": "reference"}, other)
    ]
    documents = [render_json(Result((each.result,)), version="") for each in found]
    assert documents == documents[:1] * len(documents)
    if not found[0].result.complete:
        return 0
    expected = by_brute_force(found[0])
    graphs = [each.searched.graph for each in found]
    assert find_stuck(graphs[0]) == expected
    for graph in graphs[1:]:
        some = find_stuck(graph)
        assert set(some) <= set(expected)
        assert some[:1] == expected[:1]
        assert some == sorted(some)
    told = {violation.kind for violation in found[0].result.violations}
    assert "stuck" not in told or expected
    assert not expected or told & {"stuck", "livelock"}
    return len(expected)


TICKS = """
    @thread{arguments}
    def ticks(self):
        while True:
            self.cells[1] = 1 - self.cells[1]
"""

MAZE = """
import threading
from interleave import Model, array, atomic, choose, thread

WAYS = {ways}
OPEN = {open}


class Maze(Model):
    room = 0

    def setup(self):
        self.gates = [threading.Lock() for _ in OPEN]
        for gate in self.gates:
            gate.acquire()

    @thread
    def walks(self):
        room = 0
        while WAYS[room]:
            with atomic():
                room = self.room = choose(WAYS[room])
                for gate, rooms in zip(self.gates, OPEN):
                    if gate.locked() == (room in rooms):
                        if room in rooms:
                            gate.release()
                        else:
                            gate.acquire()

    @thread(len(OPEN))
    def waits(self, i):
        self.gates[i].acquire()
"""


def maze(seed: int) -> str:
    """One thread walks about in a random graph, and what others wait for is open in some places."""
    draw = random.Random(seed)
    rooms = range(draw.randint(5, 60))
    ways = [draw.sample(rooms, draw.choice([0, 1, 1, 1, 1, 2, 2, 3])) for _ in rooms]
    open_in = [draw.sample(rooms, draw.randint(1, 2)) for _ in range(draw.randint(1, 2))]
    return MAZE.format(ways=[[draw.choice(rooms[1:])], *ways[1:]], open=open_in)


def stuck_states(tmp_path: Path, text: str, other: dict[str, Any]) -> int:
    """In how many states of a model threads are stuck; 0 for one that cannot be checked."""
    model = load(tmp_path / "model.py", text)
    try:
        return agree(model, 400, other)
    except InterleaveError:
        return 0
    finally:
        unload()


@pytest.mark.slow
@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("examples", sample(1, [8, 100]))
def test_random_models(tmp_path: Path, examples: int) -> None:
    found = []

    @settings(max_examples=examples)
    @given(
        text=models(),
        ticks=st.sampled_from(["", "(daemon=True)", None]),
        other=st.sampled_from(OTHERS),
    )
    def run(text: str, ticks: str | None, other: dict[str, Any]) -> None:
        text += "" if ticks is None else TICKS.format(arguments=ticks)
        found.append(stuck_states(tmp_path, text, other))

    run()
    assert any(found)


@pytest.mark.slow
@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("number", sample(1, [10, 200]))
def test_random_graphs(tmp_path: Path, number: int) -> None:
    found = [stuck_states(tmp_path, maze(seed), OTHERS[seed % 3]) for seed in range(number)]
    assert sum(bool(each) for each in found) > number / 5
