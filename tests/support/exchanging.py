"""Exchanging two threads in states: what symmetry reduction does, written down plainly.

Threads, what they start, the objects that belong to each of them and the places where these lie are
exchanged; in values and local states, whatever has the type of an identity, and nothing else.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import Any

from interleave.engine.engines import Engine
from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Limits
from interleave.engine.search import search
from interleave.loading import checked_runtime, parameters_of
from interleave.machine import Machine, State
from interleave.memory.addresses import ObjectId
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId, ThreadIdent, ThreadName
from interleave.memory.made import Kind
from interleave.memory.port import Location
from interleave.memory.values import Freezer, OrderedFrozenSet, Shared, order_of
from interleave.model import Model
from interleave.program import RoomOwner, SpawnKey
from interleave.program.interning import FIRST_MADE, room_and_kind
from interleave.program.processes import PrivateLocation


def explored(model: type[Model], states: int = 2000) -> SearchGraph:
    """The states of a model: all of them, or so many."""
    found = search(
        model,
        parameters_of(model, {}),
        lambda *_: [],
        runtime=checked_runtime(None, model),
        engine=Engine("auto"),
        limits=Limits(states=states),
    )
    return found.graph


class Exchange:
    """Two threads of a machine that change places."""

    def __init__(self, machine: Machine, one: int, other: int) -> None:
        self._machine = machine
        self._program = machine.program
        self._heap = machine.program.heap
        threads = self._program.threads
        self._names = {
            threads[one].name: threads[other].name,
            threads[other].name: threads[one].name,
        }
        self._objects: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._started()
        of_name = {thread.name: thread.number for thread in threads}
        self._threads = {of_name[name]: of_name[new] for name, new in self._names.items()}
        for thread in threads:
            new = threads[self._threads.get(thread.number, thread.number)]
            if thread.task is not None:
                self._objects[thread.task._number] = new.task._number
            if thread.room is not None:
                self._objects[thread.room._number] = new.room._number
            if contexts := self._program.contexts:
                self._objects[contexts[thread.number].owner] = contexts[new.number].owner
        self._rooms = {room.number: room.number for room in self._heap.rooms}
        self._made()
        self._lay_out()

    def _started(self) -> None:
        """Those that one of the threads has started change places with those of the other."""
        rooms: dict[SpawnKey, list[Any]] = defaultdict(list)
        for key, room in self._program.spawned:
            rooms[key].append(room)
        for _ in rooms:  # those that were started may have started more
            for key, mine in rooms.items():
                maker = self._names.get(key.maker, key.maker)
                theirs = rooms.get(replace(key, maker=maker), [])
                for room, new in zip(mine, theirs, strict=False):
                    self._names.setdefault(room.default_name, new.default_name)

    def _made(self) -> None:
        """So do the rooms of what they have made."""
        rooms: dict[RoomOwner, list[Any]] = defaultdict(list)
        for room in self._heap.rooms:
            rooms[room.key].append(room)
        for key, mine in rooms.items():
            maker = self._names.get(key.maker, key.maker)
            theirs = rooms.get(replace(key, maker=maker), mine)
            for room, new in zip(mine, theirs, strict=False):
                self._rooms[room.number] = new.number
                self._objects[room.location.owner] = new.location.owner

    def _lay_out(self) -> None:
        """Find where the value of each place goes: to the same place of the new owner."""
        places: dict[tuple[Hashable, ...], list[Location]] = defaultdict(list)
        for location in self._heap.locations:
            places[location.owner, _process(location)].append(location)
        for (owner, process), mine in places.items():
            new = self._objects.get(owner, owner), self._names.get(process, process)
            for location, theirs in zip(mine, places[new], strict=True):
                assert (location.index < 0) == (theirs.index < 0)
                self._places[location.index] = theirs.index
        for thread in self._program.threads:
            new_thread = self._threads.get(thread.number, thread.number)
            self._places[self._machine.locations + thread.number] = (
                self._machine.locations + new_thread
            )

    def state(self, state: State) -> State | None:
        """The state with the threads exchanged; None where some part of it was never met."""
        new: list[int | None] = [None] * len(state)
        for place, number in enumerate(state):
            new[self._places[place]] = (
                self._value(number) if place < self._machine.locations else self._local(number)
            )
        return None if None in new else tuple(new)  # type: ignore[arg-type]

    def _value(self, number: int) -> int | None:
        key = Freezer().freeze(self._heap.values[number])
        return self._heap.values._ids.get(self.key(key))

    def _local(self, number: int) -> int | None:
        return self._machine.locals._ids.get(self.key(self._machine.locals[number]))

    def key(self, key: Any) -> Any:
        """A key, or a part of one, with the identities in it exchanged."""
        if type(key) is not tuple or not key:
            return key
        kind = key[0]
        if kind is ThreadId:
            return (kind, self._threads.get(key[1], key[1]))
        if kind is ThreadIdent:
            thread = ThreadIdent(key[1]).thread
            return (kind, int(ThreadIdent.of(ThreadId(self._threads.get(thread, thread)))))
        if kind is ThreadName:
            return (kind, self._names.get(key[1], key[1]))
        if kind is Shared:
            return (kind, self._object(key[1]))
        if kind is ObjectId and (index := ObjectId(key[1]).shared) is not None:
            return (kind, int.__index__(ObjectId.of_shared(self._objects.get(index, index))))
        parts = tuple([self.key(part) for part in key])
        if kind in (Bag, frozenset, OrderedFrozenSet, set):
            return (*parts[:-1], tuple(sorted(parts[-1], key=order_of)))
        return parts

    def _object(self, number: int) -> int:
        if number < FIRST_MADE:
            return self._objects.get(number, number)
        room, kind_number = room_and_kind(number)
        kind = self._heap.interner.kinds[kind_number]
        options = tuple([self._option(each) for each in kind.options])
        new = self._heap.rooms[self._rooms[room]]
        made: int = self._heap.made(new, Kind(kind.stand_in, options))._number
        return made

    def _option(self, option: Any) -> Any:
        if issubclass(type(option), Shared):
            return self._heap.stand_in(self._object(option._number))
        return option


def _process(location: Location) -> str:
    return location.process if isinstance(location, PrivateLocation) else ""


def instances(machine: Machine) -> Iterator[tuple[int, int]]:
    """Pairs of neighbours among threads of one method that is not told its index."""
    threads = machine.program.threads
    for one, other in itertools.pairwise(threads):
        if one.method == other.method and not one.arguments and one.room is None:
            yield one.number, other.number


def without_its_twin(
    graph: SearchGraph,
    exchanged: Callable[[State], State | None],
    *,
    of: Callable[[State], bool] = lambda _: True,
) -> int:
    """How many states are there whose exchanged one is not; of those of which something holds."""
    states = map(graph.state, range(len(graph)))
    twins = [exchanged(state) for state in states if of(state)]
    return sum(twin is None or graph.number(twin) is None for twin in twins)
