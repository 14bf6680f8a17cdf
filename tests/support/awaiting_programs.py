"""Random programs of tasks that await objects with an `__await__` of their own."""

from __future__ import annotations

import textwrap
from random import Random

TEXT = """
import asyncio
import types
from interleave import Model, task


class Returning:
    def __init__(self, made):
        self.made = made

    def __await__(self):
        return self.made.__await__()


class Steps:
    def __init__(self, m, left):
        self.m = m
        self.left = left

    def __iter__(self):
        return self

    def __next__(self):
        self.m.note("step")
        if not self.left:
            raise StopIteration(8)
        self.left -= 1

    def __await__(self):
        return self


class Inner:
    def __init__(self, m):
        self.m = m

    def __await__(self):
{inner}
        return 7


class Outer(Inner):
    def __await__(self):
{outer}
        return 9


class M(Model):
    log = ()
    n = 0
    Future = None
    Task = None
    event = asyncio.Event()

    def note(self, what):
        self.log += (what,)

    async def child(self, k):
        t = self.n
        await asyncio.sleep(0)
        self.n = t + k
        return k

    @types.coroutine
    def old(self, k):
        yield
        return k + (yield from self.child(k))

    @task
    async def first(self):
        self.Future = asyncio.get_running_loop().create_future()
        self.Task = asyncio.current_task()
        try:
{first}
        except BaseException as error:
            self.note(repr(error))

    @task
    async def second(self):
        try:
            pass
{second}
        except Exception as error:
            self.note(repr(error))
"""

PLAIN = [
    'self.m.note("in")',
    "yield",
    "yield 5",
    'raise ValueError("raised")',
    "self.m.note((yield from self.m.Future))",
    "self.m.note((yield from self.m.Future.__await__()))",
    "self.m.note((yield from self.m.child(1).__await__()))",
    "yield from self.m.event.wait().__await__()",
    "yield from Steps(self.m, 1)",
    "self.m.note((yield from self.m.old(2)))",
]
BLOCKS = [
    "try:\n{}\nfinally:\n    self.m.note('f')",
    "try:\n{}\nexcept asyncio.CancelledError:\n    self.m.note('x')",
    "try:\n{}\nexcept asyncio.CancelledError:\n    yield\n    raise",
    "try:\n{}\nexcept (RuntimeError, ValueError) as error:\n    self.m.note(repr(error))",
]
DELEGATED = ["self.m.note((yield from Inner(self.m).__await__()))"]
AWAITS = [
    "self.note(await Outer(self))",
    "self.note(await asyncio.wait_for(Outer(self), 1))",
    "self.note(await asyncio.gather(Outer(self), self.child(1)))",
    "self.note(await asyncio.ensure_future(Outer(self)))",
    "self.note(await Returning(self.child(2)))",
    "self.note(await Returning(Outer(self)))",
    "self.note(await Returning(self.Future))",
    "self.note(await Steps(self, 2))",
    "self.note(await self.old(1))",
]
OTHERS = [
    "self.Future is None or self.Future.done() or self.Future.set_result(3)",
    "self.Future is None or self.Future.cancel()",
    "self.Task is None or self.Task.cancel()",
    "self.event.set()",
    "await asyncio.sleep(0)",
]


def program(seed: int) -> str:
    """The program of a seed."""
    random = Random(seed)
    first = [random.choice(AWAITS) for _ in range(random.choice((1, 1, 2)))]
    second = [*random.sample(OTHERS, 2), *([random.choice(AWAITS)] if seed % 3 == 0 else [])]
    random.shuffle(second)
    return TEXT.format(
        inner=textwrap.indent(_body(random, PLAIN), " " * 8),
        outer=textwrap.indent(_body(random, [*PLAIN, *DELEGATED * 4]), " " * 8),
        first=textwrap.indent("\n".join(first), " " * 12),
        second=textwrap.indent("\n".join(second), " " * 12),
    )


def _body(random: Random, known: list[str]) -> str:
    """Some statements of an `__await__` that is a generator."""
    parts = []
    for _ in range(random.choice((1, 2))):
        part = random.choice(known)
        if random.random() < 0.6:
            part = random.choice(BLOCKS).format(textwrap.indent(part, "    "))
        parts.append(part)
    return "\n".join([*parts, "if False:\n    yield"])
