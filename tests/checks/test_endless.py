"""Models whose threads never all end: they are not verified without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from running import load, unload

from interleave import check

IMPORTS = """
import asyncio
import multiprocessing
import queue
import threading
from interleave import (
    Model, atomic, choose, go, goroutine, postcondition, process, task, thread
)

class M(Model):
    x = 0
    lock = threading.Lock()
"""

TOGGLES = """
    def toggle(self):
        while True:
            self.x = 1 - self.x
"""

SERVERS = """
    def setup(self):
        self.there, self.back = queue.Queue(1), queue.Queue(1)

    @thread{daemon}
    def server(self):
        while True:
            self.there.get()
            self.back.put(1)

    @thread{daemon}
    def client(self):
        while True:
            self.there.put(1)
            self.back.get()
"""

TASKS = """
    @task
    async def ends(self):
        self.x = 2

    @task{daemon}
    async def polls(self):
        while True:
            self.x = 1 - self.x
            await asyncio.sleep(0)
"""

PROCESS = """
    def setup(self):
        self.count = multiprocessing.Value("i", 0)

    @process{daemon}
    def counts(self):
        while True:
            self.count.value = 1 - self.count.value
"""

GO = """
    def setup(self):
        self.there, self.back = go.Chan(), go.Chan()

    @goroutine
    def {main}(self):
        while True:
            self.there.send(1)
            self.back.recv()

    @goroutine
    def other(self):
        while True:
            self.there.recv()
            self.back.send(1)
"""

SPAWNED = (
    TOGGLES
    + """
    @thread
    def main(self):
        threading.Thread(target=self.toggle, daemon={daemon}).start()
"""
)

ONE_ENDS = """
    taken = False

    @thread(2)
    def worker(self):
        with atomic():
            taken, self.taken = self.taken, True
        while not taken:
            self.x = 1 - self.x
"""

MAY_END = """
    @thread
    def worker(self):
        while choose([True, False]):
            self.x = 1 - self.x
"""

ONLY_LOCKS = """
    @thread(2)
    def eats(self):
        while True:
            with self.lock:
                pass
"""

DEADLOCK = (
    ONLY_LOCKS
    + """
    @thread
    def keeps(self):
        self.lock.acquire()
"""
)

LIVELOCK = """
    @thread
    def waits(self):
        while self.x == 0:
            pass

    @thread
    def writes(self):
        if self.x == 1:
            self.x = 1
"""

LOST_UPDATE = """
    @thread(2)
    def counts(self):
        while True:
            self.x = 1 - self.x
"""

POSTCONDITION = """
    @postcondition
    def is_done(self):
        return False
"""

MARK = "or mark {} with daemon=True if {}"
DAEMONS = "(daemon=True)"

NEVER_END: dict[str, tuple[str, str, str]] = {
    # Who never ends, and what is to be done.
    "threads": (SERVERS.format(daemon=""), "server and client never end", "or mark them with daemon=True"),
    "task": (TASKS.format(daemon=""), "polls never ends", "or mark it with daemon=True if it is"),
    "process": (PROCESS.format(daemon=""), "counts never ends", "daemon=True"),
    "main of Go": (GO.format(main="main"), "main never ends", "let it come to an end, when a channel"),
    "goroutines": (GO.format(main="one"), "one and other never end", "close(ch)"),
    "made by a thread": (SPAWNED.format(daemon=False), "toggle-1 never ends", "daemon=True"),
    "now one, now the other": (ONE_ENDS, "the threads never all end", "daemon=True"),
    "only locks": (ONLY_LOCKS, "eats[0] and eats[1] never end", "daemon=True"),
    "loses updates": (LOST_UPDATE, "counts[0] and counts[1] never end", "daemon=True"),
}  # fmt: skip

ENOUGH_IS_SAID = {
    "daemon threads": SERVERS.format(daemon=DAEMONS),
    "daemon task": TASKS.format(daemon=DAEMONS),
    "daemon process": PROCESS.format(daemon=DAEMONS),
    "daemon that a thread makes": SPAWNED.format(daemon=True),
    "a way out": MAY_END,
    "deadlock": DEADLOCK,
    "livelock": LIVELOCK,
}


def warnings(tmp_path: Path, text: str, **options: Any) -> tuple[str, ...]:
    """What a check warns of, which is the same on every engine."""
    model = load(tmp_path / "model.py", IMPORTS + text)
    try:
        found = [
            check(model, engine=engine, **options).models[0].warnings
            for engine in ("reference", "native")
        ]
    finally:
        unload()
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("name", NEVER_END)
def test_who_never_ends_is_named(tmp_path: Path, name: str) -> None:
    text, who, remedy = NEVER_END[name]
    (warning,) = warnings(tmp_path, text)
    assert warning.startswith(
        f"{who}, so what is to hold when all work is done was not checked (a "
    )
    assert remedy in warning
    assert ("daemon" in warning) == ("oroutine" not in text)
    (warning,) = warnings(tmp_path, text + POSTCONDITION)
    assert warning.startswith(who)
    assert "(no postcondition was evaluated)" in warning


@pytest.mark.parametrize("name", ENOUGH_IS_SAID)
def test_nothing_is_said(tmp_path: Path, name: str) -> None:
    assert warnings(tmp_path, ENOUGH_IS_SAID[name]) == ()


@pytest.mark.parametrize("text", [DEADLOCK, LIVELOCK])
def test_what_keeps_threads_from_their_end_is_told_instead(tmp_path: Path, text: str) -> None:
    (warning,) = warnings(tmp_path, text + POSTCONDITION)
    assert warning == "the threads never all finish, so no postcondition was evaluated"


def test_an_incomplete_search_says_nothing(tmp_path: Path) -> None:
    assert warnings(tmp_path, LOST_UPDATE, max_states=5) == ()
