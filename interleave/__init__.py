"""interleave: a deterministic interleaving model checker."""

from interleave.model import Model, expect, invariant, nothing, param, postcondition, thread
from interleave.verbs import array, atomic, choose, section

__version__ = "0.1.0"

__all__ = [
    "Model",
    "array",
    "atomic",
    "choose",
    "expect",
    "invariant",
    "nothing",
    "param",
    "postcondition",
    "section",
    "thread",
]
