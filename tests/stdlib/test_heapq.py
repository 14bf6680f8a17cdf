"""`heapq` on a shared list: what the real functions do, and one step for each call."""

from __future__ import annotations

import heapq
import itertools
from pathlib import Path

import pytest
from running import load

from interleave import Model, check, param, thread

CALLS = ("push 2", "push 1", "pop", "pushpop 3", "replace 0", "heapify", "smallest")


def call(heap, text):
    match text.split():
        case ["push", item]:
            return heapq.heappush(heap, int(item))
        case ["pop"]:
            return heapq.heappop(heap)
        case ["pushpop", item]:
            return heapq.heappushpop(heap, int(item))
        case ["replace", item]:
            return heapq.heapreplace(heap, int(item))
        case ["heapify"]:
            return heapq.heapify(heap)
    return tuple(heapq.nsmallest(2, heap))


class Heap(Model):
    CALLS = param(())

    def setup(self):
        self.heap = [4, 3]
        self.results = ()

    @thread
    def caller(self):
        for each in self.CALLS:
            try:
                result = call(self.heap, each)
            except IndexError as error:
                result = str(error)
            self.results = (*self.results, result)


def test_a_shared_heap_is_what_a_real_one_is() -> None:
    for calls in itertools.product(CALLS, repeat=3):
        real = Heap()
        real.CALLS = calls
        real.setup()
        real.caller()
        (found,) = check(Heap, parameters={"CALLS": calls}).models
        assert found.interleavings is not None
        (outcome,) = found.interleavings.outcomes
        state = dict(outcome.state)
        assert state["results"] == real.results, calls
        assert state.get("heap", [4, 3]) == real.heap, calls


@pytest.mark.parametrize("runtime", ["free-threaded", "gil"])
@pytest.mark.parametrize("engine", ["reference", "native"])
def test_each_call_is_one_step(tmp_path: Path, engine: str, runtime: str) -> None:
    model = load(
        tmp_path / "model.py",
        """
from heapq import heappop, heappush
from interleave import *

class M(Model):
    heap = []

    @thread(2)
    def t(self, i):
        heappush(self.heap, i)
        heappop(self.heap)
""",
    )
    (found,) = check(model, engine=engine, runtime=runtime).models
    assert not found.violations
    # By hand, by how many calls each thread has done: one state for (0, 0), (1, 0), (0, 1), (2, 0),
    # (0, 2), (1, 1), (2, 1) and (2, 2), and two for (1, 2), in which the heap has 0 or 1.
    assert (found.states, found.transitions) == (10, 13)


def test_a_heap_of_the_thread_s_own_takes_no_steps(tmp_path: Path) -> None:
    model = load(
        tmp_path / "model.py",
        """
import heapq
from interleave import *

class M(Model):
    last = 0

    @thread
    def t(self):
        mine = [3, 1, 2]
        heapq.heapify(mine)
        self.last = heapq.heappop(mine)
""",
    )
    (found,) = check(model).models
    assert (found.states, found.transitions) == (2, 1)
