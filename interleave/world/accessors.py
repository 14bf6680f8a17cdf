"""Methods that get and set attributes by name, past what a class says: `object.__setattr__`.

A class that does not define them has those of Python's types, which know nothing of what stands for
objects.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import partial
from typing import Any

from interleave.memory.unbound import unbound
from interleave.memory.values import Shared
from interleave.world import reflection

ACCESSORS = frozenset({"__getattribute__", "__setattr__", "__delattr__"})
"""Their names."""


def accessor(owner: Any, name: str) -> Any:
    """What `owner.__setattr__` and the like give in a model."""
    if isinstance(owner, types.ModuleType) and issubclass(type(owner), Shared):
        return _checked(name, getattr(type(owner), name), owner)
    found = getattr(owner, name)
    if type(found) is types.WrapperDescriptorType:
        return _checked(name, unbound(found.__objclass__, name))
    if type(found) is types.MethodWrapperType:
        return _checked(name, unbound(found.__objclass__, name), found.__self__)
    return found


def _checked(how: str, method: Callable[..., Any], *owner: Any) -> Callable[..., Any]:
    """A method that is given an object first, unless it is that of `owner`."""
    return partial(Accessor(how, method), *owner)


class Accessor:
    """A method by which Python gets or sets attributes, `how` being its name."""

    __slots__ = ("how", "method")

    def __init__(self, how: str, method: Callable[..., Any]) -> None:
        self.how = how
        self.method = method

    def __call__(self, owner: Any, name: str, *value: Any) -> Any:
        look = reflection.used if self.how == "__getattribute__" else reflection.settable
        look(owner, name)
        return self.method(owner, name, *value)
