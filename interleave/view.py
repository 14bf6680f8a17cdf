"""A state in plain values: what is at each location, as a person would write it."""

from __future__ import annotations

from collections import deque
from dataclasses import fields, is_dataclass
from typing import Any

from interleave.machine import Machine, State
from interleave.machine.naming import key_in_words, shared_in
from interleave.memory.addresses import ObjectId
from interleave.memory.aliases import ORIGINAL_CLASS
from interleave.memory.closures import Closure, variable
from interleave.memory.containers import SharedContainer
from interleave.memory.derived import BEHIND, ITEMS
from interleave.memory.identity import ThreadIdent, ThreadName
from interleave.memory.made import Held
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.memory.process import ProcessIdent
from interleave.memory.values import Shared
from interleave.result import Described
from interleave.showing import show
from interleave.world.instances import Inherited
from interleave.world.refusal import Refused

NOTHING = Described("nothing")

_LEFT_OUT = (ORIGINAL_CLASS, BEHIND)
"""Attributes that instances have in a model only."""


class View:
    """The plain values of one state.

    A reference to a shared object becomes its name. Where that would be the name of the very place,
    it becomes what the object is: a container its contents, an instance its attributes. What was
    there `earlier` has the name that it had then.
    """

    def __init__(self, machine: Machine, state: State, earlier: View | None = None) -> None:
        self.state = state
        self.earlier = earlier
        self.names = machine.names_in(state)
        self.inside: set[int] = set()
        """Rooms of what was shown within something else, by the number of the object there."""
        self._heap = machine.program.heap

    def at(self, location: Location) -> object:
        """The value at a location."""
        value = self._held(location)
        owner = self._heap.owner(location)
        name = self.names.of_location(location)
        if location.is_room:
            return self._in_room(location, value, name)
        if issubclass(type(owner), Primitive):
            return Described(owner.describe(self.plain(value)))
        if issubclass(type(owner), SharedContainer):
            return self._real(owner.build(value), name)
        return self.plain(value, name)

    def part(self, location: Location, part: tuple[Any], name: str) -> object:
        """What is at a key of a container, or in an attribute of the instance in a room, where that
        place has a name.
        """
        held = self._held(location)
        owner: Any = self._heap.owner(location)
        if (attributes := self.attributes(location)) is not None:
            return attributes.get(part[0], NOTHING)
        if location.is_room:
            owner, held = held.kind.made(-1, location), held.contents
        return next((self.plain(each, name) for each in owner.part(held, part)), NOTHING)

    def made(self, location: Location) -> object:
        """The same for a room; of a primitive, it says also what it is."""
        held = self._held(location)
        value = self.at(location)
        if held.kind.is_primitive:
            return Described(f"{held.kind.stand_in.__name__}, {show(value)}")
        return value

    def is_empty(self, location: Location) -> bool:
        """Whether a location is a room that nothing is in."""
        return location.is_room and self._held(location) is None

    def lacks(self, value: object) -> bool:
        """Whether a value refers to what has not been made yet."""
        places = (self._heap.index_of(part) for _, part in shared_in(value, ""))
        owners = [self._heap.stand_ins[place] for place in places]
        return any(self.is_empty(at) for at in map(_location_of, owners) if at is not None)

    def attributes(self, location: Location) -> dict[str, object] | None:
        """The attributes of the instance in a room; None where there is no instance."""
        held = self._held(location) if location.is_room else None
        if held is None or not _has_attributes(held):
            return None
        name = self.names.of_location(location)
        return {
            each: self.plain(value, f"{name}.{each}")
            for each, value in held.contents
            if each not in _LEFT_OUT
        }

    def plain(self, value: Any, place: str = "", *, deep: bool = False) -> object:
        """A value without stand-ins. `place` is the name of where it is, if it is anywhere.

        `deep`: that is within something which is shown as a whole.
        """
        if issubclass(type(value), Shared):
            name = self.names.of(value)
            if place and name == place and (inside := self._inside(value, deep=deep)) is not None:
                return inside
            if self.earlier is not None and not self.earlier.lacks(value):
                name = self.earlier.names.of(value)
            return Described(name or "self")
        if isinstance(value, tuple):
            items = [self.plain(v, _part(place, i), deep=True) for i, v in enumerate(value)]
            return tuple.__new__(type(value), items)
        if type(value) is Refused:
            return Described("not modelled")
        if is_dataclass(type(value)) and next(shared_in(value, ""), None) is not None:
            return self._record(value)
        if isinstance(value, frozenset | set):
            return type(value)([self.plain(each) for each in value])
        if type(value) is ObjectId and (number := value.shared) is not None:
            name = self.names.of(self._heap.stand_in(number)) or "self"
            return Described(f"{'hash' if value.is_hash else 'id'}({name})")
        if type(value) is Inherited:
            return self.plain(value.value, place, deep=deep)
        if type(value) is Closure:
            return Described(value.__name__)
        return as_plain(value)

    def _record(self, value: Any) -> object:
        """A frozen dataclass with shared objects in it, as one of the same kind without."""
        made = object.__new__(type(value))
        for each in fields(value):
            if hasattr(value, each.name):
                object.__setattr__(
                    made, each.name, self.plain(getattr(value, each.name), deep=True)
                )
        return made

    def _inside(self, stand_in: Any, *, deep: bool) -> object | None:
        """What an object is, if that is to be shown where it is and not on its own."""
        number = self._heap.index_of(stand_in)
        location = _location_of(self._heap.stand_ins[number])
        is_primitive = issubclass(type(stand_in), Primitive)
        if location is None or (deep and (is_primitive or not location.is_room)):
            return None
        self.inside.add(number)
        return self.at(location)

    def _held(self, location: Location) -> Any:
        at = self.state[location.index] if location.index >= 0 else location.initial
        return self._heap.values[at]

    def _in_room(self, location: Location, held: Held | None, name: str) -> object:
        if held is None:
            return NOTHING
        owner = held.kind.made(-1, location)
        if held.kind.is_primitive:
            return Described(owner.describe(self.plain(held.contents)))
        if issubclass(held.kind.stand_in, SharedContainer):
            return self._real(owner.build(held.contents), name)
        if not _has_attributes(held):
            values = (self.plain(each, name) for _, each in held.contents)
            return next(values, Described("no value"))
        inside = ", ".join(
            ("" if each == ITEMS else f"{each}=")
            + show(self.plain(value, f"{name}.{each}", deep=True))
            for each, value in held.contents
            if each not in _LEFT_OUT
        )
        return Described(f"{held.kind.stand_in.__name__}({inside})")

    def _real(self, container: Any, name: str) -> object:
        if isinstance(container, dict):
            return {
                self.plain(key): self.plain(value, _part(name, key_in_words(key, place)), deep=True)
                for place, (key, value) in enumerate(container.items())
            }
        if isinstance(container, list | deque):
            items = enumerate(container)
            return type(container)(self.plain(v, _part(name, i), deep=True) for i, v in items)
        return container


def _location_of(stand_in: object) -> Location | None:
    """Where all of a shared object is, if that is one location; `__getattr__` is not asked."""
    try:
        found: Location = object.__getattribute__(stand_in, "_location")
    except AttributeError:
        return None
    return found


def _has_attributes(held: Held) -> bool:
    kind = held.kind.stand_in
    return not issubclass(kind, Primitive | SharedContainer | variable)


def _part(place: str, key: object) -> str:
    return place and f"{place}[{key}]"


def as_plain(value: object) -> object:
    """The number or text that an identity is for people, and in JSON; any other value as it is."""
    if isinstance(value, ThreadIdent | ProcessIdent | ObjectId):
        return int.__index__(value)
    return str(value) if type(value) is ThreadName else value
