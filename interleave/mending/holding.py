"""Which locks the code of a model takes, and where: as its state graph has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from interleave.checks import Check
from interleave.compiler import Code
from interleave.engine.search import Searched
from interleave.errors import Place
from interleave.go.mutexes import Mutex, RWMutex
from interleave.machine import Machine, State
from interleave.machine.step import AccessRecord
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.locks import Lock as AsyncLock
from interleave.stdlib.multiprocessing.locks import Lock as LockOfProcesses
from interleave.stdlib.threading.locks import Lock, RLock

LOCKS: tuple[type[Primitive], ...] = (Lock, RLock, AsyncLock, LockOfProcesses, Mutex, RWMutex)

TAKING = frozenset({"acquire", "Lock", "RLock"})
GIVING = frozenset({"release", "Unlock", "RUnlock"})
"""The operations that wait for a lock, and those that give one back. Others look at it."""


class Use(NamedTuple):
    """An operation of a lock: the lock by name, what is done, and the place in the source."""

    lock: str
    operation: str
    file: str
    line: int
    place: Place


class Held(NamedTuple):
    """What a state graph says of locks.

    `uses` are all operations, each once, in order of the states. `belongs` names what a lock
    belongs to, such as a condition, by its own name; `held_first` are the locks that somebody holds
    before any thread has begun.
    """

    uses: tuple[Use, ...]
    belongs: dict[str, str]
    held_first: frozenset[str]


def locks_in(found: Searched[Check]) -> Held:
    """The locks of a model that was searched. Raises `Stopped`."""
    machine, graph = found.machine, found.graph
    uses: dict[Use, None] = {}
    belongs: dict[str, str] = {}
    called: dict[Location, str] = {}  # what threads make has names that change with who has it
    seen: set[int] = set()
    kept: list[AccessRecord] = []
    for number in range(len(graph)):
        graph.guard.poll()
        for state, step, after, _ in graph.edges(number):
            for access in step.accesses:
                location = access.kind.location
                if location is None or id(access) in seen:
                    continue
                if not location.is_room:  # what a room holds differs from state to state
                    seen.add(id(access))
                    kept.append(access)
                names = machine.names_in(after if _is_empty(machine, state, location) else state)
                if is_lock(machine, state, location) or is_lock(machine, after, location):
                    name = called.setdefault(location, names.of_location(location))
                    uses[_use(access, name)] = None
                for touch in access.writes:
                    other = touch.location
                    if other is not location and is_lock(machine, state, other):
                        name = called.setdefault(other, names.of_location(other))
                        belongs[name] = names.of_location(location)
    for owner in machine.program.heap.stand_ins:
        lock = _lock_of(machine, owner)
        if lock is not None:
            belongs.setdefault(lock.name, owner.location.name)
    return Held(tuple(uses), belongs, frozenset(_held_first(machine)))


def _use(access: AccessRecord, lock: str) -> Use:
    code, block = access.place
    operation = access.kind.name.rpartition(".")[2]
    return Use(lock, operation, code.file, _line(code, block), code.place(block))


def _line(code: Code, block: int) -> int:
    return code.source(block).line


def _is_empty(machine: Machine, state: State, location: Location) -> bool:
    return location.is_room and machine.program.heap.values[state[location.index]] is None


def is_lock(machine: Machine, state: State, location: Location) -> bool:
    """Whether a lock is at a location in a state: there from the beginning, or made by a thread."""
    heap = machine.program.heap
    if not location.is_room:
        return isinstance(heap.owner(location), LOCKS)
    held = heap.values[state[location.index]]
    return held is not None and issubclass(held.kind.stand_in, LOCKS)


def _lock_of(machine: Machine, owner: Any) -> Location | None:
    """Where the lock of a condition is, if something is one."""
    if not isinstance(owner, Primitive) or owner.location.is_room:
        return None
    lock = vars(owner).get("_lock")
    if lock is None:
        initial = machine.program.heap.values[owner.location.initial]
        lock = getattr(initial, "lock", None) if isinstance(initial, tuple) else None
    return lock.location if isinstance(lock, LOCKS) else None


def _held_first(machine: Machine) -> Iterator[str]:
    heap = machine.program.heap
    for owner in heap.stand_ins:
        if isinstance(owner, LOCKS) and not owner.location.is_room:
            value = heap.values[owner.location.initial]
            if type(owner).describe(value).startswith("locked"):
                yield owner.location.name
