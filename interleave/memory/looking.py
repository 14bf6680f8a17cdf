"""Functions that call the user's code where Python itself would not.

To make a real dict of what a state has, its keys are hashed again, and compared. Nobody could run
meanwhile, and nothing has happened.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

LOOKS_ONLY = set[CodeType]()
"""The code of these functions."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


def looks_only(function: _Function) -> _Function:
    """Mark a function that only looks at values, or makes them anew."""
    LOOKS_ONLY.add(function.__code__)
    return function
