"""The tasks of a program and their event loop, which every model with tasks has one of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId, ThreadName
from interleave.model import ORDERS

if TYPE_CHECKING:
    from interleave.program.program import Program, ThreadInstance


def has_tasks(threads: list[ThreadInstance]) -> bool:
    """Whether some of the threads are tasks."""
    return any(each.kind == "task" for each in threads)


def add_loop(program: Program) -> Any:
    """Add the event loop, the objects of all tasks that were declared, and, if something asks for
    it, the thread that stands for the loop. Raises `ModelError`.
    """
    from interleave.program.program import ThreadInstance
    from interleave.stdlib.asyncio import loop as event_loop
    from interleave.stdlib.asyncio.tasks import TaskState

    declared = []
    for place, thread in enumerate(program.threads):
        if thread.kind == "task":
            made = add_task(program, thread.name, thread.number, TaskState())
            made.is_declared = True
            program.threads[place] = replace(thread, task=made)
            declared.append(made)
    fifo = _order(program) == "fifo"
    cancels = _to_cancel(program)
    state = event_loop.LoopState(
        ready=tuple(declared) if fifo else Bag(),
        cancels=Bag(each.task for each in program.threads if each.name in cancels),
    )
    loop = program.heap.add(event_loop.NAME, event_loop.EventLoop, state)
    loop.fifo = fifo
    loop.location.known = program.written
    if cancels or loop.keeps(event_loop.CALLBACKS):
        function: Any = event_loop.event_loop
        number = ThreadId(len(program.threads))
        program.threads.append(
            ThreadInstance(
                number, event_loop.NAME, event_loop.NAME, 0, function, (), True, kind="loop"
            )
        )
    return loop


def add_task(program: Program, name: str, number: ThreadId, state: object = None) -> Any:
    """Add the object of a task, which is run by a thread of some number."""
    from interleave.stdlib.asyncio.tasks import Task

    made = program.heap.add(name, Task, state)
    made.runs, made.default_name = number, ThreadName(name)
    made.location.known = program.written
    return made


def _setting(program: Program, name: str, default: object) -> Any:
    return program.parameters.get(name, getattr(program.model, name, default))


def _order(program: Program) -> str:
    found = _setting(program, "ORDER", ORDERS[0])
    if found not in ORDERS:
        raise ModelError(
            f"ORDER is {found!r}",
            remedy=f"it says which task the event loop runs next: {' or '.join(map(repr, ORDERS))}",
            place=program._place_of_attribute("ORDER"),
        )
    return str(found)


def _to_cancel(program: Program) -> frozenset[str]:
    """The names of the tasks that something outside may cancel."""
    given = _setting(program, "CANCEL", ())
    names = (given,) if isinstance(given, str) else tuple(given)
    known: dict[str, list[str]] = {}
    for each in program.threads:
        if each.kind == "task":
            known.setdefault(each.method, []).append(each.name)
            known.setdefault(each.name, []).append(each.name)
    for name in names:
        if name not in known:
            raise ModelError(
                f"there is no task {name!r} to cancel",
                remedy=f"the tasks are {', '.join(known)}",
                place=program._place_of_attribute("CANCEL"),
            )
    return frozenset(full for name in names for full in dict.fromkeys(known[name]))
