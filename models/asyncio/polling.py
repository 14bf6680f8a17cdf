"""A task polls a flag with `await asyncio.sleep(0)`; the one who is to raise it has given up.

The reader waits until the connection is there. The connecting task fails, says so to nobody, and
ends: the reader asks for ever, and keeps the loop busy with it.

With an Event it would wait for ever as well, but asleep: a deadlock, which is the same mistake. The
fix is to say how it went, whichever way that was.
"""

import asyncio

from interleave import Model, choose, expect, nothing, task


# 9 states, 14 transitions
@expect("livelock")
class PollsForEver(Model):
    """Wrong: nobody hears that there will be no connection."""

    connected = False

    @task
    async def connects(self):
        await asyncio.sleep(0)
        if choose([True, False]):
            self.connected = True

    @task
    async def reads(self):
        while not self.connected:
            await asyncio.sleep(0)


# 10 states, 12 transitions
@expect(nothing)
class SaysHowItWent(Model):
    """The fix: what is awaited has an outcome in any case."""

    def setup(self):
        self.done = asyncio.Event()
        self.connected = False

    @task
    async def connects(self):
        try:
            await asyncio.sleep(0)
            if choose([True, False]):
                self.connected = True
        finally:
            self.done.set()

    @task
    async def reads(self):
        await self.done.wait()
        if not self.connected:
            return
