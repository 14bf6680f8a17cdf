"""Attributes of instances that threads made: the parts of their rooms, by accesses."""

from __future__ import annotations

from typing import Any

from interleave.memory.closures import variable
from interleave.memory.port import AccessKind, Location, current_port
from interleave.memory.values import UNBOUND

_get = object.__getattribute__


def read(made: Any, name: str, *, of_class: bool, private: bool = False) -> Any:
    """An attribute in the room of an instance; its class's, if wanted, or `UNBOUND` otherwise.

    `private`: nobody else ever sets it.
    """
    location: Location = _get(made, "_location")
    port = current_port()

    def effect() -> Any:
        contents = port.read(location, part=None)
        port.read(location, part=(name,))
        for each, value in contents:
            if each == name:
                return value
        return _get(made, name) if of_class else UNBOUND  # or an AttributeError

    if location.varying is not None and name not in location.varying:
        return effect()  # looking at what nobody sets is no access
    kind = AccessKind("" if private else "read", location, _part(made, name))
    return port.access(kind, effect, private=private)


def names(made: Any) -> list[str]:
    """The names of what is in the room of an instance."""
    location: Location = _get(made, "_location")
    port = current_port()

    def effect() -> list[str]:
        return [name for name, _ in port.read(location, part=None)]

    found: list[str] = port.access(AccessKind("read", location), effect)
    return found


def write(made: Any, name: str, value: object) -> None:
    """Give an attribute a value in the room of an instance."""
    location: Location = _get(made, "_location")
    port = current_port()
    if location.varying is not None and name not in location.varying:
        port.begin_again(name)

    def effect() -> None:
        attributes = dict(port.read(location, part=None))
        attributes[name] = value
        port.write(location, tuple(attributes.items()), part=(name,))

    port.access(AccessKind("write", location, _part(made, name)), effect)


def delete(made: Any, name: str, error: Exception) -> None:
    """Leave the room of an instance without an attribute; raises `error` where it has none."""
    location: Location = _get(made, "_location")
    port = current_port()

    def effect() -> None:
        attributes = dict(port.read(location, part=None))
        if name not in attributes:
            raise error
        del attributes[name]
        port.write(location, tuple(attributes.items()), part=(name,))

    port.access(AccessKind("delete", location, _part(made, name)), effect)


def _part(made: Any, name: str) -> str:
    """An attribute in words; of a variable that functions share there is only one."""
    return "" if isinstance(made, variable) else f".{name}"
