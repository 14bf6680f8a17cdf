"""What fails in Go where it fails in Python, in the words of Go's runtime.

Operations that both languages write alike panic as in Go: a division of whole numbers, `x[i]`, a
shift, the use of nil. What only Python has (a missing key of a dict, `pop` of an empty list, the
division of a float) fails as in Python.
"""

from __future__ import annotations

from typing import Any

from interleave.go.base import Panic
from interleave.go.channels import nil

_DEREFERENCE = "runtime error: invalid memory address or nil pointer dereference"
_DIVISION = "runtime error: integer divide by zero"
_NIL_MAP = "assignment to entry in nil map"

_OF_NIL = {
    "has no attribute": _DEREFERENCE,
    "is not callable": _DEREFERENCE,
    "does not support the context manager protocol": _DEREFERENCE,
    "does not support item assignment": _NIL_MAP,
}
"""What Python says that an object of a type does not do, and what Go says of nil then."""

_OF_NUMBERS = {
    "integer division or modulo by zero": _DIVISION,
    "integer modulo by zero": _DIVISION,
    "division by zero": _DIVISION,
    "negative shift count": "runtime error: negative shift amount",
}
"""What Python says of whole numbers, and what Go does."""


def is_nil(value: Any) -> bool:
    """Whether something is nil: a pointer, a function, a map, a slice, a channel."""
    return value is None or value is nil


def in_go(error: BaseException) -> BaseException:
    """An exception of Python's; where the same fails in Go, the panic that Go has for it."""
    if isinstance(error, Panic):
        return error
    if isinstance(error, ZeroDivisionError | ValueError):
        words = _OF_NUMBERS.get(str(error), "")
    elif isinstance(error, AttributeError | TypeError):
        words = _said_of_nil(str(error))
    else:
        return error
    return runtime_error(type(error), words) if words else error


def _said_of_nil(text: str) -> str:
    for each in (None, nil):
        for what, words in _OF_NIL.items():
            if text.startswith(f"'{type(each).__name__}' object {what}"):
                return words
    return ""


def runtime_error(kind: type[Exception], words: str) -> Panic:
    """A panic of the runtime's. Handlers of the exception that Python has for it catch it too."""
    like = next(each for each in _PANICS if issubclass(kind, each))
    return _PANICS[like](words)


_PANICS = {
    each: type(Panic.__name__, (Panic, each), {"__module__": Panic.__module__})
    for each in (AttributeError, IndexError, TypeError, ValueError, ZeroDivisionError)
}
"""The class of a panic of the runtime's, by the class that Python has for what goes wrong."""


def out_of_range(index: int, length: int) -> Panic:
    """The panic of `x[index]` for a sequence of a length."""
    of = f" with length {length}" if index >= 0 else ""
    return runtime_error(IndexError, f"runtime error: index out of range [{index}]{of}")


def nil_map() -> Panic:
    """The panic of `x[key] = value` where x is nil."""
    return runtime_error(TypeError, _NIL_MAP)
