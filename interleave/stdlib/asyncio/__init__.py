"""The `asyncio` module, after docs.python.org/3.12/library/asyncio.html and Lib/asyncio there."""

from __future__ import annotations

import asyncio
from typing import Any

from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio import futures, loop, tasks

PRIMITIVES: dict[type, type[Primitive]] = {}

FUNCTIONS: dict[str, Any] = {
    "Future": futures.make_future,
    "create_task": tasks.create_task,
    "current_task": tasks.current_task,
    "ensure_future": tasks.ensure_future,
    "get_event_loop": loop.get_event_loop,
    "get_running_loop": loop.get_running_loop,
    "isfuture": lambda value: isinstance(value, futures.Future),
    "sleep": tasks.sleep,
}
