"""A pool of connections: one that a cancelled request has taken is never given back.

A request takes a connection out of the pool, uses it, and puts it back. If the client hangs up, the
server cancels the task of the request, and `await` raises CancelledError in the middle: what stands
after it never runs. The pool is smaller by one for ever, and in the end every request waits.

`CANCEL = "request"` says that something outside may cancel that task at any moment at which it
awaits. The fix is `try` and `finally` around the use, beginning at once after the connection was
taken: between taking it and the `try` there must be no await.
"""

import asyncio

from interleave import Model, expect, nothing, postcondition, task


# 7 states, 6 transitions
@expect("postcondition")
class GivenBackAtTheEnd(Model):
    """The connection is put back where the request ends well."""

    CANCEL = "request"
    pool = asyncio.Queue()

    def setup(self):
        self.pool.put_nowait("connection")

    @task
    async def request(self):
        connection = await self.pool.get()
        await asyncio.sleep(0.1)
        await self.pool.put(connection)

    @postcondition
    def nothing_leaks(self):
        return self.pool.qsize() == 1


# 27 states, 38 transitions
@expect("deadlock", "postcondition")
class OthersWaitForEver(Model):
    """The same with a second request, which needs the connection too."""

    CANCEL = "request"
    pool = asyncio.Queue()

    def setup(self):
        self.pool.put_nowait("connection")

    async def use(self):
        connection = await self.pool.get()
        await asyncio.sleep(0.1)
        self.pool.put_nowait(connection)

    @task
    async def request(self):
        await self.use()

    @task
    async def other(self):
        await self.use()

    @postcondition
    def nothing_leaks(self):
        return self.pool.qsize() == 1


# 25 states, 38 transitions
@expect(nothing)
class Finally(Model):
    """Whatever happens to the request, the connection goes back."""

    CANCEL = "request"
    pool = asyncio.Queue()

    def setup(self):
        self.pool.put_nowait("connection")

    async def use(self):
        connection = await self.pool.get()
        try:
            await asyncio.sleep(0.1)
        finally:
            self.pool.put_nowait(connection)

    @task
    async def request(self):
        await self.use()

    @task
    async def other(self):
        await self.use()

    @postcondition
    def nothing_leaks(self):
        return self.pool.qsize() == 1
