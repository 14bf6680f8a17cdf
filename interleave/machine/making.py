"""Objects that a thread makes, while a step of it runs: their rooms, and the references to them.

What a thread makes is its own until it stores it where others can find it. Then it moves into a
room, and the thread's locals refer to it there.
"""

from __future__ import annotations

import linecache
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.containers import CONTAINERS
from interleave.memory.coroutine import Coroutine
from interleave.memory.made import Held, Kind
from interleave.memory.values import Uncapturable, attributes_of, is_plain_object
from interleave.program import MoreRooms
from interleave.program.heap import Heap, Room, RoomOwner

MOST_ROOMS = 50
"""Objects that threads have made and share, at most, at one time."""


class Making:
    """What one step makes and lets go. `values` are the value ids of the state before it.

    `look` is told of each place of the state that is looked at, `written` has what the step wrote;
    `variable_for` says for which variable an object is made, or "".
    """

    def __init__(
        self,
        heap: Heap,
        maker: str,
        values: tuple[int, ...],
        written: dict[int, int],
        look: Callable[[int], None],
        class_of: Callable[[type], type],
        variable_for: Callable[[object], str],
    ) -> None:
        self.moved: dict[int, tuple[object, Any]] = {}
        """What has moved into a room in the present block: by id, with its stand-in."""
        self._heap = heap
        self._maker = maker
        self._values = values
        self._written = written
        self._look = look
        self._class_of = class_of
        self._variable_for = variable_for
        self._new: dict[int, None] = {}
        self._depth = 0
        self.stored: dict[int, int] = {}
        """Ids of what was itself stored, and has not only come along; with the access (its place in
        the block's log) that did it.
        """
        self.access = 0
        """The place in the log of the present access."""
        self.lost: list[str] = []
        """What is to be said of what nothing refers to any more."""

    def _at(self, index: int) -> int:
        """The value id that is at a place now."""
        if index in self._written:
            return self._written[index]
        self._look(index)
        return self._values[index]

    def make(self, kind: Kind, contents: object) -> Any:
        """An object in a room of its own. Raises `MoreRooms`, and `ModelError` at the limit."""
        stand_in, room = self._room_for(kind, self._variable_for(None))
        self._put(room, Held(kind, contents))
        return stand_in

    def share(self, value: Any) -> Any:
        """Move what the thread has made into a room. Raises `Uncapturable`."""
        if not self._depth:
            self.stored.setdefault(id(value), self.access)
        if id(value) not in self.moved:
            kind = self._kind_of(value)
            stand_in, room = self._room_for(kind, self._variable_for(value))
            self.moved[id(value)] = (value, stand_in)  # before its parts, which may refer to it
            self._put(room, Held(kind, _contents(kind, value)))
        return self.moved[id(value)][1]

    def _kind_of(self, value: Any) -> Kind:
        kind = type(value)
        if isinstance(value, Coroutine):
            raise Uncapturable(value, "a coroutine is for the task that made it (make it a task)")
        if (container := CONTAINERS.get(kind)) is not None:
            return Kind(container, container.options(value))
        if is_plain_object(value) and not isinstance(value, BaseException):
            return Kind(self._class_of(kind))
        raise Uncapturable(value, f"a {kind.__name__} was made by a thread")

    def _room_for(self, kind: Kind, variable: str) -> tuple[Any, Room]:
        absent = self._heap.values.id_of(None)
        key = RoomOwner(self._maker, kind.is_primitive, variable)
        for room in self._heap.rooms:
            if room.key == key:
                if self._at(room.location.index) == absent:
                    # Taken, until what is in it is known.
                    self._written[room.location.index] = self._heap.values.id_of(Held(kind, ()))
                    self._new[room.number] = None
                    return self._heap.made(room, kind), room
        if len(self._heap.rooms) >= MOST_ROOMS:
            raise ModelError(
                f"threads share more than {MOST_ROOMS} objects that they have made",
                remedy="make fewer, or let go of those that are no longer needed; "
                "what refers to itself in a circle is never let go",
            )
        raise MoreRooms(key)

    def _put(self, room: Room, held: Held) -> None:
        self._depth += 1
        self._written[room.location.index] = self._heap.values.id_of(held, self.share)
        self._depth -= 1

    def done(self) -> None:
        """The thread's locals refer to the rooms of what has moved."""
        self.moved.clear()
        self.stored.clear()

    def unchanged(self) -> bool:
        """Whether what has moved is still as it was then: it should be changed in its room now."""
        values = self._heap.values
        for value, stand_in in self.moved.values():
            room = self._heap.room(stand_in._number)
            held = Held(values[self._written[room.location.index]].kind, None)
            now = held._replace(contents=_contents(held.kind, value))
            if values.id_of(now, self.share) != self._written[room.location.index]:
                return False
        return True

    def settle(self, before: Iterable[int], after: Iterable[int]) -> None:
        """Count references anew, and free rooms that nothing refers to.

        `before` and `after` are the rooms that local states of threads referred to before the step
        and refer to after it.
        """
        changes = Counter(after)
        changes.subtract(before)
        for index, value in list(self._written.items()):
            self._look(index)
            changes.update(self._heap.values.rooms(value))
            changes.subtract(self._heap.values.rooms(self._values[index]))
        waiting = sorted({number for number, change in changes.items() if change} | {*self._new})
        while waiting:
            room = self._heap.rooms[waiting.pop(0)]
            count = self._count(room) + changes.pop(room.number, 0)
            self._written[room.references.index] = self._heap.values.id_of(count)
            if count == 0:
                self._let_go(self._heap.values[self._at(room.location.index)])
                lost = self._heap.values.rooms(self._at(room.location.index))
                self._written[room.location.index] = self._heap.values.id_of(None)
                changes.subtract(lost)
                waiting += sorted({*lost} - {*waiting})

    def _let_go(self, held: Held | None) -> None:
        if held is not None and held.kind.is_primitive:
            self.lost += held.kind.stand_in.lost_with(held.contents)

    def _count(self, room: Room) -> int:
        count: int = self._heap.values[self._at(room.references.index)]
        return count


_FIELD = re.compile(r"\s*self\.(\w+)\s*(:[^=]*)?=")


def field_being_set(owner: str) -> str:
    """What is made now, if that happens in the `__init__` of an object, in words: "owner.lock".

    `owner` is the variable that the object is for, else it is named by its class.
    """
    frame = sys._getframe(1)
    while frame is not None and not frame.f_code.co_name.startswith("#"):
        code = frame.f_code
        if code.co_name == "__init__" and "self" in frame.f_locals:
            found = _FIELD.match(linecache.getline(code.co_filename, frame.f_lineno))
            if found is not None:
                return f"{owner or type(frame.f_locals['self']).__name__}.{found[1]}"
        frame = frame.f_back  # type: ignore[assignment]
    return owner


def _contents(kind: Kind, value: Any) -> tuple[Any, ...]:
    if type(value) in CONTAINERS:
        found: tuple[Any, ...] = kind.stand_in.contents(value)
        return found
    return tuple(attributes_of(value).items())
