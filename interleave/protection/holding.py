"""Which threads hold which locks, along a path.

The state of many a lock does not say who holds it, so that this is followed step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

from interleave.machine import Machine, State, Step
from interleave.memory.made import PrimitiveRoom
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive


class Holding(NamedTuple):
    """A lock that is held, by its place in the state, and the threads that hold it.

    `reads`: they share it with each other, to read.
    """

    lock: int
    threads: tuple[int, ...]
    reads: bool = False


Holdings = tuple[Holding, ...]
"""All locks that are held, in the order of their places."""

Locks = frozenset[tuple[int, bool]]
"""The locks that one thread holds, by their places; True for one that is held to read."""


class NoMutex(Exception):
    """A semaphore, by its place in the state, lets several threads in."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


class Locking:
    """Follows who holds the locks of a machine, but for those places of the state in `without`."""

    def __init__(self, machine: Machine, without: Set[int] = frozenset()) -> None:
        heap = machine.program.heap
        self._values = heap.values
        self._locks: dict[int, Location] = {
            location.index: location
            for location in heap.changing
            if location.index not in without and _may_be_lock(heap.owner(location), location)
        }
        self._owners = {index: heap.owner(each) for index, each in self._locks.items()}

    def begin(self, state: State) -> None:
        """Look at an initial state. Raises `NoMutex`."""
        for index in self._locks:
            self._lock(index, state[index])

    def concerns(self, step: Step) -> tuple[int, ...]:
        """The places of the locks that a step sets."""
        return tuple([index for index, _ in step.writes if index in self._locks])

    def follow(self, held: Holdings, state: State, step: Step) -> Iterator[tuple[Locks, Holdings]]:
        """For each access of a step, and once more for its end, the locks that its thread holds
        when it begins, and all that are held then.

        Raises `NoMutex`.
        """
        now = {index: state[index] for index in self.concerns(step)}
        for access in step.accesses:
            yield locks_of(held, step.thread), held
            for touch in access.writes:
                index = touch.location.index
                if index in now:
                    held = self._after(held, index, step.thread, now[index], touch.value)
                    now[index] = touch.value
        for index, value in step.writes:
            if index in now and value != now[index]:  # by the end of the thread
                held = self._after(held, index, step.thread, now[index], value)
        yield locks_of(held, step.thread), held

    def _after(self, held: Holdings, index: int, thread: int, before: int, after: int) -> Holdings:
        """What is held when a thread has set a lock from one value to another."""
        others = [each for each in held if each.lock != index]
        known = next((each.threads for each in held if each.lock == index), ())
        was, now = self._lock(index, before), self._lock(index, after)
        if now is None:
            return tuple(others)
        kind, state = now
        # What is made anew in a room is nobody's.
        threads = () if was is None else kind.holders_after(known, thread, was[1], state)
        if threads:
            others.append(Holding(index, threads, kind.is_held_to_read(state)))
        return tuple(sorted(others))

    def _lock(self, index: int, value: int) -> tuple[type[Primitive], object] | None:
        """The class and the state of the lock at a place; None where there is none."""
        owner, state = self._owners[index], self._values[value]
        kind = type(owner)
        if isinstance(owner, PrimitiveRoom):
            if state is None or not state.kind.stand_in.excludes:
                return None
            kind, state = state.kind.stand_in, state.contents
        if not kind.is_free_for_one(state):
            raise NoMutex(index)
        return kind, state


def _may_be_lock(owner: object, location: Location) -> bool:
    if isinstance(owner, PrimitiveRoom):
        return location.is_room
    return isinstance(owner, Primitive) and owner.excludes


def locks_of(held: Holdings, thread: int) -> Locks:
    """The locks that a thread holds."""
    return frozenset([(each.lock, each.reads) for each in held if thread in each.threads])


def common(one: Locks, other: Locks) -> frozenset[int]:
    """The locks that keep two accesses apart: held by both, and not by both to read."""
    reading = {index for index, reads in one if reads} & {index for index, reads in other if reads}
    return frozenset({index for index, _ in one} & {index for index, _ in other} - reading)
