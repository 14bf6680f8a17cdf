"""Calls of what the code of a model has at hand, from the code of this package.

C code that is called from here is looked at by the net, as if the model had called it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import CodeType, MappingProxyType
from typing import Any


def call(
    callee: Callable[..., Any],
    arguments: Sequence[Any],
    keywords: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """What a callable gives."""
    return callee(*arguments, **keywords)


def is_of_machine(code: CodeType) -> bool:
    """Whether it is a block that the machine runs, or `call`, by which it runs what is called."""
    return code is call.__code__ or code.co_name.startswith("#")
