"""Calls of the factories of shared containers, from C code in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def made_by(factory: Callable[[], Any]) -> Any:
    """What a factory gives. Where it is Python code, threads may switch on entering it."""
    return factory()
