"""Objects that threads make and share: lists, dicts, instances of the model's classes, locks.

Each has a **room**: one location that holds all of it, and another one that counts the references
to it, so that the room is free again when nothing refers to it any more. Which room an object gets
is up to the thread that makes it and does not depend on what other threads make.
"""

from __future__ import annotations

import types
from typing import Any, NamedTuple

from interleave.memory.closures import variable
from interleave.memory.containers import SharedContainer
from interleave.memory.port import AccessKind, Location, current_port
from interleave.memory.primitive import Primitive
from interleave.memory.values import UNBOUND, Shared, members_by_base

_get = object.__getattribute__
_MISSING = object()


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

    def __getattribute__(self, name: str) -> Any:
        if name in ("_number", "_location") or _belongs_to_class(type(self), name):
            return _get(self, name)
        location: Location = _get(self, "_location")
        port = current_port()

        def effect() -> Any:
            contents = port.read(location, part=None)
            port.read(location, part=(name,))
            for each, value in contents:
                if each == name:
                    return value
            if _is_variable(type(self), name):
                return UNBOUND
            return _get(self, name)  # of the class, or an AttributeError

        if location.varying is not None and name not in location.varying:
            found = effect()  # looking at what nobody sets is no access
        else:
            found = port.access(AccessKind("read", location, _part(self, name)), effect)
        return _get(self, name) if found is UNBOUND else found

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(_member(type(self), name), "__set__") and _belongs_to_class(type(self), name):
            object.__setattr__(self, name, value)
            return
        location: Location = _get(self, "_location")
        port = current_port()
        if location.varying is not None and name not in location.varying:
            port.begin_again(name)

        def effect() -> None:
            attributes = dict(port.read(location, part=None))
            attributes[name] = value
            port.write(location, tuple(attributes.items()), part=(name,))

        port.access(AccessKind("write", location, _part(self, name)), effect)

    def __delattr__(self, name: str) -> None:
        location: Location = _get(self, "_location")
        port = current_port()

        def effect() -> None:
            attributes = dict(port.read(location, part=None))
            if name not in attributes:
                raise AttributeError(name)
            del attributes[name]
            port.write(location, tuple(attributes.items()), part=(name,))

        port.access(AccessKind("delete", location, _part(self, name)), effect)

    def part(self, contents: Any, part: Any) -> object:
        """What an attribute is, as a tuple of one; () where there is none."""
        return next(((value,) for name, value in contents if name == part[0]), ())


def _part(made: Any, name: str) -> str:
    """An attribute in words; of a variable that functions share there is only one."""
    return "" if isinstance(made, variable) else f".{name}"


def _member(cls: type, name: str) -> Any:
    """What a class or a base of it has by a name, as it stands there."""
    return next((own[name] for own in members_by_base(cls) if name in own), _MISSING)


def _is_variable(cls: type, name: str) -> bool:
    """Whether a class has a variable of that name, of which an instance may have its own."""
    return bool(getattr(_member(cls, name), "gives_way", False))


def _belongs_to_class(cls: type, name: str) -> bool:
    """Whether an attribute is found in the class first: a method, a property."""
    member = _member(cls, name)
    if member is _MISSING:
        return name.startswith("__")
    if isinstance(member, types.MemberDescriptorType) or _is_variable(cls, name):
        return False
    return hasattr(type(member), "__get__")
