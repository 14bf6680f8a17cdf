"""N philosophers around a table, who eat for ever, and no deadlock.

Each takes the fork on the left first, the last one the fork on the right. One has four places to
be in: at the start, with one fork, with two, and with one again.

    N        states    transitions
   10       102,571        714,868
   12     1,118,878      9,415,128
   14    12,205,087    120,343,304
"""

import threading

from interleave import Model, expect, nothing, param, thread


@expect(nothing)
class Philosophers(Model):
    """Nothing but locks, and no end: all that there is to check is that nobody gets stuck."""

    N = param(10)

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
