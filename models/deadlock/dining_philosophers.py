"""N philosophers sit around a table, with one fork between each two of them. To eat takes both.

Each philosopher picks up the fork on his left, then the one on his right, eats, puts both down, and
begins again. If all of them pick up their left fork at the same time, each waits for the fork that
his neighbour holds, all the way around the table: a deadlock among N threads.

The fix is to let the last philosopher pick up his right fork first. Then the circle cannot close:
he waits for his first fork without holding any.

(Dijkstra's problem of 1965, as told by Hoare in 1985.)

    interleave check models/deadlock/dining_philosophers.py -p N=5

The number of states with the fix, where a philosopher has a state for "thinking", "has one fork"
and "eating":

    N   states   transitions
    2        7             8
    3       24            46
    4       79           208
    5      261           876
"""

import threading

from interleave import Model, expect, nothing, param, thread


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
