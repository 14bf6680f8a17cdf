"""asyncio.to_thread: what runs there is a thread, and can interrupt a task anywhere.

Tasks never interrupt each other between two awaits, so that much asyncio code has no locks. As soon
as a part of it is moved into a thread, `self.counter += 1` in a task is two steps again, and the
thread can come between them: an update is lost, without an await in sight. (With a global
interpreter lock, `--runtime gil`, it is one step again, by accident.)

The fix is to have the thread return what it has computed, and let the task add it up.
"""

import asyncio

from interleave import Model, expect, nothing, postcondition, task


# 34 states, 47 transitions
@expect("lost-update", "postcondition")
@expect(nothing, runtime="gil")
class ThreadWrites(Model):
    """The thread counts what it does, and so does a task."""

    counter = 0

    def work(self):
        self.counter += 1

    @task
    async def main(self):
        await asyncio.to_thread(self.work)

    @task
    async def other(self):
        self.counter += 1

    @postcondition
    def everything_counts(self):
        return self.counter == 2


# 22 states, 27 transitions
@expect(nothing)
class ThreadReturns(Model):
    """Only tasks touch the counter."""

    counter = 0

    def work(self):
        return 1

    @task
    async def main(self):
        done = await asyncio.to_thread(self.work)
        self.counter += done

    @task
    async def other(self):
        self.counter += 1

    @postcondition
    def everything_counts(self):
        return self.counter == 2
