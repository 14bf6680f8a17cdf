"""Deadlocks of those who wait for more to do when all that gave them some have ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import load, unload

from interleave import check
from interleave.report.text import render_text
from interleave.runtimes import DEFAULT
from interleave.runtimes.go import GO

HINT, HINT_IN_GO = DEFAULT.words.nothing_comes, GO.words.nothing_comes

IMPORTS = """
import asyncio
import multiprocessing
import queue
import threading
from interleave import Model, choose, go, goroutine, process, task, thread

class M(Model):
    items = ()
"""

PAIR = """
    def setup(self):
        self.q = {kind}
        self.other = {other}

    @{mark}
    {what} consumer(self):
        while True:
            {take}

    @{mark}
    {what} producer(self):
        {give}
"""


def pair(kind: str, take: str, give: str, *, mark: str = "thread(1)", other: str = "None") -> str:
    """The source of a consumer in a loop, and of a producer that gives once."""
    what = "async def" if mark.startswith("task") else "def"
    return PAIR.format(kind=kind, take=take, give=give, mark=mark, what=what, other=other)


CONDITION = """
    def setup(self):
        self.filled, self.items = threading.Condition(), []

    @thread(2)
    def consumer(self):
        while True:
            with self.filled:
                while not self.items:
                    self.filled.wait()
                self.items.pop()

    @thread
    def producer(self):
        with self.filled:
            self.items.append(1)
            self.filled.notify()
"""

PIPELINE = """
    def setup(self):
        self.first, self.second = queue.Queue(), queue.Queue()

    @thread
    def begins(self):
        self.first.put(1)

    @thread
    def goes_on(self):
        while True:
            self.second.put(self.first.get())

    @thread(1{daemon})
    def ends(self):
        {loop}
            self.second.get()
"""

MADE_BY_A_THREAD = """
    def setup(self):
        self.q = queue.Queue()

    def work(self):
        while True:
            self.q.get()

    @thread
    def main(self):
        threading.Thread(target=self.work).start()
        self.q.put(1)
"""

PING_PONG = """
    def setup(self):
        self.there, self.back = queue.Queue(), queue.Queue()

    @thread
    def begins(self):
        if choose([True, False]):
            self.there.put(1)

    @thread
    def left(self):
        while True:
            self.back.put(self.there.get())
            self.back.get()

    @thread
    def right(self):
        while True:
            self.there.put(self.back.get())
            self.there.get()
"""

LOCK_KEPT = """
    lock = threading.Lock()

    @thread
    def keeps(self):
        self.lock.acquire()

    @thread
    def goes_on(self):
        while True:
            with self.lock:
                pass
"""

BARRIER = """
    def setup(self):
        self.barrier = threading.Barrier(2)

    @thread
    def once(self):
        self.barrier.wait()

    @thread
    def for_ever(self):
        while True:
            self.barrier.wait()
"""

JOINED = """
    def setup(self):
        self.q = queue.Queue()

    def work(self):
        while True:
            self.q.get()

    @thread
    def main(self):
        worker = threading.Thread(target=self.work)
        worker.start()
        self.q.put(1)
        worker.join()
"""

GO_WAITS_FOR_ALL = """
    def setup(self):
        self.wg = go.WaitGroup()

    @goroutine
    def main(self):
        self.wg.Add(2)
        go.spawn(self.wg.Done)
        self.wg.Wait()
"""

GO_MAIN = """
    def setup(self):
        self.jobs, self.stop = go.Chan(), go.Chan()

    @goroutine
    def main(self):
        {loop}

    @goroutine
    def producer(self):
        self.jobs.send(1)
"""

GO_SELECTS = """while True:
            match go.select(go.recv(self.jobs), go.recv(self.stop)):
                case 1, _:
                    return"""

QUEUE = pair("queue.Queue()", "self.q.get()", "self.q.put(1)")
GET_OF_MP = pair("multiprocessing.Queue()", "self.q.get()", "self.q.put(1)", mark="process(1)")

DONE: dict[str, tuple[str, str]] = {
    "queue": (QUEUE, HINT),
    "two consumers": (QUEUE.replace("thread(1)", "thread(2)", 1), HINT),
    "that says what is done": (QUEUE.replace("self.q.get()", "self.q.get(); self.q.task_done()"), HINT),
    "semaphore": (pair("threading.Semaphore(0)", "self.q.acquire()", "self.q.release()"), HINT),
    "event": (pair("threading.Event()", "self.q.wait(); self.q.clear()", "self.q.set()"), HINT),
    "condition": (CONDITION, HINT),
    "task": (pair("asyncio.Queue()", "await self.q.get()", "await self.q.put(1)", mark="task(1)"), HINT),
    "process": (GET_OF_MP, HINT),
    "pipe": (
        pair("None", "self.a.recv()", "self.b.send(1)", mark="process(1)").replace(
            "self.other = None", "self.a, self.b = multiprocessing.Pipe()"
        ),
        HINT,
    ),
    "pipeline": (PIPELINE.format(loop="while True:", daemon=""), HINT),
    "pipeline with a daemon": (PIPELINE.format(loop="while True:", daemon=", daemon=True"), HINT),
    "made by a thread": (MADE_BY_A_THREAD, HINT),
    "nobody may have put anything": (
        QUEUE.replace("self.q.put(1)", "if choose([True, False]): self.q.put(1)"),
        HINT,
    ),
    "goroutine that ranges": (
        pair("go.Chan()", "self.q.recv()", "self.q.send(1)", mark="goroutine(1)"),
        HINT_IN_GO,
    ),
    "main that ranges": (GO_MAIN.format(loop="for _ in self.jobs: pass"), HINT_IN_GO),
    "main that selects": (GO_MAIN.format(loop=GO_SELECTS), HINT_IN_GO),
}  # fmt: skip

ANOTHER_CAUSE = {
    "one waits for another in a circle": PING_PONG,
    "a lock that is kept": LOCK_KEPT,
    "a barrier": BARRIER,
    "one is joined": JOINED,
    "nobody ever gives anything": QUEUE.replace("self.q.put(1)", "pass"),
    "a loop that can be left": QUEUE.replace("while True:", "while self.q.get():"),
    "no loop": QUEUE.replace("while True:", "for _ in range(2):"),
    "the last of a pipeline takes two": PIPELINE.format(loop="for _ in range(2):", daemon=""),
    "a count in Go": GO_WAITS_FOR_ALL,
    "one receives twice in Go": GO_MAIN.format(loop="self.jobs.recv()\n        self.jobs.recv()"),
}


def hints(tmp_path: Path, text: str) -> list[str]:
    """The hints of all deadlocks, which are the same on every engine."""
    model = load(tmp_path / "model.py", IMPORTS + text)
    try:
        found = [check(model, engine=engine).models[0] for engine in ("reference", "native")]
    finally:
        unload()
    told = [[each.hint for each in one.violations if each.kind == "deadlock"] for one in found]
    assert told[0]
    assert told[0] == told[1]
    return told[0]


@pytest.mark.parametrize("name", DONE)
def test_all_work_is_done(tmp_path: Path, name: str) -> None:
    text, hint = DONE[name]
    assert set(hints(tmp_path, text)) == {hint}
    assert ("daemon" in hint) == ("oroutine" not in text)


@pytest.mark.parametrize("name", ANOTHER_CAUSE)
def test_another_cause(tmp_path: Path, name: str) -> None:
    assert set(hints(tmp_path, ANOTHER_CAUSE[name])) == {""}


def test_it_stands_after_who_waits(tmp_path: Path) -> None:
    (result,) = check(load(tmp_path / "model.py", IMPORTS + QUEUE)).models
    unload()
    lines = render_text(result, width=400).splitlines()
    assert lines.index(HINT) > lines.index("  consumer waits for q (get)")
