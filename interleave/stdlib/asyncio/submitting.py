"""`run_coroutine_threadsafe`: a coroutine for a loop, from another thread.

After Lib/asyncio/tasks.py and Lib/asyncio/futures.py of CPython 3.12. The loop is given a call that
makes the task. Here the task is there before, for a coroutine cannot be kept in shared state; but
until that call nobody can see it.
"""

from __future__ import annotations

from typing import Any

from interleave.memory.bag import Bag
from interleave.memory.coroutine import Coroutine, taken
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.stdlib import contextvars
from interleave.stdlib.asyncio.futures import CANCELLED, EXCEPTION
from interleave.stdlib.asyncio.handles import in_words
from interleave.stdlib.asyncio.tasks import SUBMITTED, Task, new_task
from interleave.stdlib.futures.future import Future, FutureState


def run_coroutine_threadsafe(coro: Any, loop: Any) -> Any:
    """`asyncio.run_coroutine_threadsafe`: a future of `concurrent.futures`."""
    coro = taken(coro)
    if not isinstance(coro, Coroutine):
        raise TypeError("A coroutine object is required")
    port = current_port()
    within = contextvars.given_or_copied(None)
    future: Future = port.make(Kind(Future), FutureState())

    def effect() -> None:
        loop.hear(threadsafe=True)
        task = new_task(coro, loop, within, phase=SUBMITTED)
        loop.schedule((task_is_made, (task, future)), threadsafe=True)
        future.submitted_to(Bag((task.runs,)))

    coro.started_by(lambda: loop.operate("run_coroutine_threadsafe", effect))
    return future


@in_words("make")
def task_is_made(task: Task, future: Future) -> None:
    """What the loop calls to make the task."""

    def effect() -> None:
        task.begin()
        task.call_when_done((end_of_task, (task, future)))

    task.operate("create_task", effect)
    future.add_done_callback(task.end_with)


@in_words("end of")
def end_of_task(task: Task, future: Future) -> None:
    """What the loop calls when the task is done."""

    def effect() -> tuple[str, Any]:
        how, _ = task.state.outcome
        if how == CANCELLED:
            return how, None
        kept = task.error()
        return how, task.take_result() if kept is None else kept.make()

    how, value = task.operate("", effect)
    if how == CANCELLED:
        future.cancel()
    if not future.begins():
        return
    if how == EXCEPTION:
        future.set_exception(value)
    else:
        future.set_result(value)
