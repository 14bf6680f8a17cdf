"""What a report says that came of a step: what an operation gave, and to whom."""

from __future__ import annotations

import asyncio
import queue
import threading

import pytest

from interleave import Model, atomic, check, go, goroutine, task, thread
from interleave.memory.own import Own, new
from interleave.report import words
from interleave.report.text import render_text
from interleave.result import TraceStep


def steps(model: type[Model]) -> tuple[TraceStep, ...]:
    """The steps of a model that fails at its end."""
    (result,) = check(model).models
    return next(v for v in result.violations if v.kind != "data-race").trace.steps


def effects(model: type[Model]) -> list[str]:
    """What came of each step, in a line; what fails is left out."""
    lines = [", ".join(words.effects(step)) for step in steps(model)]
    return [line.removesuffix(", raised AssertionError") for line in lines]


def test_a_truth_value_is_not_taken_for_that_of_the_condition() -> None:
    class Asks(Model):
        lock = threading.Lock()
        event = threading.Event()
        jobs = queue.Queue()

        def setup(self):
            self.table = {1: True}

        @thread
        def asks(self):
            if 2 not in self.table:
                self.table[2] = False
            if not self.lock.locked() and not self.event.is_set():
                assert not self.jobs.empty()

    assert effects(Asks) == [
        "contains gave False",
        "table: {1: True} → {1: True, 2: False}",
        "locked gave False",
        "is_set gave False",
        "empty gave True",
    ]


class Nothing(Own):
    """One whose operation looks at it, and gives nothing."""

    @classmethod
    def zero(cls):
        return 0

    def look(self):
        self.operate("look", lambda: self.state or None)


nothing = new(Nothing)


def test_what_gives_nothing_is_not_said_to_give_none() -> None:
    class Waits(Model):
        jobs = queue.Queue()
        own = nothing()

        def setup(self):
            self.table = {}

        @thread
        def waits(self):
            self.jobs.join()
            self.own.look()
            self.table[2] = 3
            assert self.table.get(1)

    assert effects(Waits) == ["", "", "table: {} → {2: 3}", "got None"]


def test_what_only_the_library_gets_is_not_told() -> None:
    class Waits(Model):
        group = go.WaitGroup()
        n = 0

        @goroutine
        def main(self):
            self.group.Wait()
            self.n = 1
            assert self.n == 0

    assert effects(Waits) == ["", "n: 0 → 1", "read 1"]


def test_the_end_of_a_channel_is_not_taken_for_a_value() -> None:
    class Closed(Model):
        channel = go.Chan(1, of=int)
        empty = go.Chan()

        @goroutine
        def main(self):
            self.channel.send(0)
            self.channel.close()
            assert self.channel.recv() == 0
            assert self.channel.recv() == 0
            assert not self.channel.recv_ok()[1]
            for _ in self.channel:
                pass
            go.select(go.recv(self.empty), default=True)
            match go.select_ok(go.recv(self.channel)):
                case 0, _, ok:
                    assert ok

    assert effects(Closed) == [
        "channel: empty → [0]",
        "channel: [0] → [0] (closed)",
        "channel: [0] (closed) → empty (closed)",
        *["closed"] * 3,
        "took the default",
        "closed",
    ]


@pytest.mark.parametrize("kind", ["task", "atomic"])
def test_what_a_step_saw_before_it_changed_something_stands_before_that(kind) -> None:
    class Task(Model):
        n = 0
        m = 5

        @task
        async def changes(self):
            self.n += self.m
            self.m = 6
            assert await asyncio.sleep(0)

    class Atomic(Model):
        n = 0
        m = 5

        @thread
        def changes(self):
            with atomic():
                self.n += self.m
                self.m = 6
                assert self.n == 0

    (step,) = [each for each in steps({"task": Task, "atomic": Atomic}[kind]) if each.parts]
    told = [words.effects(part) for part in step.parts if part.changes]
    assert told[0] == ["read 0, read 5", "n: 0 → 5"]


def test_what_it_saw_then_stands_after_that() -> None:
    class Atomic(Model):
        n = 0

        @thread
        def changes(self):
            with atomic():
                self.n += 1
                assert self.n == 0

    (step,) = steps(Atomic)
    assert words.effects(step) == ["read 0", "n: 0 → 1", "read 1, raised AssertionError"]


def test_what_the_library_does_of_itself_is_at_no_line() -> None:
    class TooMany(Model):
        @goroutine
        def main(self):
            group = go.WaitGroup()
            group.Add(1)
            go.spawn(group.Done)
            group.Done()
            go.Gosched()

    texts = [render_text(result).splitlines() for result in check(TooMany).models]
    (places,) = [[line for line in text if line.startswith("at ")] for text in texts]
    assert [place.rpartition(": ")[2] for place in places] == ["group.Done()"]


@pytest.mark.parametrize("statement", ["raise", "assert"])
def test_what_fails_before_any_step_is_said_to_fail(statement) -> None:
    class Fails(Model):
        is_raising = statement == "raise"

        @thread
        def fails(self):
            if self.is_raising:
                raise ValueError
            assert self.is_raising

    (result,) = check(Fails).models
    assert "It fails at the start, before any step." in render_text(result).splitlines()
