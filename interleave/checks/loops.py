"""What the event loop has to do with tasks that cannot move."""

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


def is_kept_off(machine: Machine, state: State, wait: Blocked) -> bool:
    """Whether it is of no account what a task waits for: other code of the loop waits for a thread,
    and the loop with it.
    """
    if machine.program.threads[wait.thread].task is None:
        return False
    return _running(machine, state) not in (None, wait.thread)


def those_that_block(machine: Machine, state: State) -> tuple[int, ...]:
    """The thread whose code the loop runs, as a tuple of one; () where there is none."""
    running = _running(machine, state)
    return () if running is None else (running,)


def note_of_loop(machine: Machine, state: State, wait: Blocked) -> str:
    """Why a thread does not go on, as far as that has to do with the loop; "" where it has not."""
    if wait.thread in those_that_block(machine, state):
        return "it blocks the whole event loop"
    task = machine.program.threads[wait.thread].task
    if task is None:
        return ""
    found = _at(machine, state, task)
    if is_kept_off(machine, state, wait):
        return "it never got to run" if found.phase == "new" else ""
    if found.is_forgotten:
        return "it could go on, but an exception has kept that from the event loop"
    sleeps = _at(machine, state, machine.program.loop).sleeps
    return NOT_WOKEN if sleeps and _goes_on(machine, state, task) else ""


def _goes_on(machine: Machine, state: State, task: Any) -> bool:
    """Whether what a task waits for is done."""
    found = _at(machine, state, task)
    if found.phase != "waiting":
        return True
    if found.awaits is None:
        return bool(found.own != "pending")
    return _at(machine, state, found.awaits).outcome is not None


def _running(machine: Machine, state: State) -> int | None:
    loop = machine.program.loop
    running: int | None = None if loop is None else _at(machine, state, loop).running
    return running


def _at(machine: Machine, state: State, primitive: Any) -> Any:
    """The state of a primitive in a state of the program."""
    location = primitive.location
    value = machine.program.heap.values[state[location.index]]
    return value.contents if location.is_room else value
