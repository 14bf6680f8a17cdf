"""Ctrl-C, deadlines and want of memory, in every phase: what was found by then is reported."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import interleave
from interleave import Model, check, go, goroutine, interrupts, invariant, param, thread
from interleave import cli as command_line
from interleave.checking import Options, checked_model
from interleave.checks import leaks, lost_update
from interleave.checks import stale as stale_reads
from interleave.checks import stuck as stuck_check
from interleave.checks.properties import PropertyCheck
from interleave.checks.stuck import StuckCheck
from interleave.engine import graph, search, stopping
from interleave.engine.native import graph as native_graph
from interleave.engine.native import kernel
from interleave.engine.native import search as native_search
from interleave.engine.native.passes import paths as native_paths
from interleave.engine.native.passes import stuck as native_stuck
from interleave.engine.native.store.states import Sizes
from interleave.engine.passes import endings
from interleave.engine.passes import shortest as paths
from interleave.engine.stopping import INTERRUPTED, Guard, Stop, Stopped, held_back
from interleave.errors import ModelError
from interleave.report import text as text_report
from interleave.report.graph import files as graph_files
from interleave.result import ModelResult, Result

ENGINES = ("reference", "native")


class Shop(Model):
    """A lost update, an invariant that does not hold, and an assertion that fails."""

    N = param(2)
    stock = 3

    @thread(N)
    def sell(self):
        left = self.stock
        self.stock = left - 1

    @thread
    def count(self):
        assert self.stock == 3

    @invariant
    def much(self):
        return self.stock > 2


AT_ONCE = {"assertion", "invariant"}
"""What of it the search itself comes by."""
ALL = AT_ONCE | {"lost-update"}


class Spins(Model):
    """An invariant that does not hold, and a thread that is stuck while another one goes on."""

    turn = 0
    ch = go.Chan()

    @goroutine
    def main(self):
        while True:
            self.turn = 1 - self.turn

    @goroutine
    def waits(self):
        self.ch.recv()

    @invariant
    def calm(self):
        return self.turn == 0


class Leaves(Model):
    """An invariant that does not hold, and a goroutine that is leaked."""

    x = 0
    ch = go.Chan()

    @goroutine
    def main(self):
        self.x = 1

    @goroutine
    def waits(self):
        self.ch.recv()

    @invariant
    def none(self):
        return self.x == 0


def kinds(result: ModelResult) -> set[str]:
    return {violation.kind for violation in result.violations}


def lengths(result: ModelResult) -> set[tuple[str, int]]:
    """The violations, each with how long its way is."""
    return {(violation.kind, len(violation.trace.steps)) for violation in result.violations}


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have Ctrl-C come each time that a function is called, from some time on up to another."""

    def arrange(owner: object, name: str, first: int = 1, last: int | None = None) -> None:
        usual, calls = getattr(owner, name), 0

        def interrupted(*arguments: Any, **keywords: Any) -> Any:
            nonlocal calls
            calls += 1
            if first <= calls <= (last or first):
                signal.raise_signal(signal.SIGINT)
            return usual(*arguments, **keywords)

        monkeypatch.setattr(owner, name, interrupted)

    return arrange


# Each phase. Without an interrupt, all is found.


@pytest.mark.parametrize("engine", ENGINES)
def test_what_there_is_to_find(engine: str) -> None:
    (shop,), (spins,), (leaves,) = (
        check(model, engine=engine).models for model in (Shop, Spins, Leaves)
    )
    assert (kinds(shop), kinds(spins), kinds(leaves)) == (
        ALL,
        {"invariant", "stuck", "data-race"} & kinds(spins),
        {"invariant", "stuck"},
    )
    assert shop.interleavings is not None
    assert not shop.interrupted


SEARCH = [
    ("reference", graph.SearchGraph, "add", 30, AT_ONCE),
    ("reference", PropertyCheck, "on_state", 30, AT_ONCE),
    ("native", native_search.NativeSearch, "_learn", 3, set()),
    ("native", native_search.NativeSearch, "_prepare", 12, set()),
    ("native", native_search.NativeSearch, "_follow", 18, AT_ONCE),
    ("native", kernel, "rounds", 20, AT_ONCE),
]
CHECKS = [
    (Shop, "both", lost_update.LostUpdateCheck, "_values", 1, AT_ONCE),
    (Shop, "both", lost_update.LostUpdateCheck, "_suspects", 1, AT_ONCE),
    (Shop, "both", lost_update.LocalMoves, "suspects", 1, AT_ONCE),
    (Shop, "both", stale_reads.Histories, "follow", 1, AT_ONCE),
    (Shop, "both", stale_reads.Histories, "follow", 20, AT_ONCE),
    (Shop, "both", lost_update.LostUpdateCheck, "_expand", 1, ALL),
    (Shop, "both", paths, "_rank", 2, ALL),
    (Shop, "both", lost_update.LostUpdateCheck, "_expand", 20, ALL),
    (Spins, "both", StuckCheck, "found", 1, {"invariant"}),
    (Spins, "both", stuck_check, "find_stuck", 1, {"invariant"}),
    (Spins, "native", native_stuck, "visit", 1, {"invariant"}),
    (Spins, "native", native_stuck, "first_waits", 1, {"invariant"}),
    (Leaves, "both", leaks, "explore", 1, {"invariant"}),
    (Leaves, "both", leaks, "find_waiting", 1, {"invariant"}),
    (Leaves, "both", leaks.Leaks, "_leaking", 1, {"invariant"}),
    (Leaves, "both", leaks.Leaks, "path_to", 1, {"invariant"}),
]
TRACES = [
    (Shop, "both", interleave.checking, "paths_to", 1, ALL),
    (Shop, "both", paths, "_rank", 6, ALL),
    (Shop, "both", interleave.checking, "make_trace", 1, ALL),
    (Leaves, "both", leaks, "paths_to", 1, {"invariant"}),
    (Leaves, "both", paths, "_rank", 1, {"invariant", "stuck"}),
]
COUNTS = [
    (Shop, "both", interleave.checking, "count_interleavings", 1, ALL),
    (Shop, "both", interleave.counting, "_outcomes", 1, ALL),
    (Shop, "both", interleave.counting, "explore", 1, ALL),
    (Shop, "both", interleave.counting, "variables", 1, ALL),
    (Shop, "reference", endings, "count_paths", 1, ALL),
    (Shop, "native", native_paths, "count_paths", 1, ALL),
    (Shop, "both", interleave.checking, "_warnings", 1, ALL),
]
AFTER = [
    (model, engine, *rest)
    for model, which, *rest in CHECKS + TRACES + COUNTS
    for engine in (ENGINES if which == "both" else (which,))
]


def name_of(value: Any) -> str | None:
    return getattr(value, "__name__", None) or (value if isinstance(value, str) else None)


@pytest.mark.parametrize(("engine", "owner", "name", "at", "found"), SEARCH, ids=name_of)
@pytest.mark.parametrize("workers", [1, 2])
def test_in_the_search(
    interrupt, engine: str, owner: Any, name: str, at: int, found: set[str], workers: int
) -> None:
    whole = check(Shop, parameters={"N": 3}).models[0]
    interrupt(owner, name, at)
    options = Options(engine=engine, workers=workers, sizes=Sizes(chunk=2, shared_from=0))
    cut = checked_model(Shop, "", {"N": 3}, options).result
    assert (cut.limit, cut.interrupted, cut.complete) == ("interrupted", True, False)
    assert 0 < cut.states < whole.states
    assert found <= kinds(cut)
    assert cut.verdict == ("violated" if kinds(cut) else "inconclusive")
    assert cut.interleavings is None
    assert Result((cut,), interrupted=cut.interrupted).exit_code == (1 if kinds(cut) else 3)


@pytest.mark.parametrize(("model", "engine", "owner", "name", "at", "found"), AFTER, ids=name_of)
def test_after_the_search(
    interrupt,
    model: type[Model],
    engine: str,
    owner: Any,
    name: str,
    at: int,
    found: set[str],
) -> None:
    (whole,) = check(model, engine=engine).models
    interrupt(owner, name, at)
    result = check(model, engine=engine)
    (cut,) = result.models
    assert (cut.limit, cut.interrupted, cut.complete) == ("interrupted", True, False)
    assert kinds(cut) == found | (kinds(whole) & {"data-race"})
    assert cut.verdict == "violated"
    assert (cut.states, cut.transitions) == (whole.states, whole.transitions)
    assert (cut.interleavings is None) == (name != "_warnings")
    assert result.exit_code == 1
    assert not result.passed
    assert lengths(cut) <= lengths(whole)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_in_a_round_that_is_done_again(interrupt, first: int) -> None:
    interrupt(native_graph.NativeGraph, "add", first)
    options = Options(engine="native", max_states=40, sizes=Sizes(chunk=8))
    checked = checked_model(Shop, "", {"N": 3}, options)
    found = checked.searched.graph
    assert checked.result.limit == "interrupted"
    assert 0 < len(found) < 40
    assert [found.number(found.state(n)) for n in range(len(found))] == list(range(len(found)))


@pytest.mark.parametrize("engine", ENGINES)
def test_in_the_exact_search_for_lost_updates(monkeypatch, interrupt, engine: str) -> None:
    monkeypatch.setattr(paths, "CHEAP", 0)
    monkeypatch.setattr(search, "ENOUGH_FOR_NATIVE", 0)
    (whole,) = check(Shop, engine=engine).models
    assert kinds(whole) == ALL
    for at, found in ((1, AT_ONCE), (3, AT_ONCE), (6, ALL)):
        interrupt(lost_update._Losses, "on_level", at)
        (cut,) = check(Shop, engine=engine).models
        assert (cut.limit, kinds(cut)) == ("interrupted", found)
        assert lengths(cut) <= lengths(whole)
        monkeypatch.undo()
        monkeypatch.setattr(paths, "CHEAP", 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_while_the_search_looks_for_lost_updates_to_end_at(interrupt, engine: str) -> None:
    class Counter(Model):
        counter = 0

        @thread(3)
        def increment(self):
            for _ in range(2):
                self.counter += 1

    (quick,) = check(Counter, engine=engine, fail_fast=True).models
    assert kinds(quick) == {"lost-update"}
    interrupt(lost_update.LostUpdateCheck, "_suspects", 1)
    (cut,) = check(Counter, engine=engine, fail_fast=True).models
    assert cut.limit == "interrupted"
    assert cut.states < quick.states


@pytest.mark.parametrize("engine", ENGINES)
def test_more_than_once(interrupt, engine: str) -> None:
    interrupt(stale_reads.Histories, "follow", 1)
    interrupt(paths, "_arrival", 3, 1_000)
    interrupt(interleave.checking, "make_trace", 1, 1_000)
    (cut,) = check(Shop, engine=engine).models
    assert (cut.limit, kinds(cut)) == ("interrupted", AT_ONCE)
    # Two at once are not held back: what is being worked on is left out.
    interrupt(interleave.checking, "make_trace", 1)
    interrupt(interleave.checking, "make_trace", 1)
    (cut,) = check(Shop, engine=engine).models
    assert (cut.limit, kinds(cut)) == ("interrupted", ALL - {"lost-update"})


# Several models


FIRST, SECOND = type("First", (Shop,), {}), type("Second", (Shop,), {})


def test_nothing_is_checked_any_more(interrupt) -> None:
    interrupt(interleave.checking, "count_interleavings", 2)
    told: list[str] = []
    result = check([FIRST, Shop, SECOND], on_result=lambda model, _: told.append(model.model))
    assert [model.complete for model in result.models] == [True, False]
    assert told == ["First", "Shop"]
    assert (result.interrupted, result.passed, result.exit_code) == (True, False, 1)


def test_where_there_is_nothing_to_say_of_a_model(interrupt) -> None:
    interrupt(search, "Program", 2)
    result = check([FIRST, Shop, SECOND])
    first, cut = result.models
    assert (first.model, first.complete) == ("First", True)
    assert (cut.model, cut.verdict, cut.states, cut.limit) == (
        "Shop",
        "inconclusive",
        0,
        "interrupted",
    )
    assert (result.interrupted, result.exit_code) == (True, 1)


def test_while_a_result_is_told_of() -> None:
    def tell(*_: object) -> None:
        raise KeyboardInterrupt

    result = check([FIRST, SECOND], on_result=tell)
    assert [model.complete for model in result.models] == [True]
    assert (result.interrupted, result.exit_code) == (True, 1)


# The command line


MODELS = """
    from interleave import Model, thread

    class Counter(Model):
        counter = 0

        @thread(2)
        def increment(self):
            temp = self.counter
            self.counter = temp + 1

    class Later(Counter):
        pass
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(textwrap.dedent(MODELS))

    def call(command: str, *arguments: str) -> Any:
        return CliRunner().invoke(command_line.main, [command, "model.py", *arguments])

    return call


def test_while_a_report_is_written(run, interrupt) -> None:
    whole = run("check", "-m", "Counter")
    interrupt(text_report, "_violation")
    cut = run("check")
    assert (cut.exit_code, cut.stderr, cut.stdout) == (1, "interrupted\n", whole.stdout)


def test_a_report_says_itself_that_it_was_interrupted(run, interrupt) -> None:
    interrupt(interleave.checking, "paths_to")
    interrupt(lost_update.LostUpdateCheck, "_describe")
    cut = run("check", "-q")
    line = "Counter: violated - lost-update on counter - incomplete search: interrupted\n"
    assert (cut.exit_code, cut.stdout, cut.stderr) == (1, line, "")


def test_json_has_what_was_checked(run, interrupt) -> None:
    interrupt(interleave.checking, "make_trace")
    document = json.loads(run("check", "--format", "json").stdout)
    (model,) = document["models"]
    assert (document["exit_code"], model["limit"], model["complete"]) == (1, "interrupted", False)
    assert [violation["kind"] for violation in model["violations"]] == ["lost-update"]


def test_json_is_whole(run, interrupt) -> None:
    from interleave.report import document as json_report

    whole = run("check", "--format", "json")
    interrupt(json_report, "render_json")
    cut = run("check", "--format", "json")
    assert (cut.exit_code, cut.stderr, cut.stdout) == (1, "interrupted\n", whole.stdout)


def test_while_a_counterexample_is_drawn(run, interrupt) -> None:
    from interleave.report import diagram

    whole = run("check")
    interrupt(diagram, "write_diagram", 2)
    cut = run("check", "--diagram", "found.dot")
    assert (cut.exit_code, cut.stdout) == (1, whole.stdout)
    assert cut.stderr == "Counter, lost-update: drawn to found.dot\ninterrupted\n"
    assert (Path("found.dot").exists(), Path("found-2.dot").exists()) == (True, False)


def test_while_a_graph_is_drawn(run, interrupt) -> None:
    interrupt(graph_files, "draw")
    cut = run("graph", "-m", "Counter", "-o", "graph.dot")
    assert cut.exit_code == 3
    assert cut.stderr == "Counter: 12 states: not written to graph.dot: interrupted\n"
    assert not Path("graph.dot").exists()


@pytest.mark.parametrize(
    ("owner", "name", "at", "states"),
    [(graph.SearchGraph, "add", 9, 9), (interleave.checking, "make_trace", 1, 12)],
    ids=["search", "traces"],
)
def test_a_graph_of_an_interrupted_check(
    run, interrupt, owner: Any, name: str, at: int, states: int
) -> None:
    interrupt(owner, name, at)
    cut = run("graph", "-m", "Counter", "-o", "graph.json")
    document = json.loads(Path("graph.json").read_text())
    assert (document["complete"], document["limit"]) == (states == 12, "interrupted")
    assert len(document["states"]) == states
    assert cut.exit_code == 3
    assert cut.stderr.endswith("the search is incomplete: interrupted\n")


def test_before_there_is_a_graph(run, interrupt) -> None:
    interrupt(search, "Program")
    cut = run("graph", "-m", "Counter", "-o", "graph.dot")
    assert (cut.exit_code, cut.stderr) == (3, "interrupted\n")


def test_listing_steps(run, interrupt) -> None:
    from interleave import listing

    interrupt(listing._Collector, "on_transition")
    cut = run("steps")
    assert cut.exit_code == 3
    assert "Counter" in cut.stdout
    assert "Later" not in cut.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize(
    "name",
    [
        "interleave.checks.lost_update.LostUpdateCheck._suspects",
        "interleave.checking.make_trace",
        "interleave.counting._outcomes",
    ],
)
def test_a_real_interrupt(tmp_path: Path, name: str) -> None:
    module, _, attribute = name.rpartition(".")
    script = f"""
        import pkgutil, time
        from pathlib import Path
        from interleave.cli import main
        owner = pkgutil.resolve_name({module!r})
        usual = getattr(owner, {attribute!r})
        def slow(*arguments, **keywords):
            Path("there").touch()
            time.sleep(2)
            return usual(*arguments, **keywords)
        setattr(owner, {attribute!r}, slow)
        main()
    """
    (tmp_path / "model.py").write_text(textwrap.dedent(MODELS))
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), "check", "-q", "model.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    patience = time.monotonic() + 60
    while not (tmp_path / "there").exists() and time.monotonic() < patience:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    output, errors = child.communicate(timeout=60)
    found = "inconclusive" if "_suspects" in name else "violated - lost-update on counter"
    assert output == f"Counter: {found} - incomplete search: interrupted\n"
    assert (errors, child.returncode) == ("", 3 if "_suspects" in name else 1)


def test_the_exit_code_after_an_interrupt_in_what_a_module_generates(tmp_path: Path) -> None:
    model = tmp_path / "model.py"
    model.write_text('import interleave\nexec("import signal; signal.raise_signal(signal.SIGINT)")')
    command = [sys.executable, "-m", "interleave", "check", str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "interrupted\n", 3)


# Deadlines and memory


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cheap", [0, paths.CHEAP])
def test_max_seconds_bound_the_search_for_lost_updates(
    monkeypatch, engine: str, cheap: int
) -> None:
    usual = stale_reads.Histories.follow

    def slow(*arguments: Any) -> int:
        time.sleep(0.05)
        return usual(*arguments)

    monkeypatch.setattr(paths, "CHEAP", cheap)
    monkeypatch.setattr(stale_reads.Histories, "follow", slow)
    started = time.monotonic()
    (cut,) = check(Shop, engine=engine, parameters={"N": 3}, max_seconds=1.5).models
    assert time.monotonic() - started < 10
    assert cut.limit == "reached the limit of 1.5 seconds"
    assert not cut.interrupted
    assert kinds(cut) >= AT_ONCE
    assert cut.interleavings is None


@pytest.mark.parametrize(
    ("model", "engine", "owner", "name"),
    [
        (Spins, "reference", stuck_check, "find_stuck"),
        (Spins, "native", stuck_check, "find_stuck"),
        (Leaves, "reference", leaks, "explore"),
        (Leaves, "native", leaks, "explore"),
        (Shop, "reference", graph, "Targets"),
        (Shop, "reference", interleave.counting, "find_endings"),
        (Shop, "native", interleave.counting, "find_endings"),
    ],
    ids=name_of,
)
@pytest.mark.parametrize("short", ["seconds", "memory"])
def test_passes_end_at_a_limit(
    monkeypatch, model: type[Model], engine: str, owner: Any, name: str, short: str
) -> None:
    usual = getattr(owner, name)

    def begin(*arguments: Any, **keywords: Any) -> Any:
        if short == "seconds":
            now = time.monotonic()
            monkeypatch.setattr(stopping.time, "monotonic", lambda: now + 1_000)
        else:
            monkeypatch.setattr(stopping, "LOOK_EVERY", 0)
            monkeypatch.setattr(stopping, "shortage", lambda _: "reached 1 GB")
        return usual(*arguments, **keywords)

    monkeypatch.setattr(stopping, "LOOK_EVERY", 0)
    monkeypatch.setattr(owner, name, begin)
    result = check(model, engine=engine, max_seconds=500)
    (cut,) = result.models
    limit = "reached the limit of 500 seconds" if short == "seconds" else "reached 1 GB"
    where = ", in what goroutines could do after main" if name == "explore" else ""
    assert cut.limit == limit + where
    assert (cut.complete, cut.interrupted, cut.interleavings) == (False, False, None)
    assert "invariant" in kinds(cut)
    assert result.exit_code == 1


# The guard


def test_a_guard_notes_the_first_limit_and_any_interrupt() -> None:
    guard = Guard()
    few, many = Stop("states", "few"), Stop("states", "many")
    guard.note(None)
    assert guard.stop is None
    for stop, noted in ((few, few), (many, few), (INTERRUPTED, INTERRUPTED), (few, INTERRUPTED)):
        guard.note(stop)
        assert guard.stop == noted


def test_a_phase_that_is_cut_short_ends_the_one_around_it_at_its_next_poll() -> None:
    guard, done = Guard(), []
    with guard.phase("here") as outer:
        guard.poll()
        with guard.phase() as inner:
            raise Stopped(Stop("states", "many"))
        done.append("still known")
        guard.poll()
        done.append("not done any more")
    assert done == ["still known"]
    assert str(inner.stop) == str(outer.stop) == str(guard.stop) == "many, here"
    with guard.phase() as later:
        guard.poll()  # nothing has cut this one short
    assert later.stop is None


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no such timer")
def test_what_came_before_a_phase_ends_it_though_it_never_polls() -> None:
    guard = Guard()
    with interrupts.listening(), interrupts.leaving(interrupts.AT_POLLS):
        signal.raise_signal(signal.SIGINT)
        with guard.phase():
            while True:
                pass
    assert guard.stop is INTERRUPTED


def test_errors_pass_a_guard() -> None:
    guard = Guard()
    with pytest.raises(ZeroDivisionError), guard.phase():
        raise ZeroDivisionError
    assert guard.stop is None


def test_what_is_held_back_comes_at_the_end() -> None:
    done = []

    @held_back()
    def interrupted(times: int) -> None:
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)
        done.append(times)

    interrupted(0)
    for times in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            interrupted(times)
    assert done == [0, 1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_tick_at_the_end_of_a_run_leaves_no_trace_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual, calls = sys.gettrace, 0

    def gettrace() -> Any:
        nonlocal calls
        calls += 1
        found = usual()
        for _ in range(2 if calls == 2 else 0):  # as the run has ended
            interrupts._outside.on_tick(signal.SIGALRM, sys._getframe())
        return found

    monkeypatch.setattr(interrupts._outside, "due", None)
    monkeypatch.setattr(interrupts, "thread_time", itertools.count().__next__)
    monkeypatch.setattr(interrupts.sys, "gettrace", gettrace)
    before = usual()
    assert interrupts.counted(lambda: 1, "it") == 1
    after = usual()
    sys.settrace(before)
    assert after is before


@contextlib.contextmanager
def _ours(done: list[str]) -> Iterator[None]:
    done.append("begun")
    try:
        yield
    finally:
        done.append("ended")


def test_what_the_library_does_for_us_is_not_left_in_the_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A context manager of ours is `contextlib`'s; the code of a model is within it."""
    monkeypatch.setattr(interrupts, "_OURS", str(Path(__file__).parent))
    monkeypatch.setattr(interrupts, "MOST_INSTRUCTIONS", 30)
    done: list[str] = []
    names = {"__name__": "a_model"}
    exec("def model():\n    for _ in range(100): pass", names)

    def attempt() -> None:
        for _ in range(20):  # each of the two that `with` calls is entered, and goes on
            with _ours(done):
                pass
        names["model"]()

    with pytest.raises(ModelError, match="more than 30 instructions") as error:
        interrupts.counted(_overlong_at_first(attempt), "it")
    assert error.value.place is not None
    assert error.value.place.file == "<string>"
    assert done == ["begun", "ended"] * 20


def _overlong_at_first(attempt: Callable[[], None]) -> Callable[[], None]:
    calls = iter((True, False))

    def run() -> None:
        if next(calls):
            raise interrupts._Overlong
        attempt()

    return run


def test_what_is_counted_stays_so_when_something_within_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interrupts, "thread_time", itertools.count().__next__)
    runs = []

    def ticks() -> None:
        for _ in range(2):
            interrupts._outside.on_tick(signal.SIGALRM, sys._getframe())

    def outer() -> int:
        runs.append("outer")
        interrupts.counted(ticks, "inner")
        ticks()
        return sum(i for i in range(interrupts.FEW_INSTRUCTIONS))

    interrupts._outside.due = None
    assert interrupts.counted(_overlong_at_first(outer), "outer") is None
    assert runs == ["outer"]


def test_what_the_collector_calls_is_not_the_model() -> None:
    found = []

    def callback(phase: str, info: dict[str, int]) -> None:
        found.append(interrupts.model_frames(sys._getframe()))

    gc.callbacks.append(callback)
    try:
        interrupts.counted(gc.collect, "it")
    finally:
        gc.callbacks.remove(callback)
    assert len(found) >= 2
    assert all(each == (False, []) for each in found)


def test_what_the_collector_calls_is_not_left_in_the_middle() -> None:
    """An exception would be lost there, with a message; what is due stays so."""
    done = []

    def callback(phase: str, _: object) -> None:
        if phase == "start" and not done:
            signal.raise_signal(signal.SIGINT)
            done.append(phase)

    guard = Guard()
    gc.callbacks.append(callback)
    try:
        with interrupts.listening(), guard.phase():
            gc.collect()
            time.sleep(1)
            done.append("slept")
    finally:
        gc.callbacks.remove(callback)
    assert (done, guard.stop) == (["start"], INTERRUPTED)


ASKED = """
def getsignal(number):
    global left
    left -= 1
    if not left:
        raise_signal(SIGINT)
    return real(number)
"""


@pytest.mark.parametrize("left", range(1, 7))
def test_handlers_are_kept_no_longer_than_asked(monkeypatch, left: int) -> None:
    """Whenever a signal comes: also in the library's code that puts handlers back."""
    library = {**vars(signal), "real": signal.getsignal, "left": left}
    exec(ASKED, library)
    guard = Guard()
    with interrupts.listening(), guard.phase():
        with monkeypatch.context() as patch:
            patch.setattr(signal, "getsignal", library["getsignal"])
            with interrupts.keeping_handlers():
                pass
        time.sleep(1)
    assert guard.stop is INTERRUPTED
    assert interrupts._outside.kept == {}
    assert library["left"] <= 0
    later = Guard()
    with interrupts.listening(), later.phase():
        time.sleep(3 * interrupts.TICK)
    assert later.stop is None
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


@pytest.mark.parametrize(
    ("spends", "is_anew", "is_counted"),
    [(0.02, False, True), (0.005, False, True), (0.0, False, False), (0.02, True, False)],
    ids=["it runs", "it runs now and then", "others run", "what runs is ours"],
)
def test_what_takes_long_is_counted_by_the_time_that_it_has_had(
    spends: float, is_anew: bool, is_counted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside, spent, counted = interrupts._outside, [0.0], list[int]()
    monkeypatch.setattr(outside, "due", None)
    monkeypatch.setattr(interrupts, "thread_time", lambda: spent[0])
    monkeypatch.setattr(interrupts, "count_instructions", lambda *_: counted.append(outside.run))

    def run() -> None:
        for _ in range(4):  # looks, of which each finds that the thread has run a little more
            spent[0] += spends
            outside.on_tick(signal.SIGALRM, sys._getframe())
            if is_anew:
                interrupts.begin_anew()

    interrupts.counted(run, "it")
    assert bool(counted) is is_counted
    assert outside.run == outside.counting == 0
