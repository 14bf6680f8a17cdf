"""`itertools.count` that a state can hold, and one that threads share.

To take a number is one access. CPython up to 3.13 without a GIL gives one number to two threads
now and then; from 3.14 on it does not (python/cpython#123471).
"""

from __future__ import annotations

import ast
import itertools
from typing import Any

from interleave.errors import ModelError
from interleave.memory.containers import CONTAINERS, SharedContainer
from interleave.memory.looking import looks_only
from interleave.memory.port import current_port
from interleave.memory.values import Freezer, Key, Thawer, register_mutable


def parts_of(counter: itertools.count[Any]) -> tuple[Any, ...]:
    """Where a counter is, and its step. Raises `ModelError` where these are no plain numbers."""
    inside = repr(counter).removeprefix("count")
    try:
        found = ast.literal_eval(f"{inside[:-1]},)")
    except (SyntaxError, ValueError):
        error = ModelError(
            f"itertools.{counter!r} counts by what is no plain number",
            remedy="count in a variable of your own",
        )
        raise current_port().halt(error) from None
    return (*found, 1)[:2]


class SharedCount(SharedContainer):
    """A shared `itertools.count`."""

    __slots__ = ()
    _type = itertools.count

    @classmethod
    @looks_only
    def contents(cls, value: Any) -> tuple[Any, ...]:
        return parts_of(value)

    @looks_only
    def build(self, contents: tuple[Any, ...]) -> Any:
        return itertools.count(*contents)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self.operate("__next__")

    def __repr__(self) -> str:
        return str(self.operate("__repr__"))

    __hash__ = object.__hash__  # type: ignore[assignment]


SharedCount.__name__ = "count"
CONTAINERS[itertools.count] = SharedCount


def _freeze(freezer: Freezer, value: itertools.count[Any]) -> Key:
    return freezer.freeze(parts_of(value))


def _thaw(thawer: Thawer, key: Key) -> itertools.count[Any]:
    return thawer.placed(key[1], itertools.count(*thawer.thaw(key[2])))


register_mutable(itertools.count, _freeze, _thaw)
