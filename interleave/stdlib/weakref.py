"""The `weakref` module, for what lives as long as the program.

No state says when CPython would let go of an object, so a weak reference is one to what is never
let go: functions, classes and modules, and objects that are where they were found before the
threads, with nothing on the way to them that changes. Then it is as good as any other, and what is
to be called when its object is gone is not called while threads run. All others are refused.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.memory.values import Freezer, Key, Thawer, register_immutable
from interleave.said import shown_by
from interleave.stdlib import weak_containers
from interleave.stdlib.lasting import lasting


class ReferenceType:
    """`weakref.ref`."""

    _refers_weakly = True

    def __init__(self, of: Any, callback: Any = None, /) -> None:
        self._of = lasting(of)
        self.__callback__ = callback

    def __call__(self) -> Any:
        return lasting(self._of)

    def __eq__(self, other: object) -> bool:
        return self._of == other._of if isinstance(other, ReferenceType) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._of)

    def __repr__(self) -> str:
        return f"<weakref to {shown_by(self._of)}>"


class WeakMethod(ReferenceType):
    """`weakref.WeakMethod`."""

    def __init__(self, of: Any, callback: Any = None, /) -> None:
        if not isinstance(of, types.MethodType):
            kind = type(of)
            raise TypeError(f"argument should be a bound method, not {kind}")
        super().__init__(of.__self__, callback)
        self._function = of.__func__

    def __call__(self) -> Any:
        return types.MethodType(self._function, super().__call__())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WeakMethod):
            return NotImplemented
        return self._function is other._function and self._of == other._of

    __hash__ = ReferenceType.__hash__


class finalize:
    """`weakref.finalize`. What it is to call is called when the program ends: no model has that."""

    _refers_weakly = True

    def __init__(self, of: Any, function: Any, /, *args: Any, **kwargs: Any) -> None:
        self._of = lasting(of)

    @property
    def alive(self) -> bool:
        """Whether it has not been called."""
        return True

    def __call__(self) -> Any:
        return current_port().halt(
            ModelError(
                "a weakref.finalize is called before its object is gone",
                remedy="call the function itself",
            )
        )


def capturing(real: Any) -> Callable[..., Any] | None:
    """What makes the stand-in of a real weak reference, or of what is to be called in the end."""
    return _CAPTURING.get(type(real))


def _capture(walk: Any, real: Any, path: str) -> Any:
    of = real()
    if of is None:
        raise walk.uncapturable(real, path)
    if id(getattr(of, "__self__", of)) in walk.copies:
        raise ModelError(
            f"{path} is a weak reference to what each run of setup has a copy of",
            remedy="make both in setup",
        )
    is_method = type(real) is weakref.WeakMethod
    made: Any = object.__new__(WeakMethod if is_method else ReferenceType)
    callback = None if is_method else real.__callback__  # else it is one of the library's own
    made.__callback__ = callback and walk.visit(callback, path)
    made._of = walk.visit(of.__self__ if is_method else of, path)
    if is_method:
        made._function = walk.visit(of.__func__, path)
    return walk.keep(real, made)


def _capture_finalize(walk: Any, real: weakref.finalize[Any, Any], path: str) -> Any:
    found = real.peek()
    if found is None:
        raise walk.uncapturable(real, path)
    made = object.__new__(finalize)
    made._of = walk.visit(found[0], path)
    return walk.keep(real, made)


_CAPTURING: dict[type, Callable[..., Any]] = {
    weakref.ReferenceType: _capture,
    weakref.WeakMethod: _capture,
    weakref.finalize: _capture_finalize,
    **dict.fromkeys(weak_containers.REAL, weak_containers.capture),
}


def _freeze(freezer: Freezer, value: Any) -> Key:
    return (type(value), freezer.freeze(tuple(vars(value).items())))


def _thaw(thawer: Thawer, key: Key) -> Any:
    made = object.__new__(key[0])
    vars(made).update(thawer.thaw(key[1]))
    return made


for _kind in (ReferenceType, WeakMethod, finalize):
    register_immutable(_kind, _freeze, _thaw)

PRIMITIVES: dict[type, type[Primitive]] = {}
FUNCTIONS: dict[str, Any] = {
    "ReferenceType": ReferenceType,
    "ref": ReferenceType,
    "WeakMethod": WeakMethod,
    "finalize": finalize,
    **weak_containers.FUNCTIONS,
}
