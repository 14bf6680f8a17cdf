"""Sizes of state graphs that other checkers, or pencil and paper, give too."""

from __future__ import annotations

import threading

import pytest

from interleave import Model, check, param, postcondition, thread


class Counter(Model):
    N = param(2)
    K = param(1)
    counter = 0

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            temp = self.counter
            self.counter = temp + 1


class Philosophers(Model):
    N = param(2)

    def setup(self):
        self.forks = [threading.Lock() for _ in range(self.N)]

    @thread(N)
    def philosopher(self, i):
        first, second = i, (i + 1) % self.N
        if i == self.N - 1:
            first, second = second, first
        while True:
            with self.forks[first], self.forks[second]:
                pass


class Wait(Model):
    flag = False

    @thread
    def waiter(self):
        while not self.flag:
            pass

    @thread
    def setter(self):
        self.flag = True


class WaitInHelper(Wait):
    @thread
    def waiter(self):
        self.wait()

    def wait(self):
        while not self.flag:
            pass


class EndsAtTwo(Counter):
    @postcondition
    def ends_above_two(self):
        return self.counter > 2


def size(model: type[Model], engine: str, **parameters: int) -> tuple[int, int]:
    (found,) = check(model, parameters=parameters, engine=engine).models
    assert found.complete
    return found.states, found.transitions


COUNTERS = [
    (2, 1, 12, 14),
    (2, 2, 57, 82),
    (3, 1, 59, 99),
    (3, 2, 904, 1_977),
    (2, 5, 1_277, 2_228),
]
LARGE_COUNTERS = [
    (4, 2, 17_231, 51_708),
    (3, 5, 169_771, 460_203),
]
"""For which the reference engine takes long."""


@pytest.mark.parametrize("engine", ["auto", "native", "reference"])
@pytest.mark.parametrize(("threads", "times", "states", "transitions"), COUNTERS)
def test_counters(threads, times, states, transitions, engine) -> None:
    assert size(Counter, engine, N=threads, K=times) == (states, transitions)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["auto", "native"])
@pytest.mark.parametrize(("threads", "times", "states", "transitions"), LARGE_COUNTERS)
def test_large_counters(threads, times, states, transitions, engine) -> None:
    assert size(Counter, engine, N=threads, K=times) == (states, transitions)


@pytest.mark.parametrize("engine", ["auto", "native", "reference"])
@pytest.mark.parametrize(
    ("number", "states", "transitions"), [(2, 7, 8), (3, 24, 46), (4, 79, 208), (5, 261, 876)]
)
def test_philosophers(number, states, transitions, engine) -> None:
    assert size(Philosophers, engine, N=number) == (states, transitions)
    assert check(Philosophers, parameters={"N": number}).models[0].verdict == "verified"


@pytest.mark.parametrize("model", [Wait, WaitInHelper])
def test_a_spin_loop_costs_three_states(model) -> None:
    assert size(model, "auto")[0] == 3


@pytest.mark.parametrize("times", [2, 3, 5])
def test_two_threads_that_increment_twice_or_more_can_end_at_two(times) -> None:
    (found,) = check(EndsAtTwo, parameters={"K": times}).models
    (violation,) = [v for v in found.violations if v.kind == "postcondition"]
    assert violation.trace.steps[-1].changes[-1].after == 2
