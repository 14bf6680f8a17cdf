"""Programs of `contextlib.ExitStack` and `sys.exc_info`: random ones, whose events real Python and
interleave are to agree on.
"""

from __future__ import annotations

import textwrap
from random import Random

TEXT = """
import asyncio
import contextlib
import sys
import threading
from interleave import Model, task, thread


class Manager:
    def __init__(self, m, does):
        self.m = m
        self.does = does

    def __enter__(self):
        self.m.note(("enter", self.does, self.m.handled()))
        return self.does

    def __exit__(self, kind, error, traceback):
        self.m.note(("exit", kind is not None and kind.__name__, repr(error), self.m.handled()))
        if self.does == "raise":
            raise LookupError("exit")
        return self.does == "swallow"

    async def __aenter__(self):
        await asyncio.sleep(0)
        return self.__enter__()

    async def __aexit__(self, *details):
        await asyncio.sleep(0)
        return self.__exit__(*details)


@contextlib.contextmanager
def generated(m, does):
    m.note("begin")
    try:
        yield does
    except KeyError:
        m.note(m.handled())
        if does != "swallow":
            raise
    finally:
        m.note(("end", m.handled()))


@contextlib.asynccontextmanager
async def async_generated(m, does):
    with generated(m, does) as it:
        yield it


class Own(contextlib.ExitStack):
    def __exit__(self, *details):
        return super().__exit__(*details)


class M(Model):
    events = ()
    lock = threading.RLock()

    def note(self, what, *more, **others):
        self.events += ((what, *more, *others.items()),)

    async def anote(self, *what, **others):
        await asyncio.sleep(0)
        self.note(*what, **others)

    def handled(self):
        return repr(sys.exc_info()[1])

    def leaves(self, kind, error, traceback):
        self.note(("leaves", repr(error)))
        return isinstance(error, KeyError)

    def fails(self):
        raise ValueError(self.handled())

    {decorator}
    {is_async}def run(self):
        try:
{body}
        except Exception as error:
            self.note(("caught", repr(error), self.handled()))
        self.note(self.handled())
"""

DOES = ['"pass"', '"raise"', '"swallow"']
PUSHES = [
    "self.note(stack.enter_context(Manager(self, {does})))",
    "self.note(stack.enter_context(generated(self, {does})))",
    "stack.enter_context(self.lock)",
    "stack.callback(self.note, 1, k=2)",
    "stack.callback(self.fails)",
    "stack.push(self.leaves)",
    "stack.push(Manager(self, {does}))",
    "stack.enter_context(contextlib.suppress(ValueError))",
    "stack.enter_context(5)",
    "with stack.pop_all():\n    self.note(self.handled())",
    "left = stack.pop_all()\nleft.close()",
]
ASYNC_PUSHES = [
    *(each for each in PUSHES if "pop_all" not in each and "lock" not in each),
    "self.note(await stack.enter_async_context(Manager(self, {does})))",
    "self.note(await stack.enter_async_context(async_generated(self, {does})))",
    "stack.push_async_callback(self.anote, 3, k=4)",
    "stack.push_async_exit(Manager(self, {does}))",
    "async with stack.pop_all():\n    self.note(self.handled())",
    "await stack.aclose()",
]
OTHERS = [
    'raise KeyError("raised")',
    'raise ValueError("raised")',
    "self.note(self.handled())",
    "self.fails()",
    "try:\n    self.fails()\nexcept ValueError:\n    self.note(self.handled())",
    "try:\n    self.fails()\nfinally:\n    self.note(self.handled())",
    "try:\n    pass\nfinally:\n    self.note(self.handled())",
    "try:\n    self.fails()\nexcept ValueError as error:\n    self.note(sys.exc_info()[1] is error is sys.exception())\n"
    "    for each in (1, 2):\n        self.note(self.handled())\n    raise",
]
STACKS = ["with contextlib.ExitStack() as stack:", "with Own() as stack:"]


def program(seed: int, *, is_async: bool) -> str:
    """The program of a seed."""
    random = Random(seed)
    pushes = ASYNC_PUSHES if is_async else PUSHES
    stack = (
        "async with contextlib.AsyncExitStack() as stack:" if is_async else random.choice(STACKS)
    )
    parts = [
        random.choice(pushes).format(does=random.choice(DOES))
        for _ in range(random.choice((1, 2, 3)))
    ]
    parts += [random.choice(OTHERS) for _ in range(random.choice((0, 1, 2)))]
    if random.random() < 0.7:
        random.shuffle(parts)
    body = f"{stack}\n" + textwrap.indent("\n".join(parts), "    ")
    if random.random() < 0.4:
        body = "try:\n    self.fails()\nexcept ValueError:\n" + textwrap.indent(body, "    ")
    return TEXT.format(
        decorator="@task" if is_async else "@thread",
        is_async="async " if is_async else "",
        body=textwrap.indent(body, " " * 12),
    )
