"""A thread sets an asyncio.Event: the task that waits for it may sleep on.

What asyncio has is not made for threads. `event.set()` in a thread puts the task into the queue of
the loop, and the loop, which sleeps in `select`, does not notice until something else wakes it. A
loop in debug mode refuses it with a RuntimeError, but only where a task waits already, so that a test
that is quick enough never sees it.

The fix is `loop.call_soon_threadsafe(event.set)`.
"""

import asyncio

from interleave import Model, expect, nothing, task, thread


# 6 states, 6 transitions
@expect("deadlock")
class SetByTheThread(Model):
    """The thread touches what belongs to the loop."""

    event = asyncio.Event()

    @thread
    def worker(self):
        self.event.set()

    @task
    async def waiter(self):
        await self.event.wait()


# 5 states, 4 transitions
@expect("exception", "deadlock")
class SetInDebugMode(SetByTheThread):
    """The loop complains, and the task is never told."""

    ASYNCIO_DEBUG = True


# 11 states, 13 transitions
@expect(nothing)
class SetByTheLoop(Model):
    """The thread asks the loop to set it."""

    event = asyncio.Event()

    @thread
    def worker(self):
        loop = asyncio.get_event_loop()
        loop.call_soon_threadsafe(self.event.set)

    @task
    async def waiter(self):
        await self.event.wait()
