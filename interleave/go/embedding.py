"""Structs that embed a primitive: `class Server(go.Mutex)` for `type Server struct { sync.Mutex }`.

A base class stands for the embedded field, which has the name of its type: `s.Mutex.Lock()` is what
`s.Lock()` does. Each instance has a field of its own, whether or not its class has an `__init__`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_PYTHONS = ("__enter__", "__exit__", "give")
"""What is promoted besides what has a name of Go's: for `with`, and for a `Cond` with this lock."""


def embedding(kind: type, make: Callable[[], Any]) -> type:
    """A class whose instances have a primitive of a kind, which `make` makes, and can do what it
    can do.
    """
    field = kind.__name__
    promoted = [name for name in dir(kind) if name[0].isupper() or name in _PYTHONS]

    def new(cls: type, *args: Any, **kwargs: Any) -> Any:
        following: Any = super(base, cls).__new__  # type: ignore[arg-type]  # it is a type
        is_last = following is object.__new__
        made = following(cls) if is_last else following(cls, *args, **kwargs)
        object.__setattr__(made, field, make())
        return made

    members = {name: _promoted(field, name) for name in promoted}
    base: type = type(field, (), {"__module__": __name__, "__new__": new, **members})
    return base


def _promoted(field: str, name: str) -> property:
    """A method or field of an embedded field."""

    def get(self: Any) -> Any:
        return getattr(getattr(self, field), name)

    def put(self: Any, value: Any) -> None:
        setattr(getattr(self, field), name, value)

    return property(get, put)
