"""`explore`: a test that is a function, and the state graph of a model.

A function under `@explore` is a model with the name of the function. Where it is called, it is
checked; and so a plain `pytest` runs it like any test.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from interleave.asserting import assert_as_expected
from interleave.errors import ModelError
from interleave.explored import Explored, Test, explored
from interleave.model import TEST, Model
from interleave.options import Options, options_of

if TYPE_CHECKING:
    from interleave.stategraph import StateGraph


@overload
def explore(target: type[Model] | str | Path, /, **options: Any) -> StateGraph: ...
@overload
def explore(target: Callable[..., object], /, **options: Any) -> Test: ...
@overload
def explore(**options: Any) -> Callable[[Callable[..., object]], Test]: ...
def explore(*target: Any, **options: Any) -> Any:
    """Make a test of a function (`@explore`, `@explore(runtime="gil")`); or explore every
    interleaving of a model, and give its state graph.

    Where the function has inner functions with @thread and its like, its body is the setup, and the
    variables that these use are shared; else the body is the main thread, which starts others. To
    call the test is to check it; it raises `AssertionError` with the report.

    `explore(target)` takes a model class, such a test, or a file with one model. The options are
    those of `interleave check`; docs/python.md lists them. Raises `InterleaveError` for a target,
    an option or a model that is at fault.
    """
    if not target:
        return lambda function: _test_of(function, options)
    if isinstance(target[0], types.FunctionType) and explored(target[0]) is None:
        return _test_of(target[0], options)
    from interleave.stategraph import explore as graph_of

    return graph_of(*target, **options)


vars(explore)["__signature__"] = inspect.Signature(
    [
        inspect.Parameter("target", inspect.Parameter.POSITIONAL_ONLY, default=None),
        *(
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type
            )
            for name, each in options_of(Options).items()
        ),
    ]
)


def _test_of(function: Any, given: Mapping[str, Any]) -> Test:
    if not isinstance(function, types.FunctionType):
        kind = type(function).__name__
        raise ModelError(
            f"@explore decorates something of type {kind}",
            remedy="put it directly above `def ...():`",
        )
    made = Explored(function, given)

    @functools.wraps(function)
    def test(*_: object, **parameters: object) -> None:  # an instance of a class of tests
        __tracebackhide__ = True
        assert_as_expected(test, **({"parameters": parameters} if parameters else {}))

    # What it must be given, which is a mistake, nobody is to be asked for: the check says so.
    parameters = inspect.signature(function).parameters.values()
    taken = [each for each in parameters if each.default is not each.empty]
    vars(test)["__signature__"] = inspect.Signature(taken)
    vars(test)[TEST] = made
    return test
