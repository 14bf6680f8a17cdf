"""A trading bot: the task that sends orders and the one that hears of fills share a position.

The order task looks at the position, decides that there is room for one more lot under the limit,
and awaits the exchange. Meanwhile a fill comes in, and the handler of market data changes the
position. Both effects follow: what the order task writes back is stale, so that the fill is forgotten;
and the limit that it has checked before the await does not hold after it.

The fix books the lot before the await, and takes it back if the exchange refuses. Nothing that was
read before an await is used after it.
"""

import asyncio

from interleave import Model, choose, expect, invariant, nothing, postcondition, task


class Trading(Model):
    """The limit is two lots; one is bought by the bot, one may come in as a fill."""

    LIMIT = 2
    position = 1
    bought = 0
    filled = 0
    fills = asyncio.Queue()

    async def trade(self):
        if choose([True, False]):
            await self.fills.put(1)
        await self.fills.put(0)

    @invariant
    def within_the_limit(self):
        return self.position <= self.LIMIT

    @postcondition
    def the_position_is_what_was_traded(self):
        return self.position == 1 + self.bought + self.filled


# 26 states, 43 transitions
@expect("lost-update", "invariant", "postcondition")
class CheckedBeforeTheAwait(Trading):
    """What was read before the await is used after it."""

    @task
    async def exchange(self):
        await self.trade()

    @task
    async def orders(self):
        position = self.position
        if position < self.LIMIT:
            await asyncio.sleep(0.1)  # the order is sent, and accepted
            self.bought += 1
            self.position = position + 1

    @task
    async def market_data(self):
        while lots := await self.fills.get():
            self.filled += lots
            self.position += lots


# 23 states, 42 transitions
@expect(nothing)
class BookedBeforeTheAwait(Trading):
    """Room is taken before the await, and a fill that finds none is refused."""

    @task
    async def exchange(self):
        await self.trade()

    @task
    async def orders(self):
        if self.position < self.LIMIT:
            self.position += 1
            await asyncio.sleep(0.1)
            self.bought += 1

    @task
    async def market_data(self):
        while lots := await self.fills.get():
            if self.position + lots <= self.LIMIT:
                self.filled += lots
                self.position += lots
