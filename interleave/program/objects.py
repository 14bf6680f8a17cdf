"""Shared instances of ordinary classes, the model itself among them.

Code sees an instance of a subclass made here: its attributes are locations, its methods are those
of the class with the names in them resolved as models see them.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.containers import read_location, write_location
from interleave.memory.port import Location, current_port
from interleave.memory.values import Shared
from interleave.model import Model

Resolver = Callable[[types.FunctionType], types.FunctionType]
"""Gives a function whose global names mean what they mean in a model."""

_get = object.__getattribute__


class SharedObject(Shared):
    """Mixed into the class of each shared instance: attributes become locations."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        locations: dict[str, Location] = _get(self, "_locations")
        location = locations.get(name)
        return _get(self, name) if location is None else read_location(location)

    def __setattr__(self, name: str, value: object) -> None:
        locations: dict[str, Location] = _get(self, "_locations")
        location = locations.get(name)
        if location is not None:
            write_location(location, value)
        elif hasattr(getattr(type(self), name, None), "__set__"):
            object.__setattr__(self, name, value)  # a property with a setter
        else:
            current_port().halt(
                ModelError(
                    f"{name!r} is not a shared variable: nothing gives it a first value",
                    remedy=f"give it one in the class body ({name} = ...) or in `def setup(self)`",
                )
            )

    def __delattr__(self, name: str) -> None:
        current_port().halt(
            ModelError(
                f"a shared variable cannot be deleted: {name!r}",
                remedy="assign a value that stands for absence, such as None",
            )
        )


class _SharedModel(SharedObject):
    """What the model itself has besides."""

    __slots__ = ()

    def inside(self, section: str) -> int:
        return current_port().inside(section)

    def finished(self, thread: str, index: int | None = None) -> bool:
        return current_port().finished(thread, index)


def stand_in_class(cls: type, resolve: Resolver, mixin: type = SharedObject) -> type:
    """The subclass of `cls` whose instances stand for shared ones."""
    mixin = _SharedModel if issubclass(cls, Model) else mixin
    members: dict[str, Any] = {"__module__": cls.__module__, "__qualname__": cls.__qualname__}
    for base in reversed(cls.__mro__):
        if base not in (object, Model):
            for name, member in vars(base).items():
                if (ours := _resolved(member, resolve)) is not None:
                    members[name] = ours
    if getattr(cls, "__repr__", None) is object.__repr__:
        members["__repr__"] = lambda _: f"<{cls.__name__}>"  # without an address
    # The mixin goes first: its attribute access is what makes the difference.
    for name in ("__getattribute__", "__setattr__", "__delattr__"):
        members.pop(name, None)
    return type(cls.__name__, (mixin, cls), members)


_SETTERS = {"fget": "getter", "fset": "setter", "fdel": "deleter"}


def _resolved(member: object, resolve: Resolver) -> object:
    if isinstance(member, types.FunctionType):
        return resolve(member)
    if isinstance(member, staticmethod | classmethod):
        inner = member.__func__
        return type(member)(resolve(inner)) if isinstance(inner, types.FunctionType) else None
    if isinstance(member, property):
        made = property(doc=member.__doc__)
        for part in ("fget", "fset", "fdel"):
            function: Any = getattr(member, part)
            if function is not None:
                made = getattr(made, _SETTERS[part])(resolve(function))
        return made
    return None


def make_stand_in(cls: type, number: int, locations: dict[str, Location]) -> Any:
    """An instance of a stand-in class."""
    made: Any = object.__new__(cls)
    object.__setattr__(made, "_number", number)
    object.__setattr__(made, "_locations", locations)
    return made
