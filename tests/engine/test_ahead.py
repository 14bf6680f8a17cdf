"""Looking ahead finds what the search would find, and nothing else."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import InterleaveError, check, checking
from interleave.engine import search as searching
from interleave.engine.ahead import look_ahead
from interleave.report.document import render_json

HEAD = """
import threading
from interleave import Model, task, thread

class Node:
    def __init__(self, value):
        self.value, self.next, self.seen = value, None, False

counters = {"in": 0, "out": 0}
done = 0
"""

MODELS = {
    "many variables are written": """
        class M(Model):
            def setup(self):
                self.nodes = [Node(i) for i in range(3)]
                self.log, self.names, self.all = [], {}, set()
            @thread(2)
            def worker(self, i):
                for node in self.nodes:
                    node.value += 1
                self.log.append(i)
                self.names[i] = len(self.log)
                self.all.add(i)
    """,
    "what is in a variable that is written": """
        class M(Model):
            def setup(self):
                self.nodes = {1: Node([]), 2: Node([])}
                self.log = []
            @thread(2)
            def worker(self, i):
                self.nodes[1] = self.nodes[2]
                self.nodes[1].value.append(i)
                self.log.append(i)
    """,
    "modules": """
        class M(Model):
            seen = []
            @thread(2)
            def worker(self):
                global done
                counters["in"] += 1
                done += 1
                self.seen.append(counters["in"])
                counters["out"] += 1
    """,
    "threads make objects": """
        class M(Model):
            def setup(self):
                self.head, self.items, self.count = None, [], 0
            @thread(2)
            def worker(self, i):
                with self.lock:
                    for n in range(2):
                        node = Node(n)
                        node.next = self.head
                        self.head = node
                    self.items.append(Node(i))
                    self.count += 1
                    if self.count == 2:
                        self.head = None
            lock = threading.Lock()
    """,
    "objects that go again": """
        class M(Model):
            def setup(self):
                self.slot, self.other, self.log = None, None, []
            @thread
            def maker(self):
                for n in range(2):
                    self.slot = Node(n)
                    self.other = self.slot
                    self.slot = None
                self.log.append(self.other.value)
            @thread
            def looker(self):
                found = self.slot
                self.log.append(found is not None and found.value)
    """,
    "threads make threads": """
        class M(Model):
            def setup(self):
                self.log, self.items, self.n = [], {}, 0
            def child(self):
                self.n += 1
                self.items[self.n] = Node(self.n)
                self.log.append(self.n)
            @thread(2)
            def worker(self):
                made = threading.Thread(target=self.child)
                made.start()
                made.join()
    """,
    "it waits for what another one writes": """
        class M(Model):
            def setup(self):
                self.state, self.log, self.got = Node(0), [], []
            @thread
            def waits(self):
                while not self.state.seen:
                    pass
                self.got.append(self.state.value)
            @thread
            def works(self):
                self.state.value = 3
                self.log.append(1)
                self.state.seen = True
    """,
    "tasks": """
        import asyncio
        class M(Model):
            def setup(self):
                self.log, self.names, self.last = [], {}, Node(0)
            async def child(self, i):
                self.names[i] = Node(i)
                await asyncio.sleep(0)
                self.last.value = i
            @task(2)
            async def worker(self, i):
                made = asyncio.create_task(self.child(i))
                self.log.append(i)
                await made
    """,
    "one of the threads fails": """
        class M(Model):
            def setup(self):
                self.log, self.names, self.all = [], {}, set()
            @thread(2)
            def worker(self, i):
                self.log.append(i)
                self.names[i] = self.log[0]
                assert i == self.names[i]
                self.all.add(i)
    """,
    "it is refused": """
        class M(Model):
            def setup(self):
                self.log, self.names, self.all = [], {}, set()
            @thread
            def worker(self):
                self.log.append(1)
                self.names[1] = 1
                self.all.add(1)
                open("file")
    """,
    "it never ends": """
        class M(Model):
            def setup(self):
                self.log, self.names, self.all = [0, 0], {}, set()
            @thread(2)
            def worker(self, i):
                while True:
                    self.log[i] = 1 - self.log[i]
                    self.names[i] = self.log[i]
                    self.all.add(i)
    """,
}  # fmt: skip


def told(model: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[str, object]:
    """All that a check tells of a model, and what its program was made with in the end."""
    known: object = None
    search = searching.search

    def noted(*given: Any, **named: Any) -> Any:
        nonlocal known
        found = search(*given, **named)
        of = found.known
        spawned = [(key.maker, count) for key, count in of.spawned.items()]
        known = of.written, of.rooms, spawned, [*of.roots], of.method_names, of.swallowing
        return found

    monkeypatch.setattr(checking, "search", noted)
    try:
        return render_json(check(model, cache=False), version=""), known
    except InterleaveError as error:
        return str(error), None


@pytest.mark.parametrize("body", MODELS.values(), ids=MODELS.keys())
def test_it_makes_no_difference(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load(tmp_path / "model.py", HEAD + textwrap.dedent(body))
    looked: list[None] = []

    def counted(*given: Any) -> None:
        looked.append(None)
        look_ahead(*given)

    monkeypatch.setattr(searching, "look_ahead", counted)
    ahead = told(model, monkeypatch)
    assert looked, "nobody has looked ahead"
    monkeypatch.setattr(searching, "look_ahead", lambda *_: None)
    assert ahead == told(model, monkeypatch)


def test_it_saves_fresh_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[None] = []
    program = searching.Program

    def counted(*given: Any, **named: Any) -> Any:
        made.append(None)
        return program(*given, **named)

    monkeypatch.setattr(searching, "Program", counted)
    text = HEAD + textwrap.dedent(MODELS["many variables are written"])
    check(load(tmp_path / "model.py", text), cache=False)
    assert len(made) <= 6  # not one for each of the six variables
