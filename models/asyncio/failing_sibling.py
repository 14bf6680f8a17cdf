"""gather: when one of several coroutines fails, the others go on, and nobody waits for them.

`await asyncio.gather(a, b)` raises the exception of the first that fails, at once. The others are
not cancelled: they are still running when the handler of that exception has said that the order is
off, and may do what is not to be done any more.

A TaskGroup cancels the others and waits until they have ended, before it raises the exception.
"""

import asyncio

from interleave import Model, expect, invariant, nothing, task


class Order(Model):
    """Pay and reserve at once; if the goods cannot be had, the order is off."""

    off = False
    paid_when_off = False

    @invariant
    def an_order_that_is_off_is_not_paid(self):
        return not self.paid_when_off

    async def pay(self):
        await asyncio.sleep(0.1)
        self.paid_when_off = self.off

    async def reserve(self):
        await asyncio.sleep(0.1)
        raise LookupError("sold out")


# 29 states, 43 transitions
@expect("invariant")
class Gather(Order):
    """The payment goes on after the order is off."""

    @task
    async def buy(self):
        try:
            await asyncio.gather(self.pay(), self.reserve())
        except LookupError:
            self.off = True
            await asyncio.sleep(0.1)


# 30 states, 41 transitions
@expect(nothing)
class Group(Order):
    """When the group has raised its exception, both have ended."""

    @task
    async def buy(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.pay())
                group.create_task(self.reserve())
        except ExceptionGroup:
            self.off = True
            await asyncio.sleep(0.1)
