"""`threading.local` as classes of the model derive from it.

An instance is an object with one attribute, which no code can name: a modelled `local`, with what
each thread keeps in it. What a class defines besides is found where a thread has nothing.
"""

from __future__ import annotations

import gc
from typing import Any

from interleave.memory.derived import LOCAL, inner_of
from interleave.memory.descriptors import gets_itself, sets_itself
from interleave.memory.values import UNBOUND, Uncapturable, register_immutable
from interleave.stdlib.registry import Base
from interleave.stdlib.threading.local import (
    Local,
    captured_local,
    drop,
    has_begun,
    kept_before,
    local_with,
    look,
    made_with,
    put,
)

_BEGINNING = "(beginning)"
"""Attribute of what `__init__` is given where it runs for a thread: it has no attribute besides
until then, and nobody else is to see it.
"""


class _Beginning:
    """What is there, which no state can hold."""


def _freeze(_: Any, value: object) -> Any:
    raise Uncapturable(value, "__init__ of a class that derives from threading.local gives it away")


register_immutable(_Beginning, _freeze, lambda _, key: key)


class local:
    """What a class derives from in place of `threading.local`."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        made = object.__new__(cls)
        made.__dict__[LOCAL] = local_with(args, kwargs)  # whose `__init__` is about to run
        return made

    def __getattribute__(self, name: str) -> Any:
        if _is_of_class(name):
            return super().__getattribute__(name)
        if not gets_itself(type(self), name) and (inner := _inner(self)) is not None:
            found = look(inner, name, _first(self, inner))
            if found is not UNBOUND:
                return found
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        inner = _inner(self)
        if _is_of_class(name) or sets_itself(type(self), name) or inner is None:
            super().__setattr__(name, value)
        else:
            put(inner, name, value, _first(self, inner))

    def __delattr__(self, name: str) -> None:
        inner = _inner(self)
        if _is_of_class(name) or sets_itself(type(self), name) or inner is None:
            super().__delattr__(name)
        elif not drop(inner, name, _first(self, inner)):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _is_of_class(name: str) -> bool:
    return name in _OURS or (name.startswith("__") and name.endswith("__"))


_OURS = ("_number", "_location", "_locations", "_path")
"""What stands for an instance has by these names."""


def _inner(value: Any) -> Local | None:
    """The `local` with what threads keep; None for what is given to `__init__`."""
    found = inner_of(value, LOCAL)
    return None if found is UNBOUND else found


def _first(value: Any, inner: Local) -> dict[str, Any] | None:
    """What `__init__` keeps for a thread that comes by an instance for the first time; None where
    it has run.
    """
    kind = value.__class__
    if kind.__init__ is object.__init__ or has_begun(inner):
        return None
    beginning = object.__new__(kind)
    own = object.__getattribute__(beginning, "__dict__")
    own[_BEGINNING] = _Beginning()
    args, kwargs = made_with(inner)
    kind.__init__(beginning, *args, **kwargs)
    return {name: kept for name, kept in own.items() if name != _BEGINNING}


def taken_over(walk: Any, real: Any, path: str) -> dict[str, Any]:
    """The attributes of what stands for an instance that was there before the threads."""
    behind = object()
    args, kwargs = _made_with(real)
    made_with_these = ("made with", (args, tuple(kwargs.items())))
    captured_local(walk, behind, path, kept_before(real), (made_with_these,))
    return {LOCAL: behind}


def _made_with(real: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a real instance gives `__init__` in each thread: it says so to the garbage collector
    only. Source: `local_traverse` in Modules/_threadmodule.c.
    """
    told = gc.get_referents(real)
    place = next(place for place, each in enumerate(told) if type(each) is tuple)
    args, (named, *_) = told[place], [*told[place + 1 :], None]
    are_keywords = type(named) is dict and all(type(name) is str for name in named)
    return args, named if are_keywords else {}


BASE = Base(local, taken_over, is_all=True)
