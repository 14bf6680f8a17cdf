"""Who is stuck: the circle is closed, or it is said why what is held does not come back."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from interleave import check
from interleave.report.diagram import counterexample_dot
from interleave.report.text import render_text
from interleave.result import ModelResult, Violation

HEADER = """
import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from interleave import Model, task, thread


class M(Model):
    x = threading.Lock()
    y = threading.Lock()
    event = threading.Event()
    n = 0
"""

TICKS = """
@thread
def ticks(self):
    while True:
        self.n = 1 - self.n
"""

WANTS = """
@thread
def wants(self):
    with self.x:
        pass
"""

HELD = {
    "it has ended": (
        "@thread\ndef holds(self):\n    self.x.acquire()\n",
        "wants waits for x, held by holds, which has ended:",
    ),
    "it will end": (
        "@thread\ndef holds(self):\n    self.x.acquire()\n    self.n = 5\n",
        "wants waits for x, held by holds: holds ends without giving it back:",
    ),
    "it goes on": (
        "@thread\ndef holds(self):\n    with self.x:\n        while True:\n            self.n = 3\n",
        "wants waits for x, held by holds: holds goes on for ever without giving it back:",
    ),
    "it will wait": (
        "@thread\ndef holds(self):\n    with self.x:\n        self.n = 3\n        self.event.wait()\n",
        "wants waits for x, held by holds: holds goes on to wait for event without giving it back:",
    ),
    "it waits": (
        "@thread(daemon=True)\ndef holds(self):\n    with self.x:\n        self.event.wait()\n",
        "wants waits for x, held by holds: holds waits for event:",
    ),
    "it waits for itself": (
        "@thread(daemon=True)\ndef holds(self):\n    with self.x:\n        self.x.acquire()\n",
        "wants waits for x, held by holds: holds waits for x, which it holds itself:",
    ),
}


def found_in(folder: Path, *threads: str) -> ModelResult:
    file = folder / "model.py"
    file.write_text(HEADER + "".join(textwrap.indent(each, "    ") for each in threads))
    (found,) = check(file).models
    return found


def stuck_in(found: ModelResult, thread: str) -> Violation:
    return next(
        each for each in found.violations if each.kind == "stuck" and each.threads == (thread,)
    )


@pytest.mark.parametrize("case", HELD)
def test_it_is_said_why_the_holder_does_not_give_it_back(tmp_path: Path, case: str) -> None:
    holder, sentence = HELD[case]
    found = found_in(tmp_path, WANTS, holder, TICKS)
    violation = stuck_in(found, "wants")
    assert violation.message.startswith(sentence)
    (wait,) = violation.waits
    assert wait.note in render_text(found, width=300)
    assert "holds" in counterexample_dot(found, violation)


def test_a_circle_through_a_daemon_is_closed(tmp_path: Path) -> None:
    other = """
    @thread
    def wants(self):
        with self.y:
            with self.x:
                pass

    @thread(daemon=True)
    def holds(self):
        with self.x:
            with self.y:
                pass
    """
    found = found_in(tmp_path, textwrap.dedent(other), TICKS)
    assert stuck_in(found, "wants").message.startswith(
        "wants waits for x, held by holds: holds waits for y, held by wants:"
    )


RUN = {
    "a thread": (
        "t = threading.Thread(target=self.work)\n    t.start()\n    t.join()",
        "main waits for work-1; ",
    ),
    "a future": (
        "pool = ThreadPoolExecutor(1)\n    pool.submit(self.work).result()",
        ", run by worker-1; ",
    ),
    "a lock": (
        "self.x.acquire()\n    self.x.acquire()",
        "main waits for x, which it holds itself",
    ),
}


@pytest.mark.parametrize("case", RUN)
def test_what_is_run_is_not_held(tmp_path: Path, case: str) -> None:
    work = "def work(self):\n    self.event.wait()\n\n"
    found = found_in(tmp_path, f"\n{work}@thread\ndef main(self):\n    {RUN[case][0]}\n")
    (violation,) = found.violations
    assert RUN[case][1] in violation.message + "; "
    assert ("held by" in render_text(found)) == (case == "a lock")
    assert ("held by" in counterexample_dot(found, violation)) == (case == "a lock")


def test_a_task_that_is_awaited_is_not_held(tmp_path: Path) -> None:
    body = """
    async def work(self):
        await asyncio.Future()

    @task
    async def main(self):
        await asyncio.create_task(self.work())
    """
    found = found_in(tmp_path, textwrap.dedent(body))
    (violation,) = found.violations
    assert violation.message.startswith("main waits for work-1; work-1 waits for ")
    assert "held by" not in render_text(found)
