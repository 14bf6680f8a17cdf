"""A cache is filled by everybody at once: looking and filling, with an await in between.

Two requests look for the same key. It is not there, so both begin to load it, which takes an await,
and both store what they have loaded: the expensive query runs twice, and with a thousand requests it
runs a thousand times (a stampede, or thundering herd).

The first fix takes a lock around both, so that whoever comes second finds the value. The second one
stores the task that loads it, before any await: whoever comes second awaits the same task.
"""

import asyncio

from interleave import Model, expect, invariant, nothing, task


# 10 states, 12 transitions
@expect("invariant")
class LookThenLoad(Model):
    """Both requests find nothing, and both load. They store the same, so no update is lost."""

    value = None
    queries = 0

    async def load(self):
        self.queries += 1
        await asyncio.sleep(0.1)
        return self.queries

    @task(2)
    async def request(self):
        if self.value is None:
            self.value = await self.load()

    @invariant
    def loaded_once(self):
        return self.queries <= 1


# 10 states, 12 transitions
@expect(nothing)
class UnderALock(Model):
    """Who comes second waits, looks again, and finds it."""

    value = None
    queries = 0
    lock = asyncio.Lock()

    async def load(self):
        self.queries += 1
        await asyncio.sleep(0.1)
        return self.queries

    @task(2)
    async def request(self):
        async with self.lock:
            if self.value is None:
                self.value = await self.load()

    @invariant
    def loaded_once(self):
        return self.queries <= 1


# 21 states, 28 transitions
@expect(nothing)
class OneTaskForAll(Model):
    """Who comes second awaits the task of the first."""

    loading = None
    queries = 0

    async def load(self):
        self.queries += 1
        await asyncio.sleep(0.1)
        return 42

    @task(2)
    async def request(self):
        if self.loading is None:
            self.loading = asyncio.create_task(self.load())
        assert await self.loading == 42

    @invariant
    def loaded_once(self):
        return self.queries <= 1
