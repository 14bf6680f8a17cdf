"""What of the `dataclasses` module goes through objects that threads share.

`asdict` and `astuple` make containers of the type that they meet, which in a model is a stand-in.
After Lib/dataclasses.py of CPython 3.11 to 3.14: each field and each container is an access of its
own. Before 3.12, a `defaultdict` is made as any dict is, which raises `TypeError`.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Callable
from typing import Any

Make = Callable[[list[tuple[str, Any]]], Any]
"""What makes something of the names and values of fields."""


def asdict(obj: Any, *, dict_factory: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """The fields of an instance as a dict, and so on inwards."""
    if not _is_instance(obj):
        raise TypeError("asdict() should be called on dataclass instances")
    return _inside(obj, dict_factory)


def astuple(obj: Any, *, tuple_factory: Callable[[list[Any]], Any] = tuple) -> Any:
    """The fields of an instance as a tuple, and so on inwards."""
    if not _is_instance(obj):
        raise TypeError("astuple() should be called on dataclass instances")
    return _inside(obj, lambda pairs: tuple_factory([value for _, value in pairs]))


def _is_instance(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _inside(value: Any, make: Make) -> Any:
    """A value with what `make` makes of each instance in it."""
    kind = value.__class__  # what the model takes it for
    if _is_instance(value):
        names = [field.name for field in dataclasses.fields(value)]
        return make([(name, _inside(getattr(value, name), make)) for name in names])
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return kind(*[_inside(each, make) for each in value])
    if issubclass(kind, list | tuple):
        return kind([_inside(each, make) for each in value])
    if issubclass(kind, dict):
        if hasattr(kind, "default_factory") and sys.version_info >= (3, 12):
            made = kind(value.default_factory)
            for key, each in value.items():
                made[_inside(key, make)] = _inside(each, make)
            return made
        return kind([(_inside(key, make), _inside(each, make)) for key, each in value.items()])
    return copy.deepcopy(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {"asdict": asdict, "astuple": astuple}
PRIMITIVES: dict[type, type] = {}
