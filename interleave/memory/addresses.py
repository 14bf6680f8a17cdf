"""What `id` and `hash` tell of an object: a number that may be compared, and not computed with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NoReturn, Self

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.values import register_immutable

_SHARED = 1 << 48
_CONSTANT = 1 << 49
"""Where the numbers begin that stand for addresses: no real address is as high."""

_APART = 16
"""How far they are apart, as addresses are. A hash that is made of one comes in between."""


class ObjectId(int):
    """An object, as `id` tells of it, or `hash` where that depends on the address alone.

    It may be compared, and be a key. What arithmetic would make of a real one, nobody can say.
    """

    __slots__ = ()

    @classmethod
    def of_shared(cls, index: int) -> Self:
        """The number of a shared object, by the one that its heap has for it."""
        return cls(_SHARED + _APART * index)

    @classmethod
    def of_constant(cls, number: int) -> Self:
        """The number of any other object, by a number that no other of these has."""
        return cls(_CONSTANT + _APART * number)

    @property
    def shared(self) -> int | None:
        """What `of_shared` was given."""
        plain = int.__index__(self)
        return None if plain >= _CONSTANT else (plain - _SHARED) // _APART

    @property
    def is_hash(self) -> bool:
        """Whether it is what `hash` gives."""
        return int.__index__(self) % _APART != 0


def as_hash(number: int) -> ObjectId:
    """What `hash` gives for the object that has this `ObjectId`."""
    return ObjectId(int.__add__(number, _APART // 2))


def _arithmetic(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def operate(self: ObjectId, *others: Any) -> Any:
        if sys._getframe(1).f_code.co_name == "__hash__":
            return plain(self, *others)  # only dicts and sets look at it
        return _refuse_arithmetic()

    return operate


def _refuse_arithmetic() -> NoReturn:
    current_port().halt(
        ModelError(
            "this computes with what id() or hash() gives, which is another number in each run",
            remedy="compare it, use it as a key, or give objects a number of their own",
        )
    )
    raise AssertionError  # halt does not return


for _name in (
    "__abs__", "__add__", "__and__", "__divmod__", "__float__", "__floordiv__", "__int__",
    "__invert__", "__lshift__", "__mod__", "__mul__", "__neg__", "__or__", "__pos__", "__pow__",
    "__radd__", "__rand__", "__rdivmod__", "__rfloordiv__", "__rlshift__", "__rmod__", "__rmul__",
    "__ror__", "__rpow__", "__rrshift__", "__rshift__", "__rsub__", "__rtruediv__", "__rxor__",
    "__sub__", "__truediv__", "__xor__", "bit_length", "to_bytes",
):  # fmt: skip
    setattr(ObjectId, _name, _arithmetic(_name))


# The model sees it. In messages of Python's, it is what it stands for.
ObjectId.__name__ = "int"

register_immutable(
    ObjectId, lambda _, it: (ObjectId, int.__index__(it)), lambda _, key: ObjectId(key[1])
)
