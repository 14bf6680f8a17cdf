"""What event loops have to do with threads and tasks that cannot move."""

from __future__ import annotations

from typing import Any

from interleave.machine import Blocked, Machine, State
from interleave.result import Access

BUSY = Access("run", "event loop")
"""What a task waits for that cannot run because the loop does not come back from another one."""


NOT_WOKEN = (
    "it could go on, but the event loop sleeps, and the thread did not wake it "
    "(loop.call_soon_threadsafe does)"
)

NOT_RUN = "no thread runs that"


def is_kept_off(machine: Machine, state: State, wait: Blocked) -> bool:
    """Whether it is of no account what a task waits for: other code of its loop waits for a thread,
    and the loop with it.
    """
    if machine.program.threads[wait.thread].task is None:
        return False
    return those_that_block(machine, state, wait) not in ((), (wait.thread,))


def loop_not_run(machine: Machine, state: State, wait: Blocked) -> Access | None:
    """The event loop that a task waits for because no thread runs it, if that is so."""
    instance = machine.program.threads[wait.thread]
    if instance.task is None:
        return None
    loop = _at(machine, state, instance.task).loop
    if loop is None or _at(machine, state, loop).runner is not None:
        return None
    return Access("run", loop.default_name)


def those_that_block(machine: Machine, state: State, wait: Blocked) -> tuple[int, ...]:
    """The thread whose code the loop of a task runs, as a tuple of one; () where there is none."""
    loop = _state_of_loop(machine, state, wait.thread)
    return () if loop is None or loop.running is None else (loop.running,)


def note_of_loop(machine: Machine, state: State, wait: Blocked) -> str:
    """Why a thread does not go on, as far as that has to do with a loop; "" where it has not."""
    if wait.thread in those_that_block(machine, state, wait):
        return "it blocks the whole event loop"
    if any(_is_to_stop(machine, state, each, wait.thread) for each in machine.program.loops):
        return NOT_WOKEN
    task = machine.program.threads[wait.thread].task
    if task is None:
        return ""
    found = _at(machine, state, task)
    if is_kept_off(machine, state, wait):
        return "it never got to run" if found.phase == "new" else ""
    if loop_not_run(machine, state, wait) is not None:
        return NOT_RUN
    if found.is_forgotten:
        return "it could go on, but an exception has kept that from the event loop"
    loop = _state_of_loop(machine, state, wait.thread)
    return NOT_WOKEN if loop.sleeps and _goes_on(machine, state, task) else ""


def _is_to_stop(machine: Machine, state: State, loop: Any, thread: int) -> bool:
    """Whether a loop sleeps that is to stop, and that some thread runs."""
    found = _at(machine, state, loop)
    return found is not None and found.runner == thread and found.sleeps and found.is_stopping


def _goes_on(machine: Machine, state: State, task: Any) -> bool:
    """Whether what a task waits for is done."""
    found = _at(machine, state, task)
    if found.phase != "waiting":
        return True
    if found.awaits is None:
        return bool(found.own != "pending")
    return _at(machine, state, found.awaits).outcome is not None


def _state_of_loop(machine: Machine, state: State, thread: int) -> Any:
    """The state of the loop that runs a thread's code; None where none does."""
    instance = machine.program.threads[thread]
    loop = instance.loop
    if instance.task is not None:
        loop = _at(machine, state, instance.task).loop or machine.program.loop
    return None if loop is None else _at(machine, state, loop)


def _at(machine: Machine, state: State, primitive: Any) -> Any:
    """The state of a primitive in a state of the program."""
    location = primitive.location
    value = machine.program.heap.values[state[location.index]]
    return value.contents if location.is_room else value
