"""Methods that are looked up on a type of Python's and given the object: `list.append(x, 1)`.

A shared object is no instance of that type, and has a method of its own by that name.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.derived import base_of, is_derived
from interleave.memory.dicts import DICTS
from interleave.memory.port import current_port
from interleave.memory.values import (
    AsAnother,
    Same,
    Shared,
    is_frozen_dataclass,
    members_of,
    register_immutable,
)

UNBOUND_TYPES: tuple[type, ...] = (object, list, dict, set, deque, type, *DICTS)
"""The types whose methods may be given a shared object."""

UNBOUND_NAMES = frozenset(kind.__name__ for kind in UNBOUND_TYPES)
"""The names of these types."""


class UnboundMethod:
    """What `kind.name` gives in a model, for a method of one of these types."""

    __slots__ = ("__name__", "__qualname__", "_kind", "_method")

    def __init__(self, kind: type, name: str) -> None:
        self._kind = kind
        self._method = getattr(kind, name)
        self.__name__ = name
        self.__qualname__ = f"{kind.__name__}.{name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        kind, name = self._kind, self.__name__
        if args and (base := base_of(kind)) is not None and is_derived(type(args[0]), kind):
            return getattr(base, name)(*args, **kwargs)
        if args and _stands_for_another(args[0]):
            return _of_shared(kind, name, args[0])(*args[1:], **kwargs)
        if kind is object and name in ("__setattr__", "__delattr__") and args:
            _refuse_value(args[0])
        return self._method(*args, **kwargs)

    def __repr__(self) -> str:
        return repr(self._method)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


@functools.cache
def unbound(kind: type, name: str) -> Any:
    """The same for anything that one of these types has."""
    method = getattr(kind, name)
    is_of_class = isinstance(getattr(method, "__self__", None), type)
    if not callable(method) or is_of_class or name == "__new__":
        return method
    if method is object.__init__:  # it does nothing, and classes without their own have it too
        return method
    return UnboundMethod(kind, name)


register_immutable(
    UnboundMethod, lambda _, value: (UnboundMethod, Same(value)), lambda _, key: key[1].it
)


class Bare:
    """What `object()` gives to a thread: nothing but itself."""


Bare.__name__ = Bare.__qualname__ = "object"
Bare.__module__ = "builtins"


def class_of(value: object) -> type:
    """What `type(value)` gives in a model: for what stands for an object, the object's class."""
    kind = type(value)
    return value.__class__ if issubclass(kind, Shared | AsAnother) else kind


def _stands_for_another(value: object) -> bool:
    """Whether a value is a shared object, or the twin of a class."""
    return any(
        base is Shared or (issubclass(base, type) and base.__module__.startswith("interleave."))
        for base in type(value).__mro__
    )


def _of_shared(kind: type, name: str, shared: Any) -> Callable[..., Any]:
    """The method of a shared object that a type's own one stands for, past the user's classes."""
    for base in type(shared).__mro__:
        own = members_of(base)
        is_ours = base.__module__.startswith("interleave.")
        if name in own and (is_ours or kind not in (object, type)):
            found: Callable[..., Any] = own[name].__get__(shared)
            return found
    if isinstance(shared, type):
        return functools.partial(getattr(kind, name), shared)
    return getattr(shared, name)


def _refuse_value(value: object) -> None:
    """Refuse to change a frozen dataclass, which is a value wherever a state has it."""
    if is_frozen_dataclass(type(value)) and current_port().holds(value):
        current_port().halt(
            ModelError(
                f"object.__setattr__ changes a {type(value).__name__}, which is frozen",
                remedy="leave `frozen=True` out: it is no value that can be shared as it is",
            )
        )
