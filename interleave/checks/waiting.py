"""What threads that cannot move wait for, and who holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from interleave.checks.handlers import note_of_handler
from interleave.checks.loops import (
    BUSY,
    is_kept_off,
    loop_not_run,
    note_of_loop,
    those_that_block,
)
from interleave.engine.passes.shortest import Path
from interleave.engine.steps import Steps
from interleave.machine import FAILED, FINISHED, Blocked, Machine, State, Step
from interleave.memory.port import FORK, Location
from interleave.memory.primitive import Primitive
from interleave.program.processes import PrivateLocation
from interleave.result import Access, Wait

FARTHEST = 1_000
"""Steps by which it is looked what becomes of a thread."""


def waits_in(
    machine: Machine,
    state: State,
    blocked: Sequence[Blocked],
    path: Path,
    steps: Steps | None = None,
) -> tuple[tuple[Wait, ...], int]:
    """Who waits for what in a state, of those threads that are `blocked` there.

    `path` leads to the state. The second is how many of them, the first ones, wait for each other
    in a circle, each for the next; 0 where there is none. The others are in order of declaration.
    With the `steps` that threads can take, it is told of others that keep something from them, why.
    """
    holders = {wait.thread: _holders(machine, state, wait, path) for wait in blocked}
    cycle = _cycle(holders)
    order = {thread: place for place, thread in enumerate(cycle)}
    told = {*holders}
    waits = []
    for each in sorted(blocked, key=lambda each: order.get(each.thread, len(order) + each.thread)):
        wait = _wait(machine, state, each, path)
        if steps is not None and not wait.note:
            wait = replace(wait, note=_of_holders(machine, state, each, path, steps, told))
        waits.append(wait)
    return tuple(waits), len(cycle)


def _wait(machine: Machine, state: State, blocked: Blocked, path: Path) -> Wait:
    names = [thread.name for thread in machine.program.threads]
    holders = _holders(machine, state, blocked, path)
    is_kept, not_run = is_kept_off(machine, state, blocked), loop_not_run(machine, state, blocked)
    return Wait(
        names[blocked.thread],
        BUSY if is_kept else not_run or _access(machine, state, blocked),
        blocked.place[0].source(blocked.place[1]),
        tuple(names[thread] for thread in holders),
        holders_ended=_have_ended(machine, state, holders),
        is_run=not (is_kept or not_run) and _is_run(machine, state, blocked),
        note=note_of_loop(machine, state, blocked)
        or note_of_handler(machine, state, blocked)
        or _note_of_fork(machine, state, blocked, path),
    )


def _access(machine: Machine, state: State, blocked: Blocked) -> Access:
    return Access(blocked.access.name, machine.names_in(state).where(blocked.access))


def _is_run(machine: Machine, state: State, blocked: Blocked) -> bool:
    """Whether what is waited for is run by those that hold it."""
    location = blocked.access.location
    if location is None:
        return False
    kind = type(machine.program.heap.owner(location))
    if location.is_room:
        held = machine.program.heap.values[state[location.index]]
        kind = kind if held is None else held.kind.stand_in
    return issubclass(kind, Primitive) and kind.is_run


def _of_holders(
    machine: Machine,
    state: State,
    blocked: Blocked,
    path: Path,
    steps: Steps,
    told: set[int],
) -> str:
    """Why the threads that keep something from one that is `blocked` do not give it back, but for
    those that have ended or of whom it is `told`.
    """
    parts = []
    for holder in _holders(machine, state, blocked, path):
        if holder in told or _have_ended(machine, state, (holder,)):
            continue
        told.add(holder)
        moves = steps.step(state, holder)
        if moves.blocked is None:
            fate = _fate(machine, state, holder, steps)
            ending = "" if _is_run(machine, state, blocked) else " without giving it back"
            parts.append(f"{machine.program.threads[holder].name} {fate}{ending}")
        else:
            wait = _wait(machine, state, moves.blocked, path)
            note = _of_holders(machine, state, moves.blocked, path, steps, told)
            parts.append(in_words((replace(wait, note=wait.note or note),), 0))
    return ", and ".join(parts)


def _fate(machine: Machine, state: State, thread: int, steps: Steps) -> str:
    """What becomes of a thread that goes on alone."""
    seen: set[State] = set()
    while state not in seen and len(seen) < FARTHEST:
        seen.add(state)
        moves = steps.step(state, thread)
        if moves.blocked is not None:
            access = _access(machine, state, moves.blocked)
            return f"goes on to wait for {access.location or access.kind}"
        if not moves.steps:
            return "ends"
        state = machine.after(state, moves.steps[0])
    return "goes on for ever"


def in_words(waits: tuple[Wait, ...], length: int) -> str:
    """One sentence. `length` is that of the cycle, which comes first; 0 where there is none."""
    parts = []
    for wait in waits:
        part = f"{wait.thread} waits for {wait.access.location or wait.access.kind}"
        if wait.holders == (wait.thread,):
            part += (
                ", which it would have to run itself" if wait.is_run else ", which it holds itself"
            )
        elif wait.names_holders:
            part += f", {'run' if wait.is_run else 'held'} by {listed(wait.holders)}"
            part += ", which has ended" if wait.holders_ended else ""
        part += f": {wait.note}" if wait.note else ""
        parts.append(part)
    if length > 2:
        names = listed(wait.thread for wait in waits[:length])
        parts[:length] = [f"{names} wait for each other in a circle"]
    return "; ".join(parts)


def _holders(machine: Machine, state: State, wait: Blocked, path: Path) -> tuple[int, ...]:
    location = wait.access.location
    heap = machine.program.heap
    if is_kept_off(machine, state, wait):
        return those_that_block(machine, state, wait)
    if location is None or loop_not_run(machine, state, wait) is not None:
        return ()
    owner = heap.owner(location)
    if type(owner)._between_processes and not isinstance(owner, Primitive):
        # Shared memory of multiprocessing: what is waited for is its lock.
        owner = owner.lock
        location = owner.location if owner is not None else location
    if not isinstance(owner, Primitive):
        return ()
    index = location.index
    history = [
        (step.thread, heap.values[before[index]], heap.values[value])
        for before, step in path.steps
        for place, value in step.writes
        if place == index and not _forks(machine, step, location)
    ]
    return owner.holders(heap.values[state[index]], history)


def _note_of_fork(machine: Machine, state: State, wait: Blocked, path: Path) -> str:
    """What is to be said of what was taken over from the parent, and not touched since."""
    location = wait.access.location
    if not isinstance(location, PrivateLocation):
        return ""
    written = [step for _, step in path.steps if location.index in dict(step.writes)]
    if not written or not _forks(machine, written[-1], location):
        return ""
    heap = machine.program.heap
    was = type(heap.owner(location)).describe(heap.values[state[location.index]])
    return (
        f"it was {was} when {location.process} was forked, and who held it then is no thread of "
        "this process"
    )


def _forks(machine: Machine, step: Step, location: Location) -> bool:
    """Whether what a step writes there is what a process begins with."""
    if isinstance(location, PrivateLocation):
        if machine.program.threads[step.thread].process != location.process:
            return True  # the thread that starts it
    return any(access.kind.name == FORK for access in step.accesses)


def _have_ended(machine: Machine, state: State, threads: tuple[int, ...]) -> bool:
    ended = [machine.local(state, thread) in (FINISHED, FAILED) for thread in threads]
    return bool(ended) and all(ended)


def listed(names: Iterable[str]) -> str:
    """Names in a sentence: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _cycle(holders: dict[int, tuple[int, ...]]) -> list[int]:
    """Threads that wait for each other in a circle, each for the next; [] where there is none."""
    done: set[int] = set()

    def follow(thread: int, way: list[int]) -> list[int]:
        if thread in way:
            return way[way.index(thread) :]
        if thread in done:
            return []
        done.add(thread)
        for holder in holders.get(thread, ()):
            if found := follow(holder, [*way, thread]):
                return found
        return []

    for thread in sorted(holders):
        if found := follow(thread, []):
            first = found.index(min(found))
            return found[first:] + found[:first]
    return []
