"""Random programs that handle context variables: of one thread, and of tasks of an event loop."""

from __future__ import annotations

import contextvars
import threading
from random import Random
from typing import Any

HEADER = """
import asyncio
import contextvars
from contextvars import ContextVar, copy_context
from interleave import *

a = ContextVar("a", default=0)
b = ContextVar("b")
OUTER = copy_context()


def shown(value):
    return "-" if value is contextvars.Token.MISSING else str(value)


class M(Model):
    log = ""
    c = ContextVar("c", default=7)
    kept = None

    def setup(self):
        b.set("setup")

    def note(self, *values):
        self.log += " ".join(map(shown, values)) + ";"

    def within(self, k):
        self.note(a.get(), b.get("none"), self.c.get())
        a.set(a.get() * 2 + k)
        b.set(k)
        return a.get()
"""

STATEMENTS = [
    "a.set({k})",
    "b.set({k})",
    "self.c.set({k})",
    "token = a.set({k})",
    "token = b.set({k})",
    "other = a.set(a.get() + {k})",
    "token, other = other, token",
    "self.kept = a.set({k})",
    "self.note(a.get(), b.get('none'), self.c.get())",
    "self.note(b.get())",
    "self.note(token.var.name, token.old_value)",
    "token.var.reset(token)",
    "a.reset(token)",
    "a.reset(other)",
    "a.reset(self.kept)",
    "context = copy_context()",
    "context = contextvars.Context()",
    "context = context.copy()",
    "self.note(context.run(self.within, {k}))",
    "self.note(context.run(lambda: context.run(a.get)))",
    "token = context.run(a.set, {k})",
    "context.run(a.reset, token)",
    "self.note(context.get(a), context.get(b, 'none'), len(context), a in context)",
    "self.note(context[b])",
    "self.note(sorted(each.name for each in context))",
    "self.note(sorted(str(value) for _, value in context.items()))",
    "self.note(OUTER.run(self.within, {k}))",
]
"""What one thread does."""

WAITING = [
    "await asyncio.sleep(0)",
    "self.note(a.get(), b.get('none'), self.c.get())",
    "a.set({k})",
    "token = a.set(a.get() + {k})",
    "a.reset(token)",
    "await self.child({k})",
    "await asyncio.gather(self.child({k}), self.child(4))",
    "await asyncio.create_task(self.child({k}))",
    "await asyncio.create_task(self.child({k}), context=context)",
    "asyncio.get_running_loop().call_soon(self.within, {k})",
    "asyncio.get_running_loop().call_soon(self.within, {k}, context=context)",
    "asyncio.get_running_loop().call_later({k}, self.within, {k})",
    "asyncio.create_task(self.child({k})).add_done_callback(self.is_done)",
    "context.run(self.within, {k})",
    "context = copy_context()",
    "async with asyncio.TaskGroup() as group:\n    group.create_task(self.child({k}))",
]
"""What a task does, that others may see."""

TASKS = """
    async def child(self, k):
        self.note(k, a.get())
        a.set(k)
        await asyncio.sleep(0)
        self.note(a.get())

    def is_done(self, task):
        self.note("done", a.get())
        self.token = a.set(9)

"""


def of_one_thread(seed: int, size: int = 7) -> str:
    """A model whose one thread does `size` things, and notes what they give or raise."""
    random = Random(seed)
    text = [HEADER, "    @thread\n    def run(self):\n"]
    text.append("        token = other = a.set(5)\n        context = copy_context()\n")
    for _ in range(size):
        statement = random.choice(STATEMENTS).format(k=random.randrange(1, 4))
        text.append(f"        try:\n            {statement}\n")
        text.append("        except Exception as error:\n")
        text.append("            self.note(type(error).__name__)\n")
    return "".join(text)


def of_tasks(seed: int) -> str:
    """A model of one or two tasks."""
    random = Random(seed)
    text = [HEADER, TASKS]
    for name in ("left", "right")[: random.choice((1, 2))]:
        text.append(f"    @task\n    async def {name}(self):\n")
        text.append("        token = a.set(1)\n        context = copy_context()\n")
        for _ in range(random.choice((1, 2, 3))):
            statement = random.choice(WAITING).format(k=random.randrange(1, 4))
            text += [f"        {line}\n" for line in statement.splitlines()]
    return "".join(text)


def noted_by_a_thread(model: Any) -> str:
    """What the method `run` of a model notes, in a thread of Python's."""
    instance = model()
    contextvars.copy_context().run(instance.setup)
    thread = threading.Thread(target=instance.run)
    thread.start()
    thread.join()
    found: str = instance.log
    return found
