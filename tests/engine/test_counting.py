"""Numbers of interleavings and outcomes, against an enumerator of schedules.

The enumerator knows nothing of the engine: programs are generators that yield before each access,
and every schedule is run from the start.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from math import factorial

import pytest

from interleave import Model, array, check, choose, counting, param, thread
from interleave.report.document import to_document
from interleave.report.text import render_text
from interleave.result import Result

Program = Callable[[dict[str, int]], list[Iterator[None]]]


def enumerate_schedules(program: Program, shared: dict[str, int]) -> Counter[tuple]:
    """How many schedules end in each final state."""
    ends: Counter[tuple] = Counter()

    def run(schedule: list[int]) -> tuple[dict[str, int], list[Iterator[None] | None]]:
        variables = dict(shared)
        threads: list[Iterator[None] | None] = list(program(variables))
        for number, each in enumerate(threads):
            threads[number] = each if next(each, "end") is None else None
        for number in schedule:
            threads[number] = threads[number] if next(threads[number], "end") is None else None
        return variables, threads

    def extend(schedule: list[int]) -> None:
        variables, threads = run(schedule)
        running = [number for number, each in enumerate(threads) if each is not None]
        if not running:
            ends[tuple(sorted(variables.items()))] += 1
        for number in running:
            extend([*schedule, number])

    extend([])
    return ends


def incrementing(threads: int, times: int) -> Program:
    def program(variables: dict[str, int]) -> list[Iterator[None]]:
        def increment() -> Iterator[None]:
            for _ in range(times):
                yield
                temp = variables["counter"]
                yield
                variables["counter"] = temp + 1

        return [increment() for _ in range(threads)]

    return program


class Increments(Model):
    N = param(2)
    K = param(1)
    counter = 0

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            temp = self.counter
            self.counter = temp + 1


@pytest.mark.parametrize(("threads", "times"), [(1, 3), (2, 1), (2, 2), (2, 3), (3, 1)])
def test_increments(threads, times) -> None:
    expected = enumerate_schedules(incrementing(threads, times), {"counter": 0})
    (found,) = check(Increments, parameters={"N": threads, "K": times}).models
    counted = found.interleavings
    assert counted is not None
    assert counted.total == sum(expected.values())
    assert {outcome.state: outcome.interleavings for outcome in counted.outcomes} == expected


@pytest.mark.parametrize(("threads", "times"), [(2, 1), (2, 3), (3, 1), (3, 2), (3, 5)])
def test_interleavings_without_a_violation_are_those_of_whole_increments(threads, times) -> None:
    (found,) = check(Increments, parameters={"N": threads, "K": times}).models
    counted = found.interleavings
    assert counted is not None
    steps = 2 * times
    assert counted.total == factorial(threads * steps) // factorial(steps) ** threads
    clean = factorial(threads * times) // factorial(times) ** threads
    assert counted.total - counted.violating == clean


def test_mixed_program() -> None:
    """Three threads over two variables, one of which looks before it writes."""

    class Mixed(Model):
        x = 0
        y = 0

        @thread
        def a(self):
            self.x = 1
            self.y = self.x + self.y

        @thread
        def b(self):
            if self.y == 0:
                self.x = 5

        @thread
        def c(self):
            self.y = 7

    def program(v: dict[str, int]) -> list[Iterator[None]]:
        def a() -> Iterator[None]:
            yield
            v["x"] = 1
            yield
            x = v["x"]
            yield
            y = v["y"]
            yield
            v["y"] = x + y

        def b() -> Iterator[None]:
            yield
            if v["y"] == 0:
                yield
                v["x"] = 5

        def c() -> Iterator[None]:
            yield
            v["y"] = 7

        return [a(), b(), c()]

    expected = enumerate_schedules(program, {"x": 0, "y": 0})
    counted = check(Mixed).models[0].interleavings
    assert counted is not None
    assert {outcome.state: outcome.interleavings for outcome in counted.outcomes} == expected


def test_choices_count_as_steps_of_their_own() -> None:
    class Chooses(Model):
        x = 0

        @thread(2)
        def t(self):
            self.x = choose([1, 1, 2])

    counted = check(Chooses).models[0].interleavings
    assert counted is not None
    assert counted.total == 6 * 9


def test_deadlocks_and_failures_are_outcomes() -> None:
    class Both(Model):
        a = threading.Lock()
        b = threading.Lock()
        done = array([False, False])

        @thread(2)
        def t(self, i):
            first, second = (self.a, self.b) if i == 0 else (self.b, self.a)
            with first, second:
                self.done[i] = True
                if i and self.done[0]:
                    raise ValueError

    (found,) = check(Both).models
    counted = found.interleavings
    assert counted is not None
    assert {outcome.how for outcome in counted.outcomes} == {"finished", "failed", "deadlock"}
    assert counted.total == sum(outcome.interleavings or 0 for outcome in counted.outcomes)
    bad = sum(o.interleavings or 0 for o in counted.outcomes if o.how != "finished")
    assert counted.violating == bad


def test_a_cycle_leaves_nothing_to_count() -> None:
    class Waits(Model):
        flag = False

        @thread
        def waiter(self):
            while not self.flag:
                pass

        @thread
        def setter(self):
            self.flag = True

    counted = check(Waits).models[0].interleavings
    assert counted is not None
    assert (counted.total, counted.violating) == (None, None)
    assert [outcome.interleavings for outcome in counted.outcomes] == [None]


def test_an_incomplete_search_counts_nothing() -> None:
    assert check(Increments, max_states=5).models[0].interleavings is None


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_that_violations_are_too_many_to_count_is_said(engine, monkeypatch) -> None:
    monkeypatch.setattr(counting, "MOST_NODES", 5)
    (found,) = check(Increments, engine=engine).models
    assert (found.interleavings.total, found.interleavings.violating) == (6, None)
    assert (
        "6 interleavings; how many of them meet a violation was not counted: it takes more than "
        "5 states to tell. With fewer threads or smaller parameters, it is."
    ) in render_text(found, width=200)
    (document,) = to_document(Result((found,)), version="")["models"]
    assert document["uncounted"] == "it takes more than 5 states to tell"


def test_what_is_verified_needs_no_count_of_violations(monkeypatch) -> None:
    monkeypatch.setattr(counting, "MOST_NODES", 1)
    (found,) = check(Increments, parameters={"N": 1}).models
    assert (found.interleavings.violating, found.interleavings.uncounted) == (0, "")
