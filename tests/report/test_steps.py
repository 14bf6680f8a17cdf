"""The listing of `interleave steps`: one row for each step, in the order in which one comes to it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from interleave import Model, go, goroutine, process, task, thread
from interleave.listing import list_steps
from interleave.report.steps import render_listing


class Threads(Model):
    n = 0

    @thread
    def work(self):
        self.n += 1


class Processes(Model):
    lock = threading.Lock()

    @process(2)
    def work(self):
        self.lock.acquire()


class Tasks(Model):
    n = 0

    @task
    async def work(self):
        self.n += 1
        await asyncio.sleep(0)


class Goroutines(Model):
    done = go.Chan()

    @goroutine
    def work(self):
        self.done.close()


@pytest.mark.parametrize(
    ("model", "heading"),
    [
        (Threads, "thread work"),
        (Processes, "process work (2 instances)"),
        (Tasks, "task work"),
        (Goroutines, "goroutine work"),
    ],
)
def test_a_heading_says_what_it_is(model, heading) -> None:
    assert heading in render_listing(list_steps(model, {})).splitlines()


class Helped(Model):
    """`other` comes to the helper before `work` does."""

    n = 0
    lock = threading.Lock()

    @thread
    def work(self):
        with self.lock:
            if self.n == 0:
                return
            self.n = 1
        self.helper()

    @thread
    def other(self):
        self.helper()
        self.n = 2

    def helper(self):
        try:
            if self.n:
                return
        finally:
            self.n = 3


def test_rows_stand_in_order_and_copies_are_one() -> None:
    work, other = list_steps(Helped, {}).threads
    assert [(step.access, step.source.text) for step in work.steps] == [
        ("acquire", "with self.lock:"),
        ("read", "if self.n == 0:"),
        ("write", "self.n = 1"),
        ("release", "end of with self.lock"),
        ("read", "if self.n:"),
        ("write", "self.n = 3"),
    ]
    assert [step.source.text for step in other.steps] == ["if self.n:", "self.n = 3", "self.n = 2"]
    assert [step.number for step in work.steps] == [1, 2, 3, 4, 5, 6]
