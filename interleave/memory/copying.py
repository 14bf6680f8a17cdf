"""What `copy` makes of the stand-in of an instance: an instance of the class itself."""

from __future__ import annotations

import copyreg
from typing import Any

from interleave.memory.values import slots_of

_MAKERS: dict[str, Any] = vars(copyreg)


def reduce_instance(shared: Any, _: object = None) -> Any:
    """`object.__reduce_ex__` of an instance that stands for another one, or is in a room."""
    kind: Any = shared.__class__
    if kind.__reduce__ is not object.__reduce__:
        return shared.__reduce__()
    arguments, named = (), {}
    if hasattr(kind, "__getnewargs_ex__"):
        arguments, named = shared.__getnewargs_ex__()
    elif hasattr(kind, "__getnewargs__"):
        arguments = shared.__getnewargs__()
    if named:
        return _MAKERS["__newobj_ex__"], (kind, arguments, named), _state(kind, shared)
    return _MAKERS["__newobj__"], (kind, *arguments), _state(kind, shared)


def _state(kind: Any, shared: Any) -> Any:
    if kind.__getstate__ is not object.__getstate__:
        return shared.__getstate__()
    own = dict(shared.__dict__) if hasattr(shared, "__dict__") else {}
    slots = {name: getattr(shared, name) for name in slots_of(kind) if hasattr(shared, name)}
    return (own or None, slots) if slots else own or None
