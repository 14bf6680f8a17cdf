"""A queue and a timeout: an item is taken out of the queue, and nobody has it.

`wait_for(asyncio.create_task(queue.get()), timeout)` looks like `wait_for(queue.get(), timeout)` and
is not: now a second task takes the item. If the time is up when that task has the item, and the first
one has not been told yet, the first one raises TimeoutError, and the item is the result of a task
that nobody looks at.

Awaiting `queue.get()` itself is right from Python 3.12 on: an item that has come too late stays in
the queue. (Up to 3.11, `wait_for` itself made a task of it.) The other fix keeps the task, and waits
for it again the next time.
"""

import asyncio

from interleave import Model, expect, nothing, postcondition, task


class Received(Model):
    """One item is put into the queue, and a consumer waits for it with a timeout."""

    queue = asyncio.Queue()
    received = False

    @postcondition
    def no_item_is_lost(self):
        return self.received or self.queue.qsize() == 1


# 19 states, 26 transitions
@expect("postcondition")
class TaskForTheItem(Received):
    """A task of its own takes the item, and the timeout throws its result away."""

    @task
    async def producer(self):
        await self.queue.put("item")

    @task
    async def consumer(self):
        try:
            await asyncio.wait_for(asyncio.create_task(self.queue.get()), 1)
            self.received = True
        except TimeoutError:
            pass


# 10 states, 12 transitions
@expect(nothing)
class NoTask(Received):
    """The consumer itself takes the item, or it stays where it is."""

    @task
    async def producer(self):
        await self.queue.put("item")

    @task
    async def consumer(self):
        try:
            await asyncio.wait_for(self.queue.get(), 1)
            self.received = True
        except TimeoutError:
            pass


# 20 states, 33 transitions
@expect(nothing)
class TaskIsKept(Received):
    """`asyncio.wait` does not cancel: the task is still there for the next attempt."""

    @task
    async def producer(self):
        await self.queue.put("item")

    @task
    async def consumer(self):
        getter = asyncio.create_task(self.queue.get())
        done, _ = await asyncio.wait([getter], timeout=1)
        if not done:
            await asyncio.wait([getter])
        assert getter.result() == "item"
        self.received = True
