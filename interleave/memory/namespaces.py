"""`types.SimpleNamespace` as a class in Python: an object with attributes, and nothing else."""

from __future__ import annotations

import reprlib
import types
from typing import Any

from interleave.memory.values import Freezer, Key, Thawer, register_mutable


class SimpleNamespace:
    """After Objects/namespaceobject.c of CPython 3.13."""

    stands_in_for = types.SimpleNamespace

    def __init__(self, mapping_or_iterable: Any = (), /, **kwargs: Any) -> None:
        for name, value in {**dict(mapping_or_iterable), **kwargs}.items():
            setattr(self, name, value)

    @reprlib.recursive_repr("namespace(...)")
    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        name = type(self).__name__
        return f"{'namespace' if name == 'SimpleNamespace' else name}({inside})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SimpleNamespace | types.SimpleNamespace):
            return NotImplemented
        return dict(self.__dict__) == dict(other.__dict__)

    __hash__ = None  # type: ignore[assignment]


def _freeze(freezer: Freezer, value: types.SimpleNamespace) -> Any:
    return freezer.freeze(tuple(vars(value).items()))


def _thaw(thawer: Thawer, key: Key) -> Any:
    made = thawer.placed(key[1], types.SimpleNamespace())
    vars(made).update(thawer.thaw(key[2]))
    return made


register_mutable(types.SimpleNamespace, _freeze, _thaw)
