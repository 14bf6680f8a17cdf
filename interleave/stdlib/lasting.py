"""What lives as long as the program, so that no step has to show when it is let go.

Functions, classes and modules do, and objects that are where they were found before the threads,
with nothing on the way to them that changes.
"""

from __future__ import annotations

import types
from typing import Any

from interleave.errors import ModelError
from interleave.memory.closures import Closure
from interleave.memory.containers import SharedContainer
from interleave.memory.port import current_port
from interleave.memory.values import Shared

_NAMED = (types.FunctionType, types.BuiltinFunctionType, type, types.ModuleType)
_WITHOUT = (int, float, complex, str, bytes, tuple, list, dict, type(None))


def refuses_references(value: Any) -> bool:
    """Whether a value is of one of the types of whose objects there are no weak references."""
    kind = type(value)
    return (kind._type if issubclass(kind, SharedContainer) else kind) in _WITHOUT


def no_reference(value: Any) -> TypeError:
    """What Python raises there."""
    return TypeError(f"cannot create weak reference to {type(value).__name__!r} object")


def lasting(value: Any) -> Any:
    """A value, if it lives as long as the program. Raises the `TypeError` of Python's."""
    if refuses_references(value):
        raise no_reference(value)
    if issubclass(type(value), Shared):
        is_known = current_port().is_lasting(value)
    else:
        is_known = isinstance(value, _NAMED) and "<locals>" not in value.__name__
        is_known = is_known and "<locals>" not in getattr(value, "__qualname__", "")
    if is_known:
        return value
    kind = "function" if isinstance(value, Closure) else type(value).__name__
    return current_port().halt(
        ModelError(
            f"there is a weak reference to a {kind} that may be let go, and no step shows when",
            remedy="keep it in an attribute that nothing sets, or refer to it as usual",
        )
    )
