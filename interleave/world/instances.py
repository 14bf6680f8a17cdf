"""Shared instances of ordinary classes, the model itself among them.

Code sees an instance of a class derived from the twin of theirs (see `world.twins`): their
attributes are locations, and attribute access, `__dict__`, `vars` and `setattr` are views of them.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, MutableMapping
from typing import Any

from interleave.errors import ModelError
from interleave.memory.containers import delete_location, read_location, write_location
from interleave.memory.copying import reduce_instance
from interleave.memory.descriptors import gets_itself, sets_itself
from interleave.memory.port import Location, current_port
from interleave.memory.values import (
    UNBOUND,
    Freezer,
    Key,
    Shared,
    Thawer,
    members_of,
    register_immutable,
    slots_of,
)
from interleave.model import VARIABLES
from interleave.world import reflection

KEPT = "_kept"
"""Attribute of the class of what stands for a model: what no code may set, and what that is."""

_get = object.__getattribute__


class SharedObject(Shared):
    """Mixed into the class of each shared instance: attributes become locations."""

    __slots__ = ()
    __reduce_ex__ = reduce_instance
    _path: str
    """What leads to the instance: an attribute that it does not have yet will be named by it."""

    def __getattribute__(self, name: str) -> Any:
        locations: dict[str, Location] = _get(self, "_locations")
        location = locations.get(name)
        if location is not None and not gets_itself(type(self), name):
            value = read_location(location)
            if type(value) is Inherited:
                return value.value
            if value is not UNBOUND:
                return value
            return _of_class(self, name)
        if name == "__dict__":
            return InstanceDict(self)
        return _get(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        if name in reflection.OF_ALL_OBJECTS:
            current_port().halt(reflection.refusal(name))
        if sets_itself(type(self), name):
            object.__setattr__(self, name, value)
        else:
            set_attribute(self, name, value)

    def __delattr__(self, name: str) -> None:
        if sets_itself(type(self), name):
            object.__delattr__(self, name)
        else:
            delete_attribute(self, name)


class Inherited:
    """What is at the location of an attribute that the instance itself has not, but its class."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


register_immutable(
    Inherited,
    lambda freezer, inherited: (Inherited, freezer.freeze(inherited.value)),
    lambda thawer, key: Inherited(thawer.thaw(key[1])),
)


def _is_absent(value: object) -> bool:
    return value is UNBOUND or type(value) is Inherited


def _own(location: Location) -> Any:
    """The value that an instance itself has at a location; `UNBOUND` where it has none."""
    value = read_location(location)
    return UNBOUND if _is_absent(value) else value


def _of_class(shared: SharedObject, name: str) -> Any:
    """An attribute that an instance has not, by its class. Raises `AttributeError`."""
    kind = type(shared)
    for base in kind.__mro__:
        member = members_of(base).get(name, UNBOUND)
        if member is not UNBOUND and not isinstance(member, types.MemberDescriptorType):
            get = getattr(type(member), "__get__", None)
            return member if get is None else get(member, shared, kind)
    raise _lacks(shared, name)


def _lacks(shared: SharedObject, name: str) -> Exception:
    """What Python raises for an attribute that is not there; or for a variable without a value."""
    kind = type(shared)
    if name in getattr(kind, VARIABLES, ()):
        return NameError(
            f"cannot access free variable {name!r} where it is not associated with a value in "
            "enclosing scope"
        )
    return AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")


def _check_kept(shared: SharedObject, name: str) -> None:
    what = getattr(type(shared), KEPT, {}).get(name)
    if what is not None:
        current_port().halt(reflection.refuse_to_set(f"self.{name}", name, what))


def set_attribute(shared: SharedObject, name: str, value: object) -> None:
    """Store an attribute in the instance itself."""
    _check_kept(shared, name)
    locations: dict[str, Location] = _get(shared, "_locations")
    location = locations.get(name)
    if location is None:
        if not name.isidentifier():
            current_port().halt(_no_identifier(name))
        current_port().begin_again(_late(shared, name))
    else:
        write_location(location, value)


def _no_identifier(name: str) -> ModelError:
    return ModelError(
        f"this sets an attribute named {name!r}, which is no name that code could have",
        remedy="keep what has such a name in a dict",
    )


def delete_attribute(shared: SharedObject, name: str) -> None:
    """Leave the instance itself without an attribute. Raises `AttributeError`."""
    _check_kept(shared, name)
    locations: dict[str, Location] = _get(shared, "_locations")
    location = locations.get(name)
    error = _lacks(shared, name)
    if location is None:
        raise error
    delete_location(location, error, _is_absent)


def _late(shared: SharedObject, name: str) -> str:
    path: str = _get(shared, "_path")
    return f"{path}.{name}" if path else name


class InstanceDict(MutableMapping[str, Any]):
    """`__dict__` of a shared instance: a view of its attributes."""

    __slots__ = ("_shared",)

    def __init__(self, shared: Any) -> None:
        self._shared = shared

    def _location(self, name: str) -> Location | None:
        if name in slots_of(type(self._shared)):
            return None
        locations: dict[str, Location] = _get(self._shared, "_locations")
        return locations.get(name)

    def __getitem__(self, name: str) -> Any:
        location = self._location(name)
        value = UNBOUND if location is None else _own(location)
        if value is UNBOUND:
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        return self.get(name, UNBOUND) is not UNBOUND

    def get(self, name: Any, default: Any = None, /) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __setitem__(self, name: str, value: object) -> None:
        set_attribute(self._shared, name, value)

    def __delitem__(self, name: str) -> None:
        location = self._location(name)
        if location is None:
            raise KeyError(name)
        delete_location(location, KeyError(name), _is_absent)

    def __iter__(self) -> Iterator[str]:
        locations: dict[str, Location] = _get(self._shared, "_locations")
        slots = slots_of(type(self._shared))
        for name, location in locations.items():
            if name not in slots and _own(location) is not UNBOUND:
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))


def _freeze(freezer: Freezer, value: Any) -> Key:
    return (InstanceDict, freezer.freeze(value._shared))


def _thaw(thawer: Thawer, key: Key) -> InstanceDict:
    return InstanceDict(thawer.thaw(key[1]))


register_immutable(InstanceDict, _freeze, _thaw)


def _inside(self: Any, section: str) -> int:
    return current_port().inside(section)


def _finished(self: Any, thread: str, index: int | None = None) -> bool:
    return current_port().finished(thread, index)


OF_MODEL = {"inside": _inside, "finished": _finished}
"""What the model itself can do besides."""


def make_stand_in(cls: type, number: int, path: str) -> Any:
    """An instance of a stand-in class."""
    made: Any = object.__new__(cls)
    object.__setattr__(made, "_number", number)
    object.__setattr__(made, "_locations", {})
    object.__setattr__(made, "_path", path)
    return made
