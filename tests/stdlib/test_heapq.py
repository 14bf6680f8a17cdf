"""`heapq` on a shared list: what the real functions do, and one step for each call."""

from __future__ import annotations

import heapq
from pathlib import Path

import pytest
from running import load
from sequences import Sequences, compare

from interleave import check

CALLS = (
    ("push", 2), ("push", 1), ("pop",), ("pushpop", 3), ("replace", 0), ("heapify",), ("smallest",),
)  # fmt: skip


class Heap(Sequences):
    def prepare(self):
        self.heap = [4, 3]

    def perform(self, call):
        try:
            return self.called(call)
        except IndexError as error:
            return str(error)

    def called(self, call):
        match call:
            case ("push", item):
                return heapq.heappush(self.heap, item)
            case ("pop",):
                return heapq.heappop(self.heap)
            case ("pushpop", item):
                return heapq.heappushpop(self.heap, item)
            case ("replace", item):
                return heapq.heapreplace(self.heap, item)
            case ("heapify",):
                return heapq.heapify(self.heap)
            case ("smallest",):
                return tuple(heapq.nsmallest(2, self.heap))
            case ("all",):
                return tuple(self.heap)


@pytest.mark.slow
def test_a_shared_heap_is_what_a_real_one_is() -> None:
    compare(Heap, [CALLS, CALLS, CALLS, [("all",)]])


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
