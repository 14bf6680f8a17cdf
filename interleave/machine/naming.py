"""What shared objects are called in a state: by the place where each of them is now.

An object that was there from the start has the name of the path that led to it then, for as long as
it still does. All others, those that threads have made above all, are called by a path from where
they can be reached: from the variables of the model first, then from the locals of threads.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from interleave.compiler.blocks import ENTERED, HIDDEN
from interleave.compiler.generators import Generator
from interleave.machine.frames import live
from interleave.machine.step import FAILED, FINISHED, State
from interleave.memory.closures import Closure, variable
from interleave.memory.containers import SharedContainer
from interleave.memory.made import Held
from interleave.memory.port import AccessKind, Location
from interleave.memory.primitive import Primitive
from interleave.memory.values import Shared, Thawer, attributes_of, is_plain_object
from interleave.program import Program
from interleave.program.heap import Room
from interleave.program.interning import LocalStates
from interleave.world.instances import Inherited
from interleave.world.refusal import Refused

SELF = "self"
"""A local that says nothing of what it holds."""


class Naming:
    """Gives the names of the shared objects of a program in each of its states."""

    def __init__(self, program: Program, locals_: LocalStates) -> None:
        self.heap = program.heap
        self.threads = program.threads
        self.locals = locals_
        self.places: dict[int, list[Location]] = {}
        """The locations of each object, by its number."""
        for location in self.heap.locations:
            if location.name:
                self.places.setdefault(location.owner, []).append(location)
        self.rooms: dict[int, Room] = {room.location.owner: room for room in self.heap.rooms}
        """The rooms, by the number of what stands for them."""
        self.variables = {each.name for each in self.heap.locations if each.owner not in self.rooms}
        self.in_state: Callable[[State], NamesInState] = lru_cache(maxsize=8)(self._in_state)

    def _in_state(self, state: State) -> NamesInState:
        return NamesInState(self, state)

    @cached_property
    def moving(self) -> frozenset[int]:
        """The objects that are there from the start and may lose the place that they are named by.

        What leads there at the start can change.
        """
        captured = [*range(len(self.heap.names))]
        if not self.heap.initial:
            return frozenset()
        row = self.heap.initial[0]
        led_to = {
            number
            for owner in captured
            for suffix, number in self.parts(owner, row)
            if _joined(self.heap.names[owner], suffix) == self.heap.names[number]
        }
        found = dict.fromkeys(number for number in captured if number not in led_to)
        self.follow(found, row, only_constant=True)
        return frozenset(led_to) - {*found}

    def follow(self, found: dict[int, None], row: State, *, only_constant: bool = False) -> None:
        """Add to objects that have their old names those that have theirs as parts of them."""
        waiting = deque(found)
        while waiting:
            owner = waiting.popleft()
            for suffix, number in self.parts(owner, row, only_constant=only_constant):
                name = self.heap.names[number]
                is_old = number not in self.rooms and number not in found
                if is_old and _joined(self.heap.names[owner], suffix) == name:
                    found[number] = None
                    waiting.append(number)

    def parts(
        self, owner: int, row: State, *, only_constant: bool = False
    ) -> Iterator[tuple[str, int]]:
        """What an object refers to, by number, each with what its name is to end in."""
        for location in self.places.get(owner, ()):
            if location.index < 0 or not only_constant:
                value = row[location.index] if location.index >= 0 else location.initial
                for suffix, part in self._at(location, self.heap.values[value]):
                    yield suffix, self.heap.index_of(part)

    def _at(self, location: Location, value: Any) -> Iterator[tuple[str, Any]]:
        stand_in = self.heap.owner(location)
        if location.is_room:
            if value is None:
                return
            held: Held = value
            stand_in, value = held.kind.made(-1, location), held.contents
        kind = type(stand_in)
        if issubclass(kind, Primitive):
            yield from _in_primitive(kind, value)
        elif issubclass(kind, SharedContainer):
            yield from shared_in(stand_in.build(value), "")
        elif location.is_room:
            for name, part in value:
                yield from shared_in(part, "" if issubclass(kind, variable) else f".{name}")
        else:
            suffix = location.name.removeprefix(self.heap.names[location.owner])
            yield from shared_in(value, suffix)


def _in_primitive(kind: type[Primitive], state: Any) -> Iterator[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    def visit(part: Any, name: str) -> Any:
        found.extend(shared_in(part, name))
        return part

    kind.visit(state, visit)
    yield from found


def shared_in(value: Any, suffix: str, within: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The shared objects in a value of one thread or of a state, each with the path to it."""
    kind = type(value)
    if issubclass(kind, Shared):
        yield suffix, value
        return
    parts: list[tuple[str, Any]] = []
    if issubclass(kind, tuple | list | deque | set | frozenset):
        parts = [(f"[{place}]", item) for place, item in enumerate(kind.__iter__(value))]
    elif issubclass(kind, dict):
        parts = [
            (f"[{key_in_words(each, i)}]", item) for i, (each, item) in enumerate(value.items())
        ]
    elif kind is Inherited:
        parts = [("", value.value)]
    elif kind is Closure:
        names = value.function.__code__.co_varnames
        parts = [(f".{name}", item) for name, item in zip(names, value.captured, strict=False)]
    elif kind is types.MethodType:
        parts = [("", value.__self__)]
    elif kind is Refused:
        parts = []
    elif issubclass(kind, Generator):
        names = [each for each in value.names if not each.startswith(HIDDEN)]
        parts = [(f".{name}", value.names[name]) for name in names]
    elif is_dataclass(kind):
        parts = [(f".{each.name}", getattr(value, each.name, None)) for each in fields(kind)]
    elif is_plain_object(value) and not isinstance(value, BaseException | Enum):
        parts = [(f".{name}", item) for name, item in attributes_of(value).items()]
    if id(value) not in within:
        for name, part in parts:
            yield from shared_in(part, suffix + name, (*within, id(value)))


_SIMPLE = (str, int, float, bool, bytes, type(None))


def key_in_words(key: object, place: int) -> str:
    """A key of a dict in the name of what is there; its place, where that says more."""
    return repr(key) if type(key) in _SIMPLE else f"#{place}"


def _joined(owner: str, suffix: str) -> str:
    return owner + suffix if owner else suffix.removeprefix(".")


class NamesInState:
    """The names of shared objects and of locations in one state."""

    def __init__(self, naming: Naming, state: State) -> None:
        self._naming = naming
        self._heap = naming.heap
        self._state = state
        self._found: dict[int, str] = {}
        if naming.moving or naming.rooms:
            self._find()

    def of(self, stand_in: Any) -> str:
        """What a shared object is called; "" for the model itself."""
        return self._of_number(self._heap.index_of(stand_in))

    def of_location(self, location: Location) -> str:
        """What a location is called: as the object that it is part of, with what follows."""
        old, new = self._heap.names[location.owner], self._of_number(location.owner)
        if old == new or not location.name.startswith(old):
            return location.name
        return _joined(new, location.name.removeprefix(old))

    def where(self, access: AccessKind) -> str | None:
        """What an access is of, with the part of it; a section; None where there is nothing."""
        if access.location is None:
            return access.where
        return self.of_location(access.location) + access.part or None

    def is_there(self, location: Location) -> bool:
        """Whether anything leads to what a location is part of."""
        return location.owner in self._found or location.owner not in self._naming.moving

    def _of_number(self, number: int) -> str:
        found = self._found.get(number)
        if found is not None:
            return found
        name = self._heap.names[number]
        return f"former {name}" if number in self._naming.moving else name

    def _find(self) -> None:
        naming, names = self._naming, self._heap.names
        start = (n for n in range(len(names)) if n not in naming.moving and n not in naming.rooms)
        kept = dict.fromkeys(start)
        naming.follow(kept, self._state)
        self._found = {number: names[number] for number in kept}
        self._taken = {*self._found.values()}
        self._follow([*kept])
        if self._unnamed():
            self._name_by_birth()
            self._name_by_locals()
            self._name_by_kind()

    def _follow(self, owners: list[int]) -> None:
        """Name what can be reached from objects that have names, the nearest first."""
        waiting = deque(owners)
        while waiting:
            owner = waiting.popleft()
            for suffix, number in self._naming.parts(owner, self._state):
                if number not in self._found:
                    self._name(number, _joined(self._found[owner], suffix))
                    waiting.append(number)

    def _name(self, number: int, name: str) -> None:
        while name in self._taken:
            name += "'"
        self._found[number] = name
        if not self._is_variable(number):  # one has the name of what it holds
            self._taken.add(name)

    def _is_variable(self, number: int) -> bool:
        held = self._held(number)
        return held is not None and issubclass(held.kind.stand_in, variable)

    def _held(self, number: int) -> Any:
        """What is in a room, if the object is one; None where nothing is."""
        room = self._naming.rooms.get(number)
        return self._heap.values[self._state[room.location.index]] if room else None

    def _unnamed(self) -> list[int]:
        return [
            number
            for number in self._naming.rooms
            if number not in self._found and self._held(number) is not None
        ] + [number for number in sorted(self._naming.moving) if number not in self._found]

    def _name_by_birth(self) -> None:
        """Name what is in the variable for which it was made, or was when that was last used."""
        for number in self._unnamed():
            room = self._naming.rooms.get(number)
            name = room.key.variable if room else ""
            if (
                room
                and name != SELF
                and any(
                    frame.holds(name, number, room.key.maker, self._heap.index_of)
                    for frame in self._frames
                )
            ):
                self._name(number, self._heap.names[number])
                self._follow([number])

    def _name_by_locals(self) -> None:
        for frame in self._frames:
            for variable_name, value in frame.held.items():
                for suffix, part in shared_in(value, ""):
                    number = self._heap.index_of(part)
                    if number not in self._found and variable_name != SELF:
                        name = variable_name + suffix
                        if name in self._taken or variable_name in self._naming.variables:
                            name = f"{frame.thread}.{name}"
                        self._name(number, name)
                        self._follow([number])

    def _name_by_kind(self) -> None:
        """Name what no variable of the user's holds, but for those that have lost their place."""
        for number in self._unnamed():
            held = self._held(number)
            if held is not None and number not in self._found:
                room, kind = self._naming.rooms[number], held.kind.stand_in.__name__
                is_of_self = room.key.variable == SELF
                self._name(number, kind if is_of_self else f"{kind}#{room.number + 1}")
                self._follow([number])

    @cached_property
    def _frames(self) -> list[_Frame]:
        """The functions of the user's that threads are in, outermost first."""
        naming, found = self._naming, []
        first = len(self._heap.changing)
        for thread, local in zip(naming.threads, self._state[first:], strict=False):
            thawer = Thawer(self._heap.stand_in)
            frames = () if local in (FINISHED, FAILED) else naming.locals[local][0]
            codes = [naming.locals.codes[number] for number, *_ in frames]
            for code, above, (_, at, values) in zip(
                codes, [*codes[1:], None], frames, strict=False
            ):
                names = live(code, at, above)
                thawed = [thawer.thaw(value) for value in values]  # all: they may share objects
                held = {
                    name: value
                    for name, value in zip(names, thawed, strict=True)
                    if not name.startswith(HIDDEN)
                }
                for name, value in zip(names, thawed, strict=True):
                    if known_as := _entered_as(name, value):
                        held.setdefault(known_as, value)
                bound = {
                    name for block in code.blocks for name in (*block.defines, block.target) if name
                }
                if not code.is_library:
                    found.append(_Frame(thread.name, frozenset(bound), held))
        return found


def _entered_as(name: str, value: Any) -> str:
    """The name after `as` of a primitive that a frame is inside of: what it is known by until the
    end of the `with`, though nothing uses that name any more.
    """
    parts = name.split(" ")
    is_named = parts[0] == ENTERED and len(parts) > 1
    return parts[1] if is_named and issubclass(type(value), Primitive) else ""


class _Frame(NamedTuple):
    """A function that a thread is in: what it assigns, and what it may still use of that."""

    thread: str
    assigned: frozenset[str]
    held: dict[str, Any]

    def holds(self, name: str, number: int, maker: str, index_of: Callable[[Any], int]) -> bool:
        """Whether a local of some name holds an object, which `maker` has made."""
        if name in self.held:
            value = self.held[name]
            return issubclass(type(value), Shared) and index_of(value) == number
        return self.thread == maker and name in self.assigned
