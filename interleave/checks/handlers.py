"""What handlers of signals have to do with threads that cannot move."""

from __future__ import annotations

from interleave.machine import Blocked, Machine, State


def note_of_handler(machine: Machine, state: State, wait: Blocked) -> str:
    """Why nobody can use what a thread was using where a handler came in; "" where others can."""
    signals, location = machine.program.signals, wait.access.location
    if signals is None or location is None:
        return ""
    known = machine.program.heap.values[state[signals.location.index]]
    if location.number in known.left_locked:
        return "an exception of a handler has come where it was used, and left a lock in it held"
    levels = known.threads(signals.main)
    for user, interrupted in zip(levels, known.running, strict=False):
        if interrupted.inside == location.number:
            name = machine.program.threads[user].name
            return f"{name} was using it when the signal came, and holds a lock inside of it"
    return ""
