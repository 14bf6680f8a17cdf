"""What `x is y` becomes. A state holds values, and not which of them are one object.

A tuple that is read from a state is another tuple than the one that was written, and two that are
equal may be one. So of equal values nobody knows whether they are one object in Python, except of
what has an identity in a state, or is one wherever it is: an object, a function, a number that
Python has only one of.
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

_MADE_ANEW = (tuple, float, complex, frozenset, OrderedFrozenSet, range, slice)
"""Types of values that are made anew when they are read from a state."""


def same(one: Any, other: Any) -> bool:
    """Whether two values are one object. No code goes on where that cannot be told."""
    kind = type(one)
    if one is other:
        return True if not _is_made_anew(kind) or (kind is tuple and not one) else _refuse(one)
    if kind is not type(other) or _kept(one) != _kept(other):
        return False
    return True if _stands_for_one(kind) else _refuse(one)


def _stands_for_one(kind: type) -> bool:
    """Whether all that is equal of a class stands for one object: for a thread, say."""
    own = vars(kind)
    return "stands_for" in own and str(own.get("__module__")).startswith("interleave.")


def _is_made_anew(kind: type) -> bool:
    if kind in _MADE_ANEW or derives_from_plain(kind):
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
