"""What Go says where nil is used as something that it is not."""

from __future__ import annotations

from typing import Any

from interleave.go.base import Panic
from interleave.go.channels import nil

DEREFERENCE = "runtime error: invalid memory address or nil pointer dereference"

_IN_GO = {
    "has no attribute": DEREFERENCE,
    "is not callable": DEREFERENCE,
    "does not support the context manager protocol": DEREFERENCE,
    "does not support item assignment": "assignment to entry in nil map",
}
"""What Python says that an object of a type does not do, and what Go says of nil then."""


def is_nil(value: Any) -> bool:
    """Whether something is nil: a pointer, a function, a channel."""
    return value is None or value is nil


def in_go(error: BaseException) -> BaseException:
    """An exception of Python's; where nil is to blame, the panic that Go has for it."""
    if isinstance(error, AttributeError | TypeError):
        for each in (None, nil):
            for what, words in _IN_GO.items():
                if str(error).startswith(f"'{type(each).__name__}' object {what}"):
                    return Panic(words)
    return error
