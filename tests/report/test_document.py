"""The report as data keeps to schema 1."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import report_results as results

from interleave.errors import ModelError
from interleave.report.document import render_json, to_document
from interleave.result import Change, Described, Result


def test_lost_update() -> None:
    document = to_document(Result((results.lost_update(),)), version="1.2.3")
    violation = document["models"][0].pop("violations")[0]
    assert document == {
        "schema": 1,
        "version": "1.2.3",
        "models": [
            {
                "model": "Counter",
                "file": "counter.py",
                "runtime": "free-threaded",
                "parameters": {},
                "verdict": "violated",
                "expected": None,
                "expectation": "",
                "complete": True,
                "limit": "",
                "states": 11,
                "transitions": 14,
                "depth": 4,
                "interleavings": None,
                "violating_interleavings": None,
                "outcomes": None,
                "assumed_pure": [],
                "bounds": {},
                "followed": [],
                "warnings": [],
            }
        ],
        "exit_code": 1,
    }
    trace = violation.pop("trace")
    assert violation == {
        "kind": "lost-update",
        "message": (
            "increment[0] overwrites what increment[1] wrote to counter, without having seen it"
        ),
        "hint": "",
        "location": "counter",
        "threads": ["increment[0]", "increment[1]"],
        "source": {"file": "counter.py", "line": 10, "text": "self.counter = temp + 1"},
        "initial": {"counter": 0},
        "final": {},
        "all_threads": ["increment[0]", "increment[1]"],
        "loop": [],
        "schedule": None,
        "waits": [],
        "cycle": False,
        "leaked": False,
        "race": [],
        "looked_at": [],
        "lost_update": {
            "reader": "increment[0]",
            "writer": "increment[1]",
            "read": 1,
            "lost": 3,
            "overwrite": 4,
            "by_condition": False,
        },
    }
    assert len(trace) == 4
    assert trace[2] == {
        "step": 3,
        "thread": "increment[1]",
        "access": {"kind": "write", "location": "counter"},
        "accesses": [{"kind": "write", "location": "counter"}],
        "source": {"file": "counter.py", "line": 10, "text": "self.counter = temp + 1"},
        "changes": {"counter": [0, 1]},
        "outcome": "",
    }


def test_data_race() -> None:
    document = to_document(Result((results.data_race(),)), version="")
    (violation,) = document["models"][0]["violations"]
    assert violation["race"] == [
        {
            "thread": "maker",
            "access": {"kind": "write", "location": "ready"},
            "source": {"file": "publish.py", "line": 12, "text": "self.ready = True"},
            "writes": True,
        },
        {
            "thread": "user",
            "access": {"kind": "read", "location": "ready"},
            "source": {"file": "publish.py", "line": 16, "text": "while not self.ready:"},
            "writes": False,
        },
    ]


def test_deadlock_has_its_waits() -> None:
    document = to_document(Result((results.philosophers(),)), version="0")
    assert document["models"][0]["parameters"] == {"N": 5}
    violation = document["models"][0]["violations"][0]
    assert violation["cycle"] is True
    assert violation["location"] is None
    assert violation["initial"]["forks[0]"] == "free"
    assert violation["waits"][4] == {
        "thread": "philosopher[4]",
        "access": {"kind": "acquire", "location": "forks[0]"},
        "source": {
            "file": "philosophers.py",
            "line": 15,
            "text": "with self.forks[(i + 1) % N]:",
        },
        "holders": ["philosopher[0]"],
        "holders_ended": False,
        "is_run": False,
        "note": "",
    }


def test_exit_code_and_order_of_models() -> None:
    document = to_document(
        Result((results.inconclusive(), results.expected(), results.verified())), version="0"
    )
    assert [model["verdict"] for model in document["models"]] == [
        "inconclusive",
        "violated",
        "verified",
    ]
    assert [model["expected"] for model in document["models"]] == [None, True, None]
    assert document["models"][0]["complete"] is False
    assert document["models"][0]["limit"] == "--max-states 1000 reached"
    assert document["exit_code"] == 3


def test_an_atomic_step_that_changes_a_location_twice() -> None:
    violation = results.exception().violations[0]
    twice = replace(
        violation.trace.steps[1],
        changes=(Change("x", 0, 1), Change("x", 1, Described("gone")), Change("y", {2, 1}, b"")),
    )
    trace = replace(violation.trace, steps=(twice,))
    model = replace(results.exception(), violations=(replace(violation, trace=trace),))
    document = to_document(Result((model,)), version="0")
    step = document["models"][0]["violations"][0]["trace"][0]
    assert step["changes"] == {"x": [0, "gone"], "y": ["{1, 2}", "b''"]}
    assert step["accesses"] == [
        {"kind": "write", "location": "log"},
        {"kind": "read", "location": "account"},
    ]
    assert step["access"] == step["accesses"][0]


def test_what_json_lacks_survives() -> None:
    odd = {"N": math.nan, "S": {"b", "a"}, "D": {1: (2, math.inf)}, "T": "\ud800"}
    result = Result((replace(results.nasty(), parameters=odd),))
    text = render_json(result, version="0")
    document = json.loads(text)
    assert text.encode("utf-8").decode("utf-8") == text
    assert document == to_document(result, version="0")
    assert document["models"][0]["parameters"] == {
        "N": "nan",
        "S": "{'a', 'b'}",
        "D": {"1": [2, "inf"]},
        "T": "\\ud800",
    }
    assert "中文 🎉" in text


def test_keys_stand_in_the_order_in_which_the_page_lists_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
    table = page.partition("| Key | Value |")[2]
    rows = [row.partition(" | ")[0] for row in table.splitlines() if row.startswith("| `")]
    listed = [key for row in rows for key in re.findall(r"`(\w+)`", row)]
    errors = (ModelError("it cannot be run"),)
    document = to_document(Result((results.lost_update(),), errors=errors), version="1")
    for keys in ([*document], [*document["models"][0]]):
        assert [listed.index(key) for key in keys] == sorted(map(listed.index, keys))
