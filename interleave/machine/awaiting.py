"""What a task runs that awaits an object with an `__await__` in Python, or a generator.

The iterator that `__await__` gives is gone through as `yield from` does. What that yields, no frame
has resumed but the task: see `Task.__step` of Lib/asyncio/tasks.py.
"""

from __future__ import annotations

import inspect
import itertools
import types
from typing import Any

from interleave.compiler.generators import (
    GENERATOR,
    Generator,
    can_take,
    is_generator,
    send_to,
    throw_into,
)
from interleave.machine.frames import Frame
from interleave.memory.coroutine import Coroutine, is_awaiting, stepwise_coroutine, taken
from interleave.world.twins import method_of


def begun(value: Any) -> Coroutine | None:
    """The coroutine that begins where a task awaits something; None where that runs no code of the
    model's.
    """
    value = taken(value)
    if type(value) is Generator:
        flags = value.code.function.__code__.co_flags
        value = run(value) if flags & inspect.CO_ITERABLE_COROUTINE else value
    elif (method := method_of(value, "__await__")) is not None:
        value = run_method(types.MethodType(method, value))
    if type(value) is not Coroutine:
        return None
    value.start()
    return value


def runs_by_await(frames: list[Frame]) -> bool:
    """Whether all generators that run in some frames were resumed because a task awaits them."""
    return all(
        not is_generator(frame.names.get(GENERATOR)) or caller.code.function in _PASSING_ON
        for caller, frame in itertools.pairwise(frames)
    )


def checked(iterator: Any) -> Any:
    """What `__await__` gave. Raises the `TypeError` that Python raises."""
    if isinstance(iterator, Coroutine):
        raise TypeError("__await__() returned a coroutine")
    if not hasattr(type(iterator), "__next__"):
        kind = type(iterator).__name__
        raise TypeError(f"__await__() returned non-iterator of type {kind!r}")
    return iterator


def let_others_run() -> Any:
    """What a task awaits that has yielded something."""
    from interleave.stdlib.asyncio.tasks import sleep  # few models need it

    return sleep(0)


@stepwise_coroutine
async def run_method(method: Any) -> Any:
    """What `await` does with an object that has this `__await__`."""
    iterator = checked(method())
    if is_awaiting(iterator):
        return await iterator.of
    return await run(iterator)


@stepwise_coroutine
async def run(iterator: Any) -> Any:
    """What `await` does with a generator, or what `__await__` gave."""
    error = None
    while True:
        try:
            item = send_to(iterator, None) if error is None else throw_into(iterator, error)
        except StopIteration as stop:
            return stop.value
        error = None
        try:
            await let_others_run()
            if item is not None:
                raise RuntimeError(f"Task got bad yield: {item!r}")
        except BaseException as raised:
            error = can_take(iterator, raised)


_PASSING_ON = (run.__wrapped__, send_to, throw_into)
"""What goes on with a generator because it is awaited."""
