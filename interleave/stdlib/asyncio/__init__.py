"""The `asyncio` module, after docs.python.org/3.12/library/asyncio.html and Lib/asyncio there."""

from __future__ import annotations

from typing import Any

from interleave.memory.coroutine import is_coroutine
from interleave.memory.primitive import Primitive, stepwise
from interleave.stdlib.asyncio import (
    conditions,
    futures,
    gathering,
    groups,
    locks,
    loop,
    queues,
    runners,
    submitting,
    tasks,
    threads,
    timeouts,
)
from interleave.stdlib.registry import made_by_threads

stepwise(loop.event_loop)
stepwise(threads.executor)

PRIMITIVES: dict[type, type[Primitive]] = {
    **locks.PRIMITIVES,
    **conditions.PRIMITIVES,
    **queues.PRIMITIVES,
}

FUNCTIONS: dict[str, Any] = {
    **{
        kind.__name__: made_by_threads(kind, modelled)
        for kind, modelled in PRIMITIVES.items()
        if kind not in conditions.PRIMITIVES
    },
    "Barrier": conditions.make_barrier,
    "Condition": conditions.make_condition,
    "Future": futures.make_future,
    "Runner": runners.make_runner,
    "TaskGroup": groups.make_group,
    "all_tasks": tasks.all_tasks,
    "as_completed": gathering.as_completed,
    "create_task": tasks.create_task,
    "current_task": tasks.current_task,
    "ensure_future": tasks.ensure_future,
    "gather": gathering.gather,
    "get_event_loop": futures.usual_loop,
    "_get_running_loop": loop.get_running_loop,
    "get_running_loop": loop.get_running_loop,
    "new_event_loop": loop.new_event_loop,
    "run": loop.run,
    "run_coroutine_threadsafe": submitting.run_coroutine_threadsafe,
    "set_event_loop": loop.set_event_loop,
    "iscoroutine": is_coroutine,
    "isfuture": lambda value: isinstance(value, futures.Future),
    "shield": gathering.shield,
    "sleep": tasks.sleep,
    "timeout": timeouts.make_timeout,
    "timeout_at": timeouts.make_timeout_at,
    "to_thread": threads.to_thread,
    "wait": gathering.wait,
    "wait_for": timeouts.wait_for,
}
