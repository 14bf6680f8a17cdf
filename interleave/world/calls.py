"""Calls that Python makes in C, for objects whose parts are code of the model: block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from interleave.memory.primitive import stepwise


@stepwise
def construct(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
    """What calling a class does: `type.__call__`."""
    if cls.__new__ is object.__new__:
        made = object.__new__(cls)
    else:
        made = cls.__new__(cls, *args, **kwargs)
    if isinstance(made, cls):
        type(made).__init__(made, *args, **kwargs)
    return made


@stepwise
def call_partial(
    function: Callable[..., Any],
    first: tuple[Any, ...],
    named: Mapping[str, Any],
    /,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """What calling a `functools.partial` does."""
    return function(*first, *args, **{**named, **kwargs})


CALL_PARTIAL: Any = call_partial


@stepwise
def finalize(it: Any, function: Callable[[Any], Any], /) -> Any:
    """What CPython does when nothing refers to an object any more that has a `__del__`, which is
    `function`: what that raises is printed, and goes no further.
    """
    try:  # noqa: SIM105  (it runs block by block)
        function(it)
    except BaseException:  # noqa: S110
        pass
    return it


FINALIZE: Any = finalize
