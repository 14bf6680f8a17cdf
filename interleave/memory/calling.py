"""Calls of what the code of a model has at hand, from the code of this package.

C code that is called from here is looked at by the net, as if the model had called it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any


def call(
    callee: Callable[..., Any],
    arguments: Sequence[Any],
    keywords: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """What a callable gives."""
    return callee(*arguments, **keywords)
