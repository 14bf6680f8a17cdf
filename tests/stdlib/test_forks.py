"""Processes that begin while threads of the parent run: what they find as the parent has left it."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import load

from interleave import check
from interleave.result import ModelResult

HELD = {
    "Lock": ("threading.Lock()", "with self.held:\n            pass"),
    "RLock": ("threading.RLock()", "with self.held:\n            pass"),
    "Semaphore": ("threading.Semaphore(1)", "with self.held:\n            pass"),
    "acquire and release": (
        "threading.Lock()",
        "self.held.acquire()\n        self.held.release()",
    ),
    "Condition": ("threading.Condition()", "with self.held:\n            pass"),
    "a full queue": (
        "queue.Queue(maxsize=1)",
        "self.held.put(1)\n        self.held.get()",
    ),
}
"""What a thread of the parent holds for a while, and how a child wants it too."""

TEXT = """
import queue
import threading
from interleave import Model, process, thread

class M(Model):
    held = WHAT
KIND
    def child(self):
        USE
MORE
"""


def checked(tmp_path: Path, what: str, use: str, more: str, kind: str = "process") -> ModelResult:
    text = TEXT.replace("WHAT", what).replace("USE", use).replace("MORE", more)
    model = load(tmp_path / "model.py", text.replace("KIND", f"    @{kind}"))
    results = [check(model, engine=each).models[0] for each in ("reference", "native")]
    assert results[0] == results[1]
    return results[0]


def holder(use: str) -> str:
    return f"    @thread\n    def parent(self):\n        {use}\n"


@pytest.mark.parametrize("case", HELD)
def test_what_was_held_at_the_fork_is_held_for_ever(tmp_path: Path, case: str) -> None:
    what, use = HELD[case]
    (violation,) = checked(tmp_path, what, use, holder(use)).violations
    assert violation.kind == "deadlock"
    (wait,) = violation.waits
    assert wait.thread == "child"
    assert "when child was forked" in wait.note
    assert "child" not in wait.holders
    assert "nothing" not in {str(value) for _, value in violation.trace.initial}
    assert any(access.kind == "fork" for step in violation.trace.steps for access in step.accesses)


@pytest.mark.parametrize("case", HELD)
def test_threads_of_one_process_take_turns(tmp_path: Path, case: str) -> None:
    what, use = HELD[case]
    assert checked(tmp_path, what, use, holder(use), kind="thread").violations == ()


@pytest.mark.parametrize("case", HELD)
def test_processes_alone_have_nothing_to_take_over(tmp_path: Path, case: str) -> None:
    what, use = HELD[case]
    other = f"    @process\n    def other(self):\n        {use}\n"
    result = checked(tmp_path, what, use, other)
    assert result.violations == ()
    assert result.depth == 4  # no step of them is a fork


def test_what_the_parent_wrote_before_is_there(tmp_path: Path) -> None:
    writes = "    @thread\n    def parent(self):\n        self.n = 1\n    n = 0\n"
    use = "assert self.n == 0\n        self.n = 5"
    (violation,) = checked(tmp_path, "None", use, writes).violations
    assert violation.kind == "assertion"
    assert [step.thread for step in violation.trace.steps] == ["parent", "child", "child"]
