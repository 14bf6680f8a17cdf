"""The models of Go's bug patterns, each with its fix: verdict, states and transitions."""

from __future__ import annotations

from pathlib import Path

import pytest

from interleave import check, explore
from interleave.loading import load_models
from interleave.report.graph.picture import draw

FOLDER = Path(__file__).parents[2] / "models" / "go"

PATTERNS = [
    ("ab_ba", "MainWaits", ["deadlock"], 103, 190),
    ("ab_ba", "MainGivesUp", ["stuck"], 201, 348),
    ("ab_ba", "SameOrder", [], 85, 155),
    ("context_leak", "NotOnEveryWay", ["stuck"], 14, 16),
    ("context_leak", "Deferred", [], 12, 16),
    ("context_leak", "WithTimeout", [], 8, 7),
    ("counters", "Racy", ["lost-update", "postcondition", "data-race"], 58, 105),
    ("counters", "WithMutex", [], 64, 114),
    ("counters", "WithAtomicAdd", [], 26, 43),
    ("counters", "WithLoadAndStore", ["lost-update", "assertion"], 59, 106),
    ("counters", "WithChannel", [], 22, 31),
    ("double_close", "LooksFirst", ["exception"], 56, 91),
    ("double_close", "Once", [], 35, 58),
    ("double_lock", "LocksTwice", ["deadlock"], 4, 3),
    ("double_lock", "LocksOnce", [], 10, 9),
    ("loop_variable", "UpToGo121", ["postcondition", "data-race"], 144, 254),
    ("loop_variable", "SinceGo122", [], 89, 152),
    ("loop_variable", "AsAnArgument", [], 89, 152),
    ("missing_close", "NeverClosed", ["deadlock"], 43, 76),
    ("missing_close", "NeverClosedNorWaitedFor", ["stuck"], 26, 33),
    ("missing_close", "ClosedByTheSender", [], 59, 105),
    ("once_reentry", "CallsItself", ["deadlock"], 3, 2),
    ("once_reentry", "UsesWhatItHas", [], 61, 108),
    ("pipeline", "NobodySaysStop", ["stuck", "stuck"], 67, 109),
    ("pipeline", "WithAContext", [], 172, 361),
    ("recursive_read_lock", "ReadsTwice", ["deadlock"], 49, 69),
    ("recursive_read_lock", "ReadsOnce", [], 40, 57),
    ("select_both_ready", "AnyOfThem", ["assertion"], 34, 49),
    ("select_both_ready", "StopGoesFirst", [], 38, 57),
    ("select_default", "WaitsFirst", ["livelock"], 6, 8),
    ("select_default", "ClosesFirst", [], 14, 18),
    ("send_on_closed", "ReceiverCloses", ["exception"], 16, 19),
    ("send_on_closed", "ReceiverSaysStop", [], 22, 29),
    ("shutdown_order", "NothingKeepsThemApart", ["deadlock", "data-race"], 31, 43),
    ("shutdown_order", "WithALock", ["deadlock"], 38, 51),
    ("shutdown_order", "TheStopIsRemembered", [], 42, 58),
    ("signal_before_wait", "WaitsWithoutAsking", ["deadlock"], 23, 23),
    ("signal_before_wait", "WaitsWhileThereIsNone", [], 23, 24),
    ("timeout_leak", "Unbuffered", ["stuck"], 12, 13),
    ("timeout_leak", "Buffered", [], 10, 12),
    ("wait_in_loop", "InsideTheLoop", ["deadlock"], 6, 6),
    ("wait_in_loop", "BehindTheLoop", [], 14, 19),
    ("waitgroup_add", "AddedInside", ["assertion", "data-race", "data-race"], 18, 21),
    ("waitgroup_add", "AddedBefore", [], 11, 12),
    ("waitgroup_add", "WithGo", [], 11, 12),
    ("worker_pool", "ClosedWhenAllAreDone", [], 549, 1438),
    ("worker_pool", "ClosedByAWorker", ["exception"], 518, 1122),
    ("worker_pool", "NeverClosed", ["deadlock"], 264, 569),
]


@pytest.mark.parametrize(("file", "model", "kinds", "states", "transitions"), PATTERNS)
def test_a_pattern(file: str, model: str, kinds: list[str], states: int, transitions: int) -> None:
    """By the native engine; the reference engine is asked for these sizes with all others."""
    (result,) = check(FOLDER / f"{file}.py", model=model, engine="native").models
    assert result.runtime == "go"
    assert [violation.kind for violation in result.violations] == kinds
    assert (result.states, result.transitions) == (states, transitions)
    comment = f"# {states:,} states, {transitions:,} transitions\n"
    assert comment in (FOLDER / f"{file}.py").read_text(encoding="utf-8")


def test_every_pattern_is_here() -> None:
    found = [(f.stem, m.__name__) for f in sorted(FOLDER.glob("*.py")) for m in load_models(f)]
    assert found == [(file, model) for file, model, *_ in PATTERNS]


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", ["timeout_leak/Buffered", "context_leak/Deferred"])
def test_the_state_graph_of_a_pattern_can_be_drawn(name: str, full: bool) -> None:
    file, model = name.split("/")
    found = explore(FOLDER / f"{file}.py", model=model)
    # What goroutines make is not there in all states, and main has one in which it returns.
    assert len({tuple(state.variables) for state in found.states()}) > 1
    source, shown = draw(found, full=full)
    assert source.startswith("digraph")
    assert not shown
