"""Random programs of tasks, to be run by the real asyncio and by interleave.

Statements are texts in which `{k}` stands for a small number; lines after the first are indented to
where the first one stands. Everything that a program does is noted in `log`.
"""

from __future__ import annotations

from random import Random

HEADER = """
import asyncio
from interleave import *


class M(Model):
    n = 0
    log = ()
    Future = None
    lock = asyncio.Lock()
    event = asyncio.Event()
    sem = asyncio.Semaphore(1)
    bounded = asyncio.BoundedSemaphore(2)
    cond = asyncio.Condition()
    barrier = asyncio.Barrier(2)
    q = asyncio.Queue(maxsize=1)
    Task = None
    heap = asyncio.PriorityQueue()
    stack = asyncio.LifoQueue()

    def note(self, what):
        self.log += (what,)

    def called(self):
        self.note("called")

    def is_done(self, future):
        self.note(("done", future.cancelled()))

    async def child(self, k):
        self.note(k)
        await asyncio.sleep(0)
        self.n += k
        return k

    async def fails(self, k):
        await asyncio.sleep(0)
        raise ValueError(k)

    async def add(self):
        t = self.n
        await asyncio.sleep(0.1)
        self.n = t + 1
"""

PLAIN = [
    "await asyncio.sleep(0)",
    "await asyncio.sleep(0.1)",
    "self.note({k})",
    "t = self.n\nawait asyncio.sleep(0)\nself.n = t + 1",
    "await self.add()",
    "self.event.set()",
    "self.event.clear()",
    "await self.event.wait()",
    "await self.q.put({k})",
    "self.note(await self.q.get())",
    "self.note(self.q.qsize())",
    "self.q.task_done()",
    "await self.q.join()",
    "self.heap.put_nowait({k})",
    "self.note(await self.heap.get())",
    "self.stack.put_nowait({k})",
    "self.note(await self.stack.get())",
    "async with self.lock:\n    self.note({k})\n    await asyncio.sleep(0)",
    "async with self.lock:\n    self.note({k})",
    "self.note(self.lock.locked())",
    "async with self.sem:\n    self.note({k})\n    await asyncio.sleep(0)",
    "await self.sem.acquire()",
    "self.sem.release()",
    "self.note(self.sem.locked())",
    "await self.bounded.acquire()",
    "self.bounded.release()",
    "async with self.cond:\n    self.cond.notify()",
    "async with self.cond:\n    self.n += 1\n    self.cond.notify_all()",
    "async with self.cond:\n    await self.cond.wait()\n    self.note({k})",
    "async with self.cond:\n    await self.cond.wait_for(lambda: self.n > 0)\n    self.note({k})",
    "self.note(await self.barrier.wait())",
    "await self.barrier.abort()",
    "await self.barrier.reset()",
    "asyncio.get_running_loop().call_soon(self.called)",
    "asyncio.get_running_loop().call_later(0.1, self.called)",
    "h = asyncio.get_running_loop().call_later(0.1, self.called)\nawait asyncio.sleep(0)\nh.cancel()",
    "h = asyncio.get_running_loop().call_soon(self.called)\nawait asyncio.sleep(0)\nh.cancel()",
    "if self.Future is not None and not self.Future.done():\n    self.Future.set_result({k})",
    "if self.Future is not None:\n    self.Future.cancel()",
]
"""What makes no task."""

MAKING = [
    "self.Future = f = asyncio.get_running_loop().create_future()\nself.note(await f)",
    "self.note(tuple(await asyncio.gather(self.child(1), self.child(2))))",
    "self.note(tuple(await asyncio.gather(self.child({k}), return_exceptions=True)))",
    """
try:
    await asyncio.gather(self.child(1), self.fails({k}))
except ValueError as error:
    self.note(str(error))
""",
    """
g = asyncio.gather(self.child(1), self.child(2))
await asyncio.sleep(0)
g.cancel()
try:
    self.note(tuple(await g))
except asyncio.CancelledError:
    self.note("cancelled")
""",
    """
g = asyncio.gather(self.child(1), self.fails(2), return_exceptions=True)
await asyncio.sleep(0)
g.cancel()
try:
    self.note(len(await g))
except asyncio.CancelledError:
    self.note("cancelled")
""",
    """
c = asyncio.create_task(self.child({k}))
await asyncio.sleep(0)
c.cancel()
try:
    self.note(await c)
except asyncio.CancelledError:
    self.note("cancelled")
""",
    """
c = asyncio.create_task(self.child({k}))
c.cancel()
try:
    self.note(await c)
except asyncio.CancelledError:
    self.note("cancelled")
""",
    """
c = asyncio.create_task(self.child({k}))
c.add_done_callback(self.is_done)
await asyncio.sleep(0)
c.cancel()
""",
    """
c = asyncio.create_task(self.child({k}))
s = asyncio.shield(c)
await asyncio.sleep(0)
s.cancel()
try:
    await s
except asyncio.CancelledError:
    self.note(c.done())
""",
    "self.note(await asyncio.shield(self.child({k})))",
    "for f in asyncio.as_completed([self.child(1), self.child(2)]):\n    self.note(await f)",
    """
try:
    for f in asyncio.as_completed([self.child(1), self.event.wait()], timeout=1):
        self.note(await f)
except TimeoutError:
    self.note("late")
""",
    """
a = asyncio.create_task(self.child({k}))
b = asyncio.create_task(self.event.wait())
done, pending = await asyncio.wait([a, b], return_when=asyncio.FIRST_COMPLETED)
self.note((len(done), len(pending)))
""",
    """
a = asyncio.create_task(self.fails({k}))
b = asyncio.create_task(self.event.wait())
done, pending = await asyncio.wait([a, b], return_when=asyncio.FIRST_EXCEPTION)
self.note((len(done), len(pending)))
""",
    """
a = asyncio.create_task(self.child({k}))
b = asyncio.create_task(self.event.wait())
done, pending = await asyncio.wait([a, b], timeout=1)
self.note((len(done), len(pending)))
for each in pending:
    each.cancel()
""",
    """
try:
    async with asyncio.timeout(1):
        await asyncio.sleep(0)
        self.note({k})
except TimeoutError:
    self.note("late")
""",
    """
try:
    async with asyncio.timeout(1):
        async with asyncio.timeout(1):
            await asyncio.sleep(0)
            self.note({k})
except TimeoutError:
    self.note("late")
""",
    """
try:
    async with asyncio.timeout(1):
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.note("swallowed")
        await asyncio.sleep(0)
except TimeoutError:
    self.note("late")
""",
    """
try:
    async with asyncio.timeout(1):
        async with self.cond:
            await self.cond.wait()
except TimeoutError:
    self.note("late")
""",
    """
try:
    async with asyncio.timeout(1):
        self.note(await self.barrier.wait())
except TimeoutError:
    self.note("late")
""",
    """
try:
    self.note(await asyncio.wait_for(self.q.get(), 1))
except TimeoutError:
    self.note("late")
""",
    """
try:
    self.note(await asyncio.wait_for(asyncio.create_task(self.q.get()), 1))
except TimeoutError:
    self.note("late")
""",
    """
try:
    self.note(await asyncio.wait_for(self.child({k}), 1))
except TimeoutError:
    self.note("late")
""",
    """
try:
    self.note(await asyncio.wait_for(self.child({k}), 0))
except TimeoutError:
    self.note("late")
""",
    """
try:
    self.note(await asyncio.wait_for(self.sem.acquire(), 1))
except TimeoutError:
    self.note("late")
""",
    """
asyncio.current_task().cancel()
try:
    await asyncio.sleep(0)
except asyncio.CancelledError:
    self.note(asyncio.current_task().uncancel())
""",
    """
asyncio.current_task().cancel()
try:
    await self.lock.acquire()
    self.note("taken")
    await self.event.wait()
except asyncio.CancelledError:
    self.note(asyncio.current_task().cancelling())
""",
    """
try:
    async with asyncio.TaskGroup() as group:
        group.create_task(self.child({k}))
        group.create_task(self.fails({k}))
except ExceptionGroup as error:
    self.note(len(error.exceptions))
""",
    """
try:
    async with asyncio.TaskGroup() as group:
        group.create_task(self.child({k}))
        await asyncio.sleep(0)
        raise KeyError({k})
except ExceptionGroup as error:
    self.note(len(error.exceptions))
""",
    """
try:
    async with asyncio.timeout(1):
        async with asyncio.TaskGroup() as group:
            group.create_task(self.child({k}))
            group.create_task(self.event.wait())
except TimeoutError:
    self.note("late")
""",
    """
async with asyncio.TaskGroup() as group:
    c = group.create_task(self.child({k}))
self.note(c.result())
""",
]
"""What makes tasks, futures or timers."""

CLEANING = [
    """
try:
    await asyncio.sleep(0)
    self.note({k})
except asyncio.CancelledError:
    self.note("x")
    await asyncio.sleep(0)
finally:
    self.note("f")
""",
    """
try:
    self.note(await self.q.get())
except asyncio.CancelledError:
    self.note("x")
    raise
""",
    "try:\n    await self.q.put({k})\nfinally:\n    self.note(self.q.qsize())",
    """
try:
    async with self.lock:
        await asyncio.sleep(0)
finally:
    self.note("f")
""",
    """
try:
    async with self.sem:
        await asyncio.sleep(0)
        self.note({k})
finally:
    self.note("f")
""",
    """
try:
    async with self.cond:
        await self.cond.wait()
finally:
    self.note("f")
""",
    "try:\n    await self.event.wait()\nfinally:\n    self.note('f')",
    "try:\n    self.note(await self.barrier.wait())\nfinally:\n    self.note('f')",
    """
try:
    async with asyncio.TaskGroup() as group:
        group.create_task(self.child({k}))
        await self.event.wait()
finally:
    self.note("f")
""",
    """
try:
    self.note(tuple(await asyncio.gather(self.child(1), self.event.wait())))
except asyncio.CancelledError:
    self.note("x")
    raise
""",
    "try:\n    self.note(await asyncio.shield(self.child({k})))\nfinally:\n    self.note('f')",
    """
try:
    await asyncio.wait([asyncio.create_task(self.child({k}))])
finally:
    self.note("f")
""",
    """
try:
    async with asyncio.timeout(1):
        await self.event.wait()
except TimeoutError:
    self.note("late")
except asyncio.CancelledError:
    self.note("x")
    raise
""",
    """
c = asyncio.create_task(self.child({k}))
try:
    self.note(await c)
except asyncio.CancelledError:
    self.note(c.cancelled())
    raise
""",
]
"""What does something where it is cancelled."""


FROM_THREADS = [
    "self.event.set()",
    "self.event.clear()",
    "self.sem.release()",
    "self.note(self.q.qsize())",
    """
try:
    self.q.put_nowait({k})
except asyncio.QueueFull:
    self.note("full")
""",
    """
try:
    self.note(self.q.get_nowait())
except asyncio.QueueEmpty:
    self.note("empty")
""",
    "self.stack.put_nowait({k})",
    "asyncio.get_event_loop().call_soon(self.called)",
    "asyncio.get_event_loop().call_soon(self.event.set)",
    "asyncio.get_event_loop().call_later(0.1, self.called)",
    "asyncio.get_event_loop().call_soon_threadsafe(self.event.set)",
    "asyncio.get_event_loop().call_soon_threadsafe(self.called)",
    "asyncio.get_event_loop().call_soon_threadsafe(self.q.put_nowait, {k})",
    "if self.Future is not None and not self.Future.done():\n    self.Future.set_result({k})",
    "if self.Future is not None:\n    self.Future.cancel()",
    "if self.Task is not None:\n    self.Task.cancel()",
]
"""What threads do to what the loop has, rightly or not."""

FOR_THREADS = [
    "await self.event.wait()",
    "self.note(await self.q.get())",
    "await self.q.put({k})",
    "self.note(await self.stack.get())",
    "await self.sem.acquire()",
    "await asyncio.sleep(0)",
    "await asyncio.sleep(0.1)",
    "self.Future = f = asyncio.get_running_loop().create_future()\nself.note(await f)",
    """
self.Task = asyncio.current_task()
try:
    await self.event.wait()
except asyncio.CancelledError:
    self.note("x")
""",
    """
self.Task = asyncio.current_task()
await asyncio.sleep(0.1)
""",
    """
try:
    async with asyncio.timeout(1):
        await self.event.wait()
except TimeoutError:
    self.note("late")
""",
]
"""What tasks do that threads have to do with."""


def program_with_thread(seed: int) -> str:
    """A program of one task or two, and of a thread that touches what is the loop's."""
    random = Random(seed)

    def body(pool: list[str]) -> list[str]:
        text = random.choice(pool).format(k=random.randrange(1, 4))
        return [f"        {line}\n" for line in text.strip().splitlines()]

    parts = [HEADER]
    for name in ("a", "b")[: random.choice((1, 2))]:
        parts.append(f"\n    @task\n    async def {name}(self):\n")
        for _ in range(random.choice((1, 2))):
            parts += body(FOR_THREADS)
    calls = ("first", "second")[: random.choice((1, 2))]
    for name in calls:
        parts += [f"\n    def {name}(self):\n", *body(FROM_THREADS)]
    parts.append("\n    @thread\n    def t(self):\n")
    parts += [f"        self.{name}()\n" for name in calls]
    parts.append(f"\n    THREAD = {calls!r}\n")
    return "".join(parts)


def program(seed: int, *, makes: bool, cancels: bool) -> str:
    """A program of two or three tasks. `cancels`: something outside may cancel one of them."""
    random = Random(seed)
    names = ("a", "b", "c")[: random.choice((2, 2, 3))]
    parts = [HEADER]
    for name in names:
        parts.append(f"\n    @task\n    async def {name}(self):\n")
        made = False
        for _ in range(random.choice((1, 2, 2, 3))):
            pool = PLAIN
            if makes and not made and random.random() < 0.5:
                pool, made = MAKING, True
            elif cancels and random.random() < 0.4:
                pool = CLEANING
            text = random.choice(pool).format(k=random.randrange(1, 4))
            parts += [f"        {line}\n" for line in text.strip().splitlines()]
    if cancels:
        parts.append(f"\n    CANCEL = ({random.choice(names)!r},)\n")
    return "".join(parts)
