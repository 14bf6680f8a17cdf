"""N philosophers sit around a table, with one fork between each two of them. To eat takes both.

Each philosopher picks up the fork on his left, then the one on his right, eats, puts both down, and
begins again. If all of them pick up their left fork at the same time, each waits for the fork that
his neighbour holds, all the way around the table: a deadlock among N threads.

Three fixes:

* An order: the last philosopher picks up his right fork first. Then the circle cannot close, for he
  waits for his first fork without holding any.
* A waiter, who lets N - 1 of them sit down at a time. One of these has a free fork on his right.
* Nobody holds on to a fork while he waits: who does not get the second one puts back the first, and
  tries again. This one has a price. If all of them pick up, put back and pick up at the same pace,
  nobody ever eats: no deadlock, and no progress either. But they could always stop doing so, and a
  check looks for livelocks that cannot end (docs/limits.md); in practice one waits for a random
  time in between.

(Dijkstra's problem of 1965, as told by Hoare in 1985. The waiter is Hoare's footman.)

    interleave check models/deadlock/dining_philosophers.py -p N=5

The number of states of the first fix, where a philosopher has a state for "thinking", "has one
fork" and "eating":

    N   states   transitions
    2        7             8
    3       24            46
    4       79           208
    5      261           876
"""

import threading

from interleave import Model, expect, nothing, param, thread


# N=3: 35 states, 75 transitions
@expect("deadlock")
class LeftForkFirst(Model):
    """Everybody picks up the left fork first."""

    N = param(3)

    def setup(self):
        self.forks = [threading.Lock() for _ in range(self.N)]

    @thread(N)
    def philosopher(self, i):
        left = self.forks[i]
        right = self.forks[(i + 1) % self.N]
        while True:
            with left:
                with right:
                    pass  # eat

    SCENARIO = "each takes the left fork first"


# N=3: 24 states, 46 transitions
@expect(nothing)
class LastOneReversed(Model):
    """The fix: the last philosopher picks up the right fork first."""

    N = param(3)

    def setup(self):
        self.forks = [threading.Lock() for _ in range(self.N)]

    @thread(N)
    def philosopher(self, i):
        first = self.forks[i]
        second = self.forks[(i + 1) % self.N]
        if i == self.N - 1:
            first, second = second, first
        while True:
            with first:
                with second:
                    pass  # eat

    SCENARIO = "one takes the right fork first"


# N=3: 82 states, 168 transitions
# N=5: 3,481 states, 13,860 transitions
@expect(nothing)
class OneLessAtTheTable(Model):
    """Another fix: only N - 1 of them may sit down at a time."""

    N = param(3)

    def setup(self):
        self.forks = [threading.Lock() for _ in range(self.N)]
        self.seats = threading.Semaphore(self.N - 1)

    @thread(N)
    def philosopher(self, i):
        left = self.forks[i]
        right = self.forks[(i + 1) % self.N]
        while True:
            with self.seats:
                with left:
                    with right:
                        pass  # eat


# N=3: 36 states, 99 transitions
# N=5: 393 states, 1,800 transitions
@expect(nothing)
class PutsTheForkBack(Model):
    """Another fix: who does not get the second fork puts back the first."""

    N = param(3)

    def setup(self):
        self.forks = [threading.Lock() for _ in range(self.N)]

    @thread(N)
    def philosopher(self, i):
        left = self.forks[i]
        right = self.forks[(i + 1) % self.N]
        while True:
            with left:
                if right.acquire(blocking=False):
                    right.release()  # has eaten
