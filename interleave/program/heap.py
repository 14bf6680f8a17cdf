"""The shared objects of a model, their locations, and the values that these can have."""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from interleave.memory.made import Kind, PlainRoom, PrimitiveRoom
from interleave.memory.port import Location
from interleave.memory.values import Shared
from interleave.program.interning import FIRST_MADE, Interner, number_made, room_and_kind
from interleave.records import dataclass


@dataclass(frozen=True)
class RoomOwner:
    """Who makes an object, whether it is a primitive, and for which variable, if that is known."""

    maker: str
    primitive: bool
    variable: str = ""


@dataclass(frozen=True)
class Room:
    """Room for one object that a thread makes: see `memory.made`."""

    number: int
    key: RoomOwner
    location: Location
    references: Location


class Heap:
    """Every shared object and location of one model.

    `stand_ins[0]` is the model itself. `changing` are the locations with a place in the state
    tuple, in that order; `initial` has the value ids of those, for each initial state.
    """

    def __init__(self) -> None:
        self.stand_ins: list[Any] = []
        self.names: list[str] = []
        """The name of each stand-in: the path that leads to it ("" for the model itself)."""
        self.locations: list[Location] = []
        self.captured: tuple[Location, ...] = ()
        """The locations of what `setup` has left behind; the others are made for the search."""
        self.found = 0
        """How many objects `setup` has left behind: the first ones."""
        self.changing: list[Location] = []
        self.initial: list[tuple[int, ...]] = []
        self.supposed: set[str] = set()
        """The keys of locations that change for no other reason than that all do."""
        self.reals: list[Any] = []
        """The objects that the last run of `setup` has left behind."""
        self.warnings: list[str] = []
        self.functions: dict[types.FunctionType, None] = {}
        """The functions of the model that shared objects refer to."""
        self.interner = Interner(self.stand_in)
        self.values = self.interner.values
        self.roots: set[int] = set()
        """The numbers of objects that code refers to by a name."""
        self.rooms: list[Room] = []
        """Room for objects that threads make."""
        self.taken: set[Room] = set()
        """Those in which there ever was an object."""
        self.main_context: Any = None
        """What stands for the context of the main thread, where there are context variables."""
        self._made: dict[int, Any] = {}

    def add(self, name: str, kind: Callable[[int, Location], Any], value: object = None) -> Any:
        """One more shared object of one location, after everything that was captured. It holds
        `value` in the beginning.
        """
        number = len(self.stand_ins)
        location = self.add_location(name, number, value)
        self.names.append(name)
        self.stand_ins.append(kind(number, location))
        return self.stand_ins[-1]

    def add_object(self, name: str, make: Callable[[int], Any]) -> Any:
        """One more shared object, which has no location of its own."""
        number = len(self.stand_ins)
        self.names.append(name)
        self.stand_ins.append(make(number))
        return self.stand_ins[number]

    def add_location(self, name: str, owner: int, value: object) -> Location:
        """One more location, which holds `value` in the beginning, and is no variable."""
        location = Location(name, owner, None, "", len(self.locations))
        location.index, location.constant = len(self.changing), False
        location.shown = False
        location.initial = self.values.id_of(value)
        self.locations.append(location)
        self.changing.append(location)
        self.initial = [(*row, location.initial) for row in self.initial]
        return location

    def begin_as(self, location: Location, other: Location) -> None:
        """Have the last location that was added begin with what is at another one."""
        location.initial = other.initial
        self.initial = [
            (*row[:-1], other.initial if other.index < 0 else row[other.index])
            for row in self.initial
        ]

    def add_rooms(self, rooms: Mapping[RoomOwner, int], makers: Sequence[str]) -> None:
        """Make room for the objects that threads make: those of each maker in turn."""
        taken = Counter(location.name for location in self.locations)
        taken.update(variable for variable, _ in {(key.variable, key.maker) for key in rooms})
        numbers: Counter[str] = Counter()
        in_order = sorted(
            rooms, key=lambda key: (makers.index(key.maker), key.variable, key.primitive)
        )
        for key in in_order:
            # Called by its variable, where that says enough.
            shared = taken[key.variable] > 1
            name = f"{key.maker}.{key.variable}" if shared else key.variable
            for _ in range(rooms[key]):
                called = name if key.variable else f"{key.maker}#"
                numbers[called] += 1
                number = numbers[called]
                if not key.variable:
                    called += str(number)
                elif number > 1:
                    called += f"#{number}"
                self._add_room(called, key)

    def _add_room(self, name: str, key: RoomOwner) -> None:
        owner = self.add(name, PrimitiveRoom if key.primitive else PlainRoom)
        owner._location.is_room = True
        references = self.add_location("", owner._number, 0)
        self.rooms.append(Room(len(self.rooms), key, owner._location, references))

    def made(self, room: Room, kind: Kind) -> Any:
        """The stand-in for what is in a room, if it is of some kind."""
        number = number_made(room.number, self.interner.kind_number(kind))
        found = self._made.get(number)
        if found is None:
            found = self._made[number] = kind.made(number, room.location)
        return found

    def is_made(self, value: object) -> bool:
        """Whether a thread has made what a stand-in stands for."""
        return isinstance(value, Shared) and value._number >= FIRST_MADE

    def is_fixed(self, stand_in: Any) -> bool:
        """Whether what was captured stays where it was found: nothing on the way to it changes."""
        path = self.name_of(stand_in)
        way = [
            location
            for location in self.locations
            if location.name
            and f"{path}.".startswith((f"{location.name}.", f"{location.name}["))
            and location.owner != stand_in._number
        ]
        is_found = bool(way) or stand_in._number == 0 or stand_in._number in self.roots
        return is_found and "#" not in path and all(location.constant for location in way)

    def index_of(self, stand_in: Any) -> int:
        """The number of a shared object; of one in a room, that of the room."""
        number: int = stand_in._number
        return number if number < FIRST_MADE else self.room(number).location.owner

    def room(self, number: int) -> Room:
        """The room of the object of some number."""
        return self.rooms[room_and_kind(number)[0]]

    def stand_in(self, number: int) -> Any:
        """What stands for the shared object of a number."""
        if number < FIRST_MADE:
            return self.stand_ins[number]
        found = self._made.get(number)
        if found is None:
            room, kind = room_and_kind(number)
            found = self.made(self.rooms[room], self.interner.kinds[kind])
        return found

    def name_of(self, stand_in: Any) -> str:
        """What reports call a shared object: the path that leads to it; "" for the model."""
        number: int = stand_in._number
        if number >= FIRST_MADE:
            return self.room(number).location.name
        return self.names[number]

    def lasting_name_of(self, stand_in: Any) -> str:
        """What tells a shared object from all others, and stays when room is made for more."""
        number: int = stand_in._number
        if number < FIRST_MADE:
            return f"object {number}"
        room = self.room(number)
        alike = [each for each in self.rooms if each.key == room.key]
        return f"object {room.key.variable} {alike.index(room)} of {room.key.maker}"

    def locations_of(self, number: int) -> list[Location]:
        """The locations of a shared object, but for those that no report knows."""
        return [each for each in self.locations if each.owner == number and each.name]

    def owner(self, location: Location) -> Any:
        """The stand-in that a location belongs to."""
        return self.stand_ins[location.owner]
