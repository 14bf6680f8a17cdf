"""interleave: a deterministic interleaving model checker.

A model is a class whose attributes are shared variables and whose methods are threads; `check`
explores every interleaving of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interleave.errors import InterleaveError, ModelError, UsageError
from interleave.model import (
    Model,
    expect,
    goroutine,
    invariant,
    nothing,
    param,
    postcondition,
    process,
    task,
    thread,
)
from interleave.verbs import array, atomic, choose, section

if TYPE_CHECKING:
    from interleave.checking import check as check
    from interleave.result import ModelResult as ModelResult
    from interleave.result import Result as Result
    from interleave.result import Trace as Trace
    from interleave.result import Violation as Violation
    from interleave.stategraph import StateGraph as StateGraph
    from interleave.stategraph import explore as explore

__version__ = "0.1.0"

__all__ = [
    "InterleaveError",
    "Model",
    "ModelError",
    "ModelResult",
    "Result",
    "StateGraph",
    "Trace",
    "UsageError",
    "Violation",
    "array",
    "atomic",
    "check",
    "choose",
    "expect",
    "explore",
    "goroutine",
    "invariant",
    "nothing",
    "param",
    "postcondition",
    "process",
    "section",
    "task",
    "thread",
]

_LATER = {
    "check": "interleave.checking",
    "explore": "interleave.stategraph",
    "StateGraph": "interleave.stategraph",
    "ModelResult": "interleave.result",
    "Result": "interleave.result",
    "Trace": "interleave.result",
    "Violation": "interleave.result",
}
"""Public names that a model file does not need: imported when first used."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'interleave' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)
