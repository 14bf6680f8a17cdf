"""Tasks that count: an update is lost only where there is an await between the read and the write.

All tasks of a program run in one thread, and the event loop runs another one only where a task
awaits something that is not there yet. So `self.counter += 1` needs no lock, and neither does a
coroutine that is awaited and never waits itself. With an `await asyncio.sleep(0)` in the middle it is
the same as for threads: both tasks read 0, and both write 1.

The fix is an `asyncio.Lock` around both, or to read again after the await.
"""

import asyncio

from interleave import Model, expect, nothing, postcondition, task


# 12 states, 14 transitions
@expect("lost-update", "postcondition")
class SleepInBetween(Model):
    """The counter is read, others run, and what was read is written back."""

    counter = 0

    @task(2)
    async def increment(self):
        current = self.counter
        await asyncio.sleep(0)
        self.counter = current + 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2

    SCENARIO = "read, wait, write"


# 9 states, 12 transitions
@expect(nothing)
class NoAwaitInBetween(Model):
    """The await comes before: nothing can happen between the read and the write."""

    counter = 0

    async def current(self):
        return self.counter

    @task(2)
    async def increment(self):
        await asyncio.sleep(0)
        self.counter = await self.current() + 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2

    SCENARIO = "add to a counter"


# 12 states, 14 transitions
@expect(nothing)
class WithLock(Model):
    """Who holds an asyncio.Lock may await, and the others wait."""

    counter = 0
    lock = asyncio.Lock()

    @task(2)
    async def increment(self):
        async with self.lock:
            current = self.counter
            await asyncio.sleep(0)
            self.counter = current + 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2

    SCENARIO = "add under a lock"
