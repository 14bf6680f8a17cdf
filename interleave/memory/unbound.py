"""Methods that are looked up on a type of Python's and given the object: `list.append(x, 1)`.

A shared object is no instance of that type, and has a method of its own by that name.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.dicts import DICTS
from interleave.memory.port import current_port
from interleave.memory.values import AsAnother, Shared, is_frozen_dataclass, members_of

UNBOUND_TYPES: tuple[type, ...] = (object, list, dict, set, deque, type, *DICTS)
"""The types whose methods may be given a shared object."""

UNBOUND_NAMES = frozenset(kind.__name__ for kind in UNBOUND_TYPES)
"""The names of these types."""


def unbound(kind: type, name: str) -> Any:
    """What `kind.name` gives in a model, for one of these types."""
    method = getattr(kind, name)
    if not callable(method) or isinstance(getattr(method, "__self__", None), type):
        return method  # a class method

    def call(*args: Any, **kwargs: Any) -> Any:
        if args and _stands_for_another(args[0]):
            return _of_shared(kind, name, args[0])(*args[1:], **kwargs)
        if kind is object and name in ("__setattr__", "__delattr__") and args:
            _refuse_value(args[0])
        return method(*args, **kwargs)

    call.__name__ = name
    call.__qualname__ = f"{kind.__name__}.{name}"
    return method if name == "__new__" else call


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
