"""interleave: a deterministic interleaving model checker.

A model is a class whose attributes are shared variables and whose methods are threads; `check`
explores every interleaving of them.
"""

from __future__ import annotations

TYPE_CHECKING = False  # that of `typing`, which is not imported for it
if TYPE_CHECKING:
    from interleave.asserting import assert_verified as assert_verified
    from interleave.asserting import assert_violates as assert_violates
    from interleave.checking import check as check
    from interleave.comparing import compare as compare
    from interleave.errors import InterleaveError as InterleaveError
    from interleave.errors import ModelError as ModelError
    from interleave.errors import UsageError as UsageError
    from interleave.exploring import explore as explore
    from interleave.mending.fix import fix as fix
    from interleave.mending.locks import locks as locks
    from interleave.model import Model as Model
    from interleave.model import always as always
    from interleave.model import at_end as at_end
    from interleave.model import expect as expect
    from interleave.model import goroutine as goroutine
    from interleave.model import invariant as invariant
    from interleave.model import nothing as nothing
    from interleave.model import param as param
    from interleave.model import postcondition as postcondition
    from interleave.model import process as process
    from interleave.model import task as task
    from interleave.model import thread as thread
    from interleave.probing import probe as probe
    from interleave.protection.sharing import sharing as sharing
    from interleave.racing.race import race as race
    from interleave.result import ModelResult as ModelResult
    from interleave.result import Result as Result
    from interleave.result import Trace as Trace
    from interleave.result import Violation as Violation
    from interleave.schedule import Schedule as Schedule
    from interleave.stategraph import StateGraph as StateGraph
    from interleave.verbs import array as array
    from interleave.verbs import atomic as atomic
    from interleave.verbs import choose as choose
    from interleave.verbs import section as section

__version__ = "0.1.0"

__all__ = [
    "InterleaveError",
    "Model",
    "ModelError",
    "ModelResult",
    "Result",
    "Schedule",
    "StateGraph",
    "Trace",
    "UsageError",
    "Violation",
    "always",
    "array",
    "assert_verified",
    "assert_violates",
    "at_end",
    "atomic",
    "check",
    "choose",
    "compare",
    "expect",
    "explore",
    "fix",
    "goroutine",
    "invariant",
    "locks",
    "nothing",
    "param",
    "postcondition",
    "probe",
    "process",
    "race",
    "section",
    "sharing",
    "task",
    "thread",
]

_HOMES = (
    ("errors", "model", "verbs"),
    ("exploring",),
    ("asserting",),
    ("result", "schedule"),
    ("checking",),
    ("stategraph",),
    ("racing.race",),
    ("probing",),
    ("comparing",),
    ("protection.sharing",),
    ("mending.locks",),
    ("mending.fix",),
)
"""The modules that the public names are in: those of a model file, and what it does not need."""


def __getattr__(name: str) -> object:
    """A public name, when it is first used.

    So nothing is imported before the command can answer Ctrl-C, and a model file does without what
    checks it.
    """
    if name in __all__:
        import importlib

        for homes in _HOMES:
            for home in homes:
                found = vars(importlib.import_module(f"interleave.{home}"))
                new = {each: found[each] for each in __all__ if each in found}
                globals().update(new | globals())  # the first home of a name is its home
            if name in globals():
                return globals()[name]
    raise AttributeError(f"module 'interleave' has no attribute {name!r}")
