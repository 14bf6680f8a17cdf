"""What `x is y` becomes. A state holds values, and not which of them are one object.

A tuple that is read from a state is another tuple than the one that was written, and two that are
equal may be one. So of equal values nobody knows whether they are one object in Python, except of
what has an identity in a state, or is there once: an object, a function, a small number.
"""

from __future__ import annotations

from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.unbound import class_of
from interleave.memory.values import (
    Freezer,
    OrderedFrozenSet,
    Same,
    Uncapturable,
    derives_from_plain,
    is_frozen_dataclass,
)

SAME = "@same"

_WITHOUT_IDENTITY = (
    str, bytes, int, float, complex, tuple, frozenset, OrderedFrozenSet, range, slice,
)  # fmt: skip
"""Types of which a state has the values, and no more."""

_SMALL = range(-5, 257)
"""The integers of which CPython has one object each."""


def same(one: Any, other: Any) -> bool:
    """Whether two values are one object. No code goes on where that cannot be told."""
    kind = type(one)
    if one is other:
        is_known = not _is_without_identity(kind) or _is_there_once(one)
        return True if is_known else _refuse(one)
    if kind is not type(other) or _kept(one) != _kept(other):
        return False
    return True if _is_there_once(one) or _stands_for_one(kind) else _refuse(one)


def _is_there_once(value: Any) -> bool:
    """Whether CPython has one object for a value: the empty ones, small numbers, one character."""
    kind = type(value)
    if kind is int:
        return value in _SMALL
    if kind is str:
        return len(value) == 0 or (len(value) == 1 and value < "\u0100")
    if kind is bytes:
        return len(value) <= 1
    return kind is tuple and len(value) == 0


def _stands_for_one(kind: type) -> bool:
    """Whether all that is equal of a class stands for one object: for a thread, say."""
    own = vars(kind)
    return "stands_for" in own and str(own.get("__module__")).startswith("interleave.")


def _is_without_identity(kind: type) -> bool:
    if kind in _WITHOUT_IDENTITY or derives_from_plain(kind):
        return True
    return is_frozen_dataclass(kind) and not _stands_for_one(kind)


def _kept(value: Any) -> Any:
    """What a state would have for a value; for one that no state can hold, what no other has."""
    try:
        return Freezer(share=Same).freeze(value)
    except Uncapturable:
        return Same(value)


def _refuse(value: Any) -> Any:
    error = ModelError(
        f"this asks whether two equal values of type {class_of(value).__name__} are one object, "
        "and a state does not hold that",
        remedy="compare them by ==, or compare objects with an identity of their own",
    )
    return current_port().halt(error)
