"""What the code of a model may not use: an error where it runs, and not before."""

from __future__ import annotations

from typing import Any

from interleave.errors import InterleaveError
from interleave.memory.port import current_port
from interleave.memory.values import Freezer, Key, Thawer, _Same, register_immutable


class Refused:
    """Stands for what has no modelled counterpart: whatever is done with it is the error."""

    __slots__ = ("_error",)

    def __init__(self, error: InterleaveError) -> None:
        object.__setattr__(self, "_error", error)


def _refuse(self: Refused, *_: object, **__: object) -> Any:
    current_port().halt(object.__getattribute__(self, "_error"))


for _name in (
    "__call__", "__getattr__", "__setattr__", "__delattr__", "__bool__", "__len__", "__iter__",
    "__next__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__enter__",
    "__exit__", "__aenter__", "__aexit__", "__await__", "__str__", "__repr__", "__format__",
    "__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__index__", "__int__",
    "__float__", "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__neg__",
    "__truediv__", "__rtruediv__", "__floordiv__", "__rfloordiv__", "__mod__", "__rmod__",
    "__pow__", "__rpow__", "__and__", "__rand__", "__or__", "__ror__", "__xor__", "__rxor__",
    "__invert__", "__lshift__", "__rshift__", "__instancecheck__", "__mro_entries__",
):  # fmt: skip
    setattr(Refused, _name, _refuse)


def _freeze(_: Freezer, value: Any) -> Key:
    return (Refused, _Same(value))


def _thaw(_: Thawer, key: Key) -> Any:
    return key[1].it


register_immutable(Refused, _freeze, _thaw)
