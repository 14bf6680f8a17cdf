"""Objects that a thread makes, while a step of it runs: their rooms, and the references to them.

What a thread makes is its own until it stores it where others can find it. Then it moves into a
room, and the thread's locals refer to it there.
"""

from __future__ import annotations

import functools
import linecache
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from interleave.compiler.generators import AsyncGenerator, Generator, SharedGenerator
from interleave.errors import ModelError
from interleave.machine.halting import Ending
from interleave.machine.log import Log
from interleave.machine.places import Places
from interleave.memory.containers import CONTAINERS
from interleave.memory.coroutine import (
    Awaiting,
    Coroutine,
    LibraryCoroutine,
    SharedCoroutine,
)
from interleave.memory.derived import is_object
from interleave.memory.iterators import SHARED as SHARED_ITERATORS
from interleave.memory.iterators import SharedIterator
from interleave.memory.made import Held, Kind
from interleave.memory.partials import SharedPartial
from interleave.memory.values import Freezer, Thawer, Uncapturable, attributes_of
from interleave.program import MoreRooms
from interleave.program.heap import Heap, Room, RoomOwner

T = TypeVar("T")

MOST_ROOMS = 50
"""Objects that threads have made and share, at most, at one time."""


class Making:
    """What one step makes, moves into rooms, and lets go.

    `maker` names the thread; `class_of` gives the class of the stand-ins for shared instances of a
    class; `variable_for` says for which variable an object is made, or "".
    """

    def __init__(
        self,
        heap: Heap,
        maker: str,
        places: Places,
        log: Log,
        ending: Ending,
        class_of: Callable[[type], type],
        variable_for: Callable[[object], str],
    ) -> None:
        self.moved: dict[int, tuple[object, Any]] = {}
        """What has moved into a room in the present block: by id, with its stand-in."""
        self.stored: dict[int, int] = {}
        """Ids of what was itself stored, and has not only come along; with the access (its place in
        the block's log) that did it.
        """
        self.lost: list[str] = []
        """What is to be said of what nothing refers to any more."""
        self._heap = heap
        self._maker = maker
        self._places = places
        self._log = log
        self._ending = ending
        self._class_of = class_of
        self._variable_for = variable_for
        self.finalized: list[Any] = []
        """What the present block has made that has a `__del__`."""
        self._new: dict[int, None] = {}
        self._depth = 0
        self._hands_on_coroutines = False

    def id_of(self, value: object, to: str, *, to_primitive: bool = False) -> int:
        """The id of a value as others see it: what the thread has made moves into rooms.

        `to` says in words where it is stored. `to_primitive`: that is what a primitive has, which
        hands on coroutines, too.
        """
        with self._handing_on(coroutines=to_primitive):
            return self._sharing(lambda: self._heap.values.id_of(value, self._share), to)

    def hand_over(self, value: Any, to: str, *, coroutines: bool = False) -> Any:
        """A value as another thread sees it, with coroutines in it or without."""
        with self._handing_on(coroutines=coroutines):
            key = self._sharing(lambda: Freezer(share=self._share).freeze(value), to)
        return Thawer(self._heap.stand_in).thaw(key)

    def give_away(self, value: Any, to: str) -> Any:
        """The same for one to which the thread has no reference that is to lead to its room."""
        known = len(self.moved)
        shared = self.hand_over(value, to)
        for each in [*self.moved][known:]:
            del self.moved[each]
            self.stored.pop(each, None)
        return shared

    @contextmanager
    def _handing_on(self, *, coroutines: bool) -> Iterator[None]:
        before, self._hands_on_coroutines = self._hands_on_coroutines, coroutines
        try:
            yield
        finally:
            self._hands_on_coroutines = before

    def _sharing(self, freeze: Callable[[], T], to: str) -> T:
        """What `freeze` gives, where that is possible."""
        try:
            return freeze()
        except (MoreRooms, ModelError) as error:
            self._ending.fail(error)
        except Uncapturable as error:
            self._ending.halt(
                ModelError(
                    f"{to} is given a value that cannot be shared: {error.why}",
                    remedy="use numbers, strings, bytes, tuples, lists, dicts, sets, deques or "
                    "objects of classes of your own",
                )
            )

    def _share(self, value: object) -> object:
        """The stand-in for what the thread has made, which moves into a room."""
        if self._log.has_stored:
            self._ending.halt(
                ModelError(
                    "this statement shares what it has made, and other threads can run meanwhile",
                    remedy="give it a name first, in a statement of its own",
                )
            )
        return self._move(value)

    def make(self, kind: Kind, contents: object, field: str) -> Any:
        """An object in a room of its own."""
        variable = ".".join(filter(None, (self._variable_for(None), field)))
        try:
            stand_in, room = self._room_for(kind, variable)
            with self._handing_on(coroutines=kind.is_primitive):
                self._put(room, Held(kind, contents))
        except (MoreRooms, ModelError) as error:
            self._ending.fail(error)
        return stand_in

    def copy(self, shared: Any, copies: dict[int, Any], copied: Callable[[Any], Any]) -> Any:
        """What stands for a copy, in a room of its own, of what is in a room: the one in `copies`,
        by the number of the original, or else a new one. `copied` makes that of what is in it.
        """
        number = shared._number
        if number not in copies:
            original = self._heap.room(number)
            held = self._heap.values[self._places.at(original.location.index)]
            kind = Kind(held.kind.stand_in, copied(held.kind.options))
            try:
                copies[number], room = self._room_for(kind, original.key.variable)
                self._put(room, Held(kind, copied(held.contents)))
            except (MoreRooms, ModelError) as error:
                self._ending.fail(error)
        return copies[number]

    def _move(self, value: Any) -> Any:
        """Move what the thread has made into a room. Raises `Uncapturable`, `MoreRooms`, and
        `ModelError` where there is room for no more.
        """
        if not self._depth:
            self.stored.setdefault(id(value), len(self._log.entries))
        if id(value) not in self.moved:
            kind = self._kind_of(value)
            stand_in, room = self._room_for(kind, self._variable_for(value))
            self.moved[id(value)] = (value, stand_in)  # before its parts, which may refer to it
            self._put(room, Held(kind, _contents(kind, value)))
        return self.moved[id(value)][1]

    def _kind_of(self, value: Any) -> Kind:
        kind = type(value)
        if self._hands_on_coroutines and kind in (Coroutine, LibraryCoroutine):
            return Kind(SharedCoroutine)
        if isinstance(value, Coroutine | Awaiting):
            raise Uncapturable(value, "a coroutine is for the task that made it (make it a task)")
        if isinstance(value, AsyncGenerator):
            raise Uncapturable(value, "an async generator is for the task that made it")
        if isinstance(value, Generator):
            return Kind(SharedGenerator)
        if kind in SHARED_ITERATORS:
            return Kind(SharedIterator, (kind,))
        if (container := CONTAINERS.get(kind)) is not None:
            return Kind(container, container.options(value))
        if kind is functools.partial:
            return Kind(SharedPartial)
        if is_object(value) and not isinstance(value, BaseException):
            return Kind(self._class_of(kind))
        raise Uncapturable(value, f"a {kind.__name__} was made by a thread")

    def _room_for(self, kind: Kind, variable: str) -> tuple[Any, Room]:
        values = self._heap.values
        absent = values.id_of(None)
        key = RoomOwner(self._maker, kind.is_primitive, variable)
        for room in self._heap.rooms:
            if room.key == key:
                if self._places.at(room.location.index) == absent:
                    # Taken, until what is in it is known.
                    self._places.written[room.location.index] = values.id_of(Held(kind, ()))
                    self._new[room.number] = None
                    self._heap.taken.add(room)
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
        self._places.written[room.location.index] = self._heap.values.id_of(held, self._move)
        self._depth -= 1

    def move_finalized(self, is_kept: Callable[[object], bool]) -> None:
        """Move what has a `__del__` into rooms, at the end of the block that has made it."""
        made, self.finalized = self.finalized, []
        for each in made:
            if id(each) in self.moved:
                continue
            if not is_kept(each):
                self._ending.halt(_made_within(each))
            self._sharing(partial(self._move, each), "a local variable")

    def refuse_unmoved(self) -> None:
        """Raise `ModelError` where a block is to be run again that has made such an object."""
        for each in self.finalized:
            if id(each) not in self.moved:
                raise _made_within(each)

    def done(self) -> None:
        """The thread's locals refer to the rooms of what has moved."""
        self.moved.clear()
        self.stored.clear()

    def unchanged(self) -> bool:
        """Whether what has moved is still as it was then: it should be changed in its room now."""
        values = self._heap.values
        for value, stand_in in self.moved.values():
            room = self._heap.room(stand_in._number)
            held = Held(values[self._places.written[room.location.index]].kind, None)
            now = held._replace(contents=_contents(held.kind, value))
            if values.id_of(now, self._move) != self._places.written[room.location.index]:
                return False
        return True

    def settle(self, before: Iterable[int], after: Iterable[int]) -> None:
        """Count references anew, and free rooms that nothing refers to.

        `before` and `after` are the rooms that local states of threads referred to before the step
        and refer to after it.
        """
        changes = Counter(after)
        changes.subtract(before)
        for index, value in list(self._places.written.items()):
            self._places.looked_at[index] = None
            changes.update(self._heap.values.rooms(value))
            changes.subtract(self._heap.values.rooms(self._places.before[index]))
        waiting = sorted({number for number, change in changes.items() if change} | {*self._new})
        while waiting:
            room = self._heap.rooms[waiting.pop(0)]
            count = self._count(room) + changes.pop(room.number, 0)
            self._places.written[room.references.index] = self._heap.values.id_of(count)
            if count == 0:
                self._let_go(self._heap.values[self._places.at(room.location.index)])
                lost = self._heap.values.rooms(self._places.at(room.location.index))
                self._places.written[room.location.index] = self._heap.values.id_of(None)
                changes.subtract(lost)
                waiting += sorted({*lost} - {*waiting})

    def _let_go(self, held: Held | None) -> None:
        if held is not None and held.kind.is_primitive:
            self.lost += held.kind.stand_in.lost_with(held.contents)
            if held.kind.stand_in is SharedGenerator:
                SharedGenerator.must_not_be_given_up(held.contents)

    def _count(self, room: Room) -> int:
        count: int = self._heap.values[self._places.at(room.references.index)]
        return count


def _made_within(value: object) -> ModelError:
    return ModelError(
        f"a {type(value).__name__}, which has a __del__, is made in the midst of a statement",
        remedy="make it in a statement of its own, which the thread runs itself: not in a "
        "property, a key function or the like",
    )


_FIELD = re.compile(r"\s*self\.(\w+)\s*(:[^=]*)?=")


def field_being_set(owner: str) -> str:
    """What is made now, if that happens in an `__init__` that runs as one: "owner.lock".

    `owner` is the variable that the object is for, else it is named by its class.
    """
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "run_block":
        code = frame.f_code
        if code.co_name == "__init__" and "self" in frame.f_locals:
            found = _FIELD.match(linecache.getline(code.co_filename, frame.f_lineno))
            if found is not None:
                return f"{owner or type(frame.f_locals['self']).__name__}.{found[1]}"
        frame = frame.f_back  # type: ignore[assignment]
    return owner


def _contents(kind: Kind, value: Any) -> tuple[Any, ...]:
    if hasattr(kind.stand_in, "contents"):
        found: tuple[Any, ...] = kind.stand_in.contents(value)
        return found
    return tuple(attributes_of(value).items())
