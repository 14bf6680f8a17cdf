"""The parts of the native engine, and what only graphs of some size show."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from interleave import Model, array, check, choose, invariant, param, postcondition, section, thread
from interleave.checking import Options, checked_model
from interleave.engine import resources, search
from interleave.engine.graph import SearchGraph
from interleave.engine.native import compiling
from interleave.engine.native.passes.counting import _combine, _is_prime, _more_primes
from interleave.engine.native.store.layout import Layout
from interleave.engine.native.store.states import PackedStates, Sizes
from interleave.engine.native.workers import Pace, Workers
from interleave.errors import UsageError
from interleave.report.document import render_json
from interleave.report.progress import Progress, progress_line


def document(model: type[Model], engine: str, **options: Any) -> str:
    return render_json(check(model, engine=engine, **options), version="")


# Layouts and states


@pytest.mark.slow
def test_slots_widen_and_words_multiply() -> None:
    layout = Layout(["a", "b", "b", "thread"], threads=[3])
    assert layout.words == 1
    assert layout.widths == [0, 0, 0, 1]
    for value in range(100, 400):
        layout.code(1, value)
    assert not layout.fits(1)
    layout.arrange()
    assert layout.widths == [0, 9, 9, 1]  # what is of a kind widens together
    for place in (0, 1):
        for value in range(2**20):  # 300 of them are known at place 1
            layout.code(place, value)
    layout.code(2, 7)
    layout.code(3, 5)
    layout.arrange()
    assert layout.widths == [20, 20, 20, 2]
    assert layout.words == 1  # 62 bits
    for place in (0, 1):
        layout.code(place, 2**20)
    layout.arrange()
    assert layout.widths == [22, 22, 22, 2]  # a bit to spare, as there is room
    assert layout.words == 2
    state = (2**20, 399, 7, 5)
    assert layout.unpack(layout.pack(state)) == state
    assert layout.find(state) == layout.pack(state)
    assert layout.find((2**20 + 1, 399, 7, 5)) is None  # a value that was never met


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("wide", [2**32, 500])
def test_states_are_found_again(workers: int, wide: int) -> None:
    layout = Layout(["a", "b", "thread"], threads=[2])
    packed = PackedStates(layout, workers, Sizes(states=16, wide=wide))
    packed.begin(layout.pack_all(np.array([(0, 0, 0)])), [0], one_by_one(workers))
    states = [(0, 0, 0)]
    for number in range(1, 1000):
        states.append((number % 37, number, number % 5))
        for place, value in enumerate(states[-1]):
            layout.code(place, value)
        packed.append(states[-1], number - 1, number, one_by_one(workers))
    assert [packed.find(state) for state in states] == list(range(1000))
    assert [packed.state(number) for number in range(1000)] == states
    assert packed.find((1, 2, 3)) is None
    assert packed.parent(999) == 998
    assert packed.parents(3).dtype == (np.uint32 if wide > 1000 else np.uint64)
    packed.truncate(300, one_by_one(workers))
    assert packed.find(states[299]) == 299
    assert packed.find(states[300]) is None


def one_by_one(workers: int) -> Any:
    return lambda call, *arguments: [call(number, *arguments) for number in range(workers)]


class Long(Model):
    """Every place takes many values, one after the other."""

    cells = array([0] * 9)

    @thread
    def writer(self):
        for k in range(150):
            self.cells[k % 9] = k * 7

    @thread
    def reader(self):
        total = 0
        for i in range(3):
            total = self.cells[i]
        self.cells[8] = -total


@pytest.mark.slow
def test_values_that_appear_late() -> None:
    expected = document(Long, "reference")
    for sizes in (Sizes(states=20, room=30), Sizes()):
        checked = checked_model(Long, "", {}, Options(engine="native", workers=1, sizes=sizes))
        assert checked.searched.graph.packed.words > 1
    for workers in (1, 2, 3):
        assert document(Long, "native", workers=workers) == expected


class Inside(Model):
    """An invariant asks about local states of which there are many."""

    total = 0

    @thread(2)
    def work(self):
        for k in range(6):
            self.total = (self.total * 3 + k) % 101
            with section("s"):
                pass

    @invariant
    def never_both(self):
        return self.inside("s") <= 1 or self.finished("work")


@pytest.mark.slow
def test_a_property_asks_no_more_of_a_thread_than_it_needs() -> None:
    checked = checked_model(Inside, "", {}, Options(engine="native", workers=1))
    assert checked.result.states > 20_000
    (properties,) = [check for check in checked.searched.observers if check.cases]
    assert properties.cases <= 8
    limited = {"max_states": 3000}
    assert document(Inside, "native", **limited) == document(Inside, "reference", **limited)


# Counting interleavings


def test_primes() -> None:
    below = [2**61 - 1, *_more_primes([2**61 - 1], 2)]
    assert all(map(_is_prime, below))
    assert not any(_is_prime(n) for n in range(below[2] + 2, 2**61 - 1, 2) if n != below[1])
    assert not _is_prime(3215031751)  # a strong pseudoprime to the bases 2, 3, 5 and 7
    huge = math.factorial(30)
    assert _combine(tuple(huge % prime for prime in below), below) == huge


class Apart(Model):
    """Two threads that have nothing to do with each other."""

    K = param(1)
    cells = array([0, 0])

    @thread(2)
    def work(self, i):
        for _ in range(self.K):
            self.cells[i] = 1


@pytest.mark.parametrize("steps", [3, 70, 300])
def test_numbers_of_interleavings_beyond_all_words(steps: int) -> None:
    (found,) = check(Apart, parameters={"K": steps}, engine="native").models
    assert found.interleavings is not None
    assert found.states == (steps + 1) ** 2
    assert found.interleavings.total == math.comb(2 * steps, steps)


class Detour(Model):
    """A way round leads to a state that was found before: numbers are no topological order."""

    x = 0
    y = 0

    @thread
    def first(self):
        if choose([True, False]):
            self.y = 1
            self.y = 0
        self.x = 1

    @thread
    def second(self):
        self.x = self.x + 1


class Round(Model):
    """A cycle that begins far from the initial state."""

    x = 0

    @thread
    def first(self):
        for k in range(5):
            self.x = k
        while True:
            self.x = 6
            self.x = 7

    @thread
    def second(self):
        while self.x != 7:
            pass


@pytest.mark.slow
@pytest.mark.parametrize("model", [Detour, Round])
def test_orders_and_cycles(model: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = document(model, "reference")
    assert document(model, "native") == expected
    for enough in range(2, 40, 3):  # wherever the native engine takes over
        monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", enough)
        assert document(model, "auto") == expected


class Postponed(Model):
    """Ends in several ways; some meet a violation on the way."""

    x = 0

    @thread(3)
    def work(self):
        t = self.x
        self.x = t + 1

    @thread(daemon=True)
    def watch(self):
        while True:
            self.x  # noqa: B018

    @invariant
    def below_three(self):
        return self.x < 3

    @postcondition
    def one_at_least(self):
        return self.x >= 1


def test_daemons_and_properties() -> None:
    assert document(Postponed, "native") == document(Postponed, "reference")


# Sizes that only the native engine comes to


class Philosophers(Model):
    N = param(12)

    def setup(self):
        import threading

        self.forks = [threading.Lock() for _ in range(self.N)]

    @thread(N)
    def philosopher(self, i):
        first, second = sorted([i, (i + 1) % self.N])
        while True:
            with self.forks[first], self.forks[second]:
                pass


class Counter(Model):
    N = param(4)
    K = param(4)
    counter = 0

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            temp = self.counter
            self.counter = temp + 1


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_million_states(workers: int) -> None:
    checked = checked_model(Philosophers, "", {"N": 12}, Options(workers=workers))
    assert (checked.result.states, checked.result.transitions) == (1_118_878, 9_415_128)
    assert checked.result.verdict == "verified"
    assert checked.facts.engine == "native"
    assert checked.facts.learnt == 72
    assert checked.facts.bytes < 60 * 1_118_878


@pytest.mark.slow
def test_four_million_states_with_lost_updates() -> None:
    (found,) = check(Counter).models
    assert (found.states, found.transitions) == (3_892_125, 13_955_872)
    assert found.interleavings is not None
    assert found.interleavings.total == math.factorial(32) // math.factorial(8) ** 4
    assert [violation.kind for violation in found.violations] == ["lost-update"]
    assert len(found.violations[0].trace.steps) == 4


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "interleave.engine.native.search", None)
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", 10)
    assert check(Detour).models[0].complete
    with pytest.raises(UsageError, match="the native engine cannot be loaded"):
        check(Detour, engine="native")


# Interrupting, progress, the first time


def test_an_interrupted_search_ends_with_what_is_known() -> None:
    seen: list[int] = []

    def interrupt(graph: SearchGraph) -> None:
        seen.append(len(graph))
        if graph.transitions > 200_000:
            raise KeyboardInterrupt

    options = Options(engine="native", on_progress=interrupt)
    checked = checked_model(Philosophers, "", {"N": 12}, options)
    result = checked.result
    assert result.limit == "interrupted"
    assert result.verdict == "inconclusive"
    assert not result.complete
    assert seen == sorted(seen)
    assert result.states == seen[-1]
    graph = checked.searched.graph
    assert graph.number(graph.state(len(graph) - 1)) == len(graph) - 1


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_search_ends_before_memory_does(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "installed", lambda: 1_000_000)
    (found,) = check(Philosophers, parameters={"N": 9}, engine=engine).models
    assert found.verdict == "inconclusive"
    assert found.limit == "reached 0.0 GB, nearly all the memory of this machine"
    assert 0 < found.states < 20_000


class Ticks(Model):
    ticks = 0
    turn = 0

    @thread
    def clock(self):
        while True:
            self.ticks += 1

    @thread
    def other(self):
        while True:
            self.turn = 1 - self.turn


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_variable_that_never_stops_growing_is_named(engine: str) -> None:
    (found,) = check(Ticks, engine=engine, max_states=8_000).models
    assert found.warnings == (
        "ticks has had 1,001 different values so far: if nothing bounds it, the search has no end",
    )
    (found,) = check(Ticks, engine=engine, max_states=3_000).models
    assert found.warnings == ()


def test_memory_is_known() -> None:
    assert 0 <= resources.resident() < (resources.installed() or 1)


@pytest.mark.slow
def test_progress_is_told_in_one_line() -> None:
    lines: list[str] = []
    options = Options(on_progress=lambda graph: lines.append(progress_line(graph, 2.0)))
    checked_model(Counter, "", {"N": 3, "K": 5}, options)
    assert lines[0].startswith("searching: ")
    for part in (" states, ", " transitions, ", " states/s, depth ", " to expand, ", " MB, 2.0 s"):
        assert part in lines[-1]


def test_quick_searches_show_no_progress() -> None:
    progress = Progress()
    progress(None)  # type: ignore[arg-type]
    progress.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_progress_on_a_terminal_and_nowhere_else(tmp_path: Path) -> None:
    import pty

    file = tmp_path / "model.py"
    file.write_text(
        "from interleave import Model, thread\n"
        "class M(Model):\n"
        "    n = 0\n"
        "    @thread(4)\n"
        "    def work(self):\n"
        "        for _ in range(3):\n"
        "            t = self.n\n"
        "            self.n = t + 1\n"
    )
    command = [sys.executable, "-m", "interleave", "check", str(file), "-q"]
    command += ["--engine", "reference", "--max-seconds", "1"]
    keeper, terminal = pty.openpty()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=terminal, check=False)
    os.close(terminal)
    assert b"searching: " in os.read(keeper, 100_000)
    os.close(keeper)
    plain = subprocess.run(command, capture_output=True, check=False)
    assert plain.stderr == b""


def test_compiling_is_announced_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", 0.01)
    compiling._announced.clear()
    for _ in range(2):
        with compiling.announced():
            time.sleep(0.2)
    with compiling.announced():
        pass
    assert capsys.readouterr().err.count("compiling the native engine") == 1


def test_the_faster_pace_is_kept_and_the_other_tried_now_and_then() -> None:
    pace = Pace(2)
    for _ in range(3 * Pace.LOOK_AGAIN):
        parallel = pace.parallel()
        pace.note(parallel, 1_000_000, 2.0 if parallel else 1.0)
    chosen = [pace.parallel() for _ in range(2 * Pace.LOOK_AGAIN)]
    assert chosen.count(True) == 2
    pace.note(True, 1_000_000, 0.5)
    again = [pace.parallel() for _ in range(2 * Pace.LOOK_AGAIN)]
    assert again.count(False) == 2
    assert not any(Pace(1).parallel() for _ in range(20))


def test_a_pace_is_known_from_many_short_runs() -> None:
    """Where new cases keep turning up, workers are never long at it."""
    pace = Pace(2)
    for _ in range(10 * Pace.LOOK_AGAIN):
        parallel = pace.parallel()
        pace.note(parallel, 50_000, 0.2 if parallel else 0.1)
    chosen = [pace.parallel() for _ in range(2 * Pace.LOOK_AGAIN)]
    assert chosen.count(True) == 2


def test_workers_have_no_trace_function() -> None:
    """Under one, CPython 3.11 would have them wait for the thread that waits for them."""
    before = threading.gettrace()
    threading.settrace(lambda *_: None)
    try:
        workers = Workers(3)
        assert workers(lambda number: number and sys.gettrace()) == [0, None, None]
        workers.close()
    finally:
        threading.settrace(before)  # type: ignore[arg-type]
