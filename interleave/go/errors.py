"""Errors as values, after pkg.go.dev/errors."""

from __future__ import annotations

from typing import Any

from interleave.go.base import unmodelled
from interleave.records import dataclass


@dataclass(frozen=True)
class Error:
    """An error: what `errors.New(text)` gives. `None` is no error."""

    text: str

    def Error(self) -> str:
        """Its text."""
        return self.text

    def __str__(self) -> str:
        return self.text


def New(text: str) -> Error:
    """`errors.New`. Two errors are the same if their texts are, which in Go they are not."""
    return Error(text)


def Is(error: Any, target: Any) -> bool:
    """`errors.Is`, of errors that wrap nothing."""
    return bool(error == target)


__getattr__ = unmodelled("go.errors")
