"""Objects that threads make and share: lists, dicts, instances of the model's classes, locks.

Each has a **room**: one location that holds all of it, and another one that counts the references
to it, so that the room is free again when nothing refers to it any more. Which room an object gets
is up to the thread that makes it and does not depend on what other threads make.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, MutableMapping
from typing import Any, NamedTuple

from interleave.memory import parts
from interleave.memory.containers import SharedContainer
from interleave.memory.copying import reduce_instance
from interleave.memory.descriptors import is_data_descriptor, member_of, sets_itself
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.memory.values import UNBOUND, Shared, register_immutable, slots_of

_get = object.__getattribute__


class Kind(NamedTuple):
    """What an object is: the class of its stand-ins, and what never changes of it."""

    stand_in: type[Any]
    options: tuple[Any, ...] = ()

    @property
    def is_primitive(self) -> bool:
        return issubclass(self.stand_in, Primitive)

    def made(self, number: int, location: Location) -> Any:
        """A stand-in for an object of this kind at a location."""
        if self.is_primitive:
            return self.stand_in(number, location, *self.options)
        if issubclass(self.stand_in, SharedContainer):
            return self.stand_in(number, location, self.options)
        stand_in: Any = object.__new__(self.stand_in)
        object.__setattr__(stand_in, "_number", number)
        object.__setattr__(stand_in, "_location", location)
        return stand_in


class Held(NamedTuple):
    """What is in a room: an object's kind, and its contents."""

    kind: Kind
    contents: Any


class PlainRoom(SharedContainer):
    """What the location of a room belongs to, whatever is in it."""

    __slots__ = ()

    def part(self, contents: Any, part: object) -> object:
        held: Held | None = contents
        if held is None:
            return ()
        found: object = held.kind.made(-1, self._location).part(held.contents, part)
        return found


class PrimitiveRoom(Primitive):
    """The same for rooms of primitives."""

    @classmethod
    def describe(cls, state: Any) -> str:
        return "not made" if state is None else state.kind.stand_in.describe(state.contents)

    def part(self, state: Any, part: object) -> object:
        """What is at a key, as a tuple of one; () where nothing is."""
        held: Held | None = state
        return () if held is None else held.kind.stand_in.part(held.contents, part)

    def holders(self, state: Any, history: Any) -> tuple[int, ...]:  # type: ignore[override]
        if state is None:
            return ()
        inside: list[tuple[int, Any, Any]] = []
        for thread, before, after in history:
            if before is None or after is None:  # made, and what came before was another's
                inside.clear()
            else:
                inside.append((thread, before.contents, after.contents))
        found: tuple[int, ...] = state.kind.made(-1, self._location).holders(state.contents, inside)
        return found


class MadeObject(Shared):
    """Mixed into the class of an instance that a thread made: attributes are parts of its room."""

    __slots__ = ()
    __reduce_ex__ = reduce_instance

    def __getattribute__(self, name: str) -> Any:
        if name == "__dict__":
            return MadeDict(self)
        if name in ("_number", "_location") or _belongs_to_class(type(self), name):
            return _get(self, name)
        found = parts.read(self, name, of_class=not _gives_way(type(self), name))
        return _get(self, name) if found is UNBOUND else found

    def __setattr__(self, name: str, value: object) -> None:
        if sets_itself(type(self), name):
            object.__setattr__(self, name, value)
        else:
            parts.write(self, name, value)

    def __delattr__(self, name: str) -> None:
        if sets_itself(type(self), name):
            object.__delattr__(self, name)
        else:
            parts.delete(self, name, AttributeError(name))

    def part(self, contents: Any, part: Any) -> object:
        """What an attribute is, as a tuple of one; () where there is none."""
        return next(((value,) for name, value in contents if name == part[0]), ())


class MadeDict(MutableMapping[str, Any]):
    """`__dict__` of an instance that a thread made: a view of its attributes."""

    __slots__ = ("_made",)

    def __init__(self, made: Any) -> None:
        self._made = made

    def __getitem__(self, name: str) -> Any:
        value = UNBOUND if name in self._slots() else parts.read(self._made, name, of_class=False)
        if value is UNBOUND:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: object) -> None:
        parts.write(self._made, name, value)

    def __delitem__(self, name: str) -> None:
        parts.delete(self._made, name, KeyError(name))

    def __iter__(self) -> Iterator[str]:
        slots = self._slots()
        return (name for name in parts.names(self._made) if name not in slots)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def _slots(self) -> list[str]:
        return slots_of(type(self._made))


register_immutable(
    MadeDict,
    lambda freezer, value: (MadeDict, freezer.freeze(value._made)),
    lambda thawer, key: MadeDict(thawer.thaw(key[1])),
)


def _gives_way(cls: type, name: str) -> bool:
    """Whether what a class has by a name gives way to an attribute of the instance."""
    member = member_of(cls, name)
    if is_data_descriptor(member):
        return False
    is_method = isinstance(member, _METHODS) or hasattr(type(member), "__func__")
    return hasattr(type(member), "__get__") and not is_method


_METHODS = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType)
"""What code in a class mostly is, of which instances have none of their own."""


def _belongs_to_class(cls: type, name: str) -> bool:
    """Whether an attribute is found in the class first: a method, a property."""
    member = member_of(cls, name)
    if member is UNBOUND:
        return name.startswith("__")
    if isinstance(member, types.MemberDescriptorType) or _gives_way(cls, name):
        return False
    return hasattr(type(member), "__get__")
