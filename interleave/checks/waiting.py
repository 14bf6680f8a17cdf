"""What threads that cannot move wait for, and who holds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interleave.checks.loops import BUSY, is_kept_off, note_of_loop, those_that_block
from interleave.engine.passes.shortest import Path
from interleave.machine import FAILED, FINISHED, Blocked, Machine, State, Step
from interleave.memory.port import FORK
from interleave.memory.primitive import Primitive
from interleave.program.processes import PrivateLocation
from interleave.result import Access, Wait


def waits_in(
    machine: Machine, state: State, blocked: Sequence[Blocked], path: Path
) -> tuple[tuple[Wait, ...], int]:
    """Who waits for what in a state, of those threads that are `blocked` there.

    `path` leads to the state. The second is how many of them, the first ones, wait for each other
    in a circle, each for the next; 0 where there is none. The others are in order of declaration.
    """
    holders = {wait.thread: _holders(machine, state, wait, path) for wait in blocked}
    cycle = _cycle(holders)
    order = {thread: place for place, thread in enumerate(cycle)}
    names = [thread.name for thread in machine.program.threads]
    objects = machine.names_in(state)
    waits = tuple(
        Wait(
            names[wait.thread],
            BUSY
            if is_kept_off(machine, state, wait)
            else Access(wait.access.name, objects.where(wait.access)),
            wait.place[0].source(wait.place[1]),
            tuple(names[thread] for thread in holders[wait.thread]),
            holders_ended=_have_ended(machine, state, holders[wait.thread]),
            note=note_of_loop(machine, state, wait) or _note_of_fork(machine, state, wait, path),
        )
        for wait in sorted(
            blocked, key=lambda wait: order.get(wait.thread, len(order) + wait.thread)
        )
    )
    return waits, len(cycle)


def in_words(waits: tuple[Wait, ...], length: int) -> str:
    """One sentence. `length` is that of the cycle, which comes first; 0 where there is none."""
    parts = []
    for wait in waits:
        part = f"{wait.thread} waits for {wait.access.location or wait.access.kind}"
        if wait.holders == (wait.thread,):
            part += ", which it holds itself"
        elif wait.holders:
            part += f", held by {listed(wait.holders)}"
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
        return those_that_block(machine, state)
    if location is None:
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
        if place == index and not _forks(step)
    ]
    return owner.holders(heap.values[state[index]], history)


def _note_of_fork(machine: Machine, state: State, wait: Blocked, path: Path) -> str:
    """What is to be said of what was taken over from the parent, and not touched since."""
    location = wait.access.location
    if not isinstance(location, PrivateLocation):
        return ""
    written = [step for _, step in path.steps if location.index in dict(step.writes)]
    if not written or not _forks(written[-1]):
        return ""
    heap = machine.program.heap
    was = type(heap.owner(location)).describe(heap.values[state[location.index]])
    return (
        f"it was {was} when {location.process} was forked, and who held it then is no thread of "
        "this process"
    )


def _forks(step: Step) -> bool:
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
