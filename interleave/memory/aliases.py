"""Aliases of generic classes, `Box[int]`: values, equal where what they are of is.

What is made by calling one refers to it, as `__orig_class__`.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any

from interleave.memory.values import register_immutable

Alias: Any = type(typing.List[int])  # noqa: UP006  (`list[int]` is of another class)

ORIGINAL_CLASS = "__orig_class__"
"""The attribute that refers to the alias; it is there for type checkers, and no report shows it."""


def alias_in(meaning: Callable[[Any], Any], alias: Any) -> Any:
    """What an alias is where the classes in it have another meaning."""
    origin = meaning(alias.__origin__)
    if origin is alias.__origin__:
        return alias
    return origin[tuple([meaning(each) if _is_class(each) else each for each in alias.__args__])]


def _is_class(argument: object) -> bool:
    return issubclass(type(argument), type | Alias)


register_immutable(Alias, lambda _, value: (Alias, value), lambda _, key: key[1])
