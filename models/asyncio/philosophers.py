"""Dining philosophers that are tasks: they starve where there is an await between two forks.

Everybody takes the fork on the left, then the one on the right, eats, and thinks again. With an await
after the first fork all of them can hold one fork and wait for the other for ever. Without it nobody
can: taking a fork that is free does not suspend a task, so a philosopher takes both or waits for the
first one. But that rests on a detail, and an await added later brings the deadlock back.

The usual fix holds whatever is awaited: the last philosopher begins on the right.
"""

import asyncio

from interleave import Model, expect, nothing, param, task


# 54 states, 114 transitions
@expect("deadlock")
class LeftForkFirst(Model):
    """Everybody takes the left fork, and looks up before taking the other."""

    N = param(3)

    def setup(self):
        self.forks = [asyncio.Lock() for _ in range(self.N)]

    @task(N)
    async def philosopher(self, i):
        while True:
            async with self.forks[i]:
                await asyncio.sleep(0)
                async with self.forks[(i + 1) % self.N]:
                    pass

    SCENARIO = "each takes the left fork first"


# 25 states, 54 transitions
@expect(nothing)
class LastOneReversed(Model):
    """The last philosopher takes the right fork first."""

    N = param(3)

    def setup(self):
        self.forks = [asyncio.Lock() for _ in range(self.N)]

    @task(N)
    async def philosopher(self, i):
        first, second = sorted((i, (i + 1) % self.N))
        while True:
            async with self.forks[first]:
                await asyncio.sleep(0)
                async with self.forks[second]:
                    pass

    SCENARIO = "one takes the right fork first"
