"""Read, await, write: a balance is changed by two handlers, and one deposit is gone.

Each handler reads the balance, awaits something that takes a while (here a fee, that some service
knows), and writes the balance back. The await stands in the middle of one line: `self.balance +=
await self.fee()` reads the balance first, then waits, then adds to what it has read.

The fix costs nothing: await first, and then read and write without an await in between.
"""

import asyncio

from interleave import Model, expect, nothing, postcondition, task


# 13 states, 14 transitions
@expect("lost-update", "postcondition")
class AwaitInTheMiddle(Model):
    """The balance is read before the await, and written after it."""

    balance = 100

    async def bonus(self, amount):
        await asyncio.sleep(0.1)
        return amount

    @task(2)
    async def deposit(self, i):
        self.balance += await self.bonus(10 + i)

    @postcondition
    def both_deposits_are_there(self):
        return self.balance == 121


# 9 states, 12 transitions
@expect(nothing)
class AwaitFirst(Model):
    """The same two lines the other way round."""

    balance = 100

    async def bonus(self, amount):
        await asyncio.sleep(0.1)
        return amount

    @task(2)
    async def deposit(self, i):
        bonus = await self.bonus(10 + i)
        self.balance += bonus

    @postcondition
    def both_deposits_are_there(self):
        return self.balance == 121
