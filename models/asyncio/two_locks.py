"""Two asyncio locks, taken in two orders: tasks deadlock just as threads do.

Each task takes one lock, awaits while it holds it, and then wants the other. It is the await that
makes it possible: without one between the two, no other task could run there.

The fix is the same as for threads, one order for all; or no await while only one lock is held.
"""

import asyncio

from interleave import Model, expect, nothing, task


# 12 states, 14 transitions
@expect("deadlock")
class TwoOrders(Model):
    """One task takes the left lock first, and the other the right one."""

    left = asyncio.Lock()
    right = asyncio.Lock()

    @task
    async def to_the_right(self):
        async with self.left:
            await asyncio.sleep(0)
            async with self.right:
                pass

    @task
    async def to_the_left(self):
        async with self.right:
            await asyncio.sleep(0)
            async with self.left:
                pass

    SCENARIO = "two locks in opposite orders"


# 12 states, 14 transitions
@expect(nothing)
class NoAwaitInBetween(Model):
    """Both are free or none: a free lock is taken without waiting."""

    left = asyncio.Lock()
    right = asyncio.Lock()

    @task
    async def to_the_right(self):
        async with self.left, self.right:
            await asyncio.sleep(0)

    @task
    async def to_the_left(self):
        async with self.right, self.left:
            await asyncio.sleep(0)


# 12 states, 14 transitions
@expect(nothing)
class OneOrder(Model):
    """Both tasks take the left lock first."""

    left = asyncio.Lock()
    right = asyncio.Lock()

    @task(2)
    async def both(self):
        async with self.left:
            await asyncio.sleep(0)
            async with self.right:
                pass

    SCENARIO = "two locks in one order"
