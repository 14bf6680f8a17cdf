"""The event loops of a program, and the objects of their tasks.

Every model with declared tasks has a loop that runs these; others are made by threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from interleave.errors import ModelError
from interleave.memory.identity import ThreadId, ThreadName
from interleave.model import Model
from interleave.program.heap import Heap
from interleave.program.setup import place_of_attribute
from interleave.program.threads import ThreadInstance
from interleave.runtimes.asyncio import LOOP


def add_declared_loop(
    heap: Heap,
    threads: list[ThreadInstance],
    written: frozenset[str],
    *,
    fifo: bool,
    debug: bool,
    cancels: frozenset[str],
) -> Any:
    """Add the event loop that runs the declared tasks to `heap`, and the objects of these.

    What it is made with: see `add_loop`. `cancels` names the tasks that something outside may
    cancel.
    """
    from interleave.stdlib.asyncio.loop import NAME
    from interleave.stdlib.asyncio.running import LoopState
    from interleave.stdlib.asyncio.tasks import TaskState

    declared = []
    for place, thread in enumerate(threads):
        if thread.kind.in_loop:
            made = add_task(heap, thread.name, thread.number, written, TaskState())
            made.is_declared = True
            threads[place] = replace(thread, task=made)
            declared.append(made)
    to_cancel = [each.task for each in threads if each.name in cancels]
    loop = add_loop(
        heap,
        threads,
        written,
        name=NAME,
        state=LoopState(),
        tasks=declared,
        cancels=to_cancel,
        fifo=fifo,
        debug=debug,
    )
    loop.is_declared = True
    return loop


def add_loop(
    heap: Heap,
    threads: list[ThreadInstance],
    written: frozenset[str],
    *,
    name: str,
    fifo: bool,
    debug: bool,
    state: object = None,
    tasks: Sequence[Any] = (),
    cancels: Sequence[Any] = (),
) -> Any:
    """Add an event loop to `heap`, and to `threads`, if something asks for it, those that stand for
    the loop.

    `tasks` are ready, and something outside may cancel `cancels`. `fifo`: it runs the task that was
    ready first. `debug`: it is in debug mode.
    """
    from interleave.stdlib.asyncio import loop as event_loop
    from interleave.stdlib.asyncio.ready import Place

    loop = heap.add(name, event_loop.EventLoop, state)
    loop.location.known = written
    loop.default_name = ThreadName(name)
    loop.furnish(lambda value: heap.add("", Place, value), tasks, cancels, fifo=fifo, debug=debug)
    if cancels or loop.keeps(event_loop.CALLBACKS):
        function: Any = event_loop.event_loop
        for part in (0, 1):  # callbacks; what comes from outside
            number = ThreadId(len(threads))
            threads.append(
                ThreadInstance(number, name, name, 0, function, (part,), True, kind=LOOP, loop=loop)
            )
    return loop


def add_task(
    heap: Heap, name: str, number: ThreadId, written: frozenset[str], state: object = None
) -> Any:
    """Add the object of a task, which is run by a thread of some number."""
    from interleave.stdlib.asyncio.tasks import Task

    made = heap.add(name, Task, state)
    made.runs, made.default_name = number, ThreadName(name)
    made.location.known = written
    return made


def tasks_to_cancel(
    model: type[Model], given: str | tuple[str, ...], threads: list[ThreadInstance]
) -> frozenset[str]:
    """The full names of the tasks that something outside may cancel, of those that are `given`.

    Raises `ModelError`.
    """
    names = (given,) if isinstance(given, str) else tuple(given)
    known: dict[str, list[str]] = {}
    for each in threads:
        if each.kind.in_loop:
            known.setdefault(each.method, []).append(each.name)
            known.setdefault(each.name, []).append(each.name)
    for name in names:
        if name not in known:
            raise ModelError(
                f"there is no task {name!r} to cancel",
                remedy=f"the tasks are {', '.join(known)}",
                place=place_of_attribute(model, "CANCEL"),
            )
    return frozenset(full for name in names for full in dict.fromkeys(known[name]))
