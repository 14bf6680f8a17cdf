"""Functions that threads define, and the variables that they share with where they are defined.

A variable that a function captures and somebody assigns later is an object of its own, like any
other that a thread makes: it moves into a room when the function comes to another thread. What is
captured and never assigned again is copied.
"""

from __future__ import annotations

import types
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.values import Freezer, Key, Same, Thawer, register_immutable

WRAPPED = "__wrapped__"
"""Attribute of a function that says which one it stands for: it can be set, and not looked at."""


class variable:
    """A captured variable: its value is the attribute that has its name, once it has one."""


def cell(name: str, *value: Any) -> variable:
    """A new variable, with its value if it has one."""
    made = variable()
    for each in value:
        setattr(made, name, each)
    return made


class Closure:
    """A function with what it captured, which goes before its other arguments.

    `called` is the name that it was given of the one that it wraps, if any.
    """

    __slots__ = ("called", "captured", "function")

    def __init__(self, function: types.FunctionType, *captured: Any) -> None:
        self.function = function
        self.captured = captured
        self.called = ""

    @property
    def __name__(self) -> str:
        return self.called or self.function.__name__

    def wrapping(self, wrapped: Any) -> Closure:
        """The same under the name of a function that it wraps."""
        made = Closure(self.function, *self.captured)
        made.called = getattr(wrapped, "__name__", self.__name__)
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*self.captured, *args, **kwargs)

    def __setattr__(self, name: str, value: object) -> None:
        if name != WRAPPED:
            object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name == WRAPPED:
            return current_port().halt(
                ModelError(
                    f"{WRAPPED} of a function that a thread has defined is looked at",
                    remedy="pass on the function itself",
                )
            )
        raise AttributeError(f"'function' object has no attribute {name!r}")

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Closure):
            return NotImplemented
        return (self.function, self.captured) == (other.function, other.captured)

    def __hash__(self) -> int:
        return hash(self.function)


class NotGiven:
    """What a parameter with a default value is that no argument was given for."""

    __slots__ = ()


NOT_GIVEN = NotGiven()

register_immutable(NotGiven, lambda *_: (NotGiven,), lambda *_: NOT_GIVEN)


def with_defaults(function: Closure, *values: Any) -> Closure:
    """A function that has captured the default values of its parameters as well."""
    made = Closure(function.function, *function.captured, *values)
    made.called = function.called
    return made


def _freeze(freezer: Freezer, value: Any) -> Key:
    captured = tuple([freezer.freeze(each) for each in value.captured])
    return (Closure, Same(value.function), captured, value.called)


def _thaw(thawer: Thawer, key: Key) -> Closure:
    made = Closure(key[1].it, *[thawer.thaw(each) for each in key[2]])
    made.called = key[3]
    return made


register_immutable(Closure, _freeze, _thaw)
