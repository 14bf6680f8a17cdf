"""What `except*` does with exceptions: PEP 654, and _PyExc_PrepReraiseStar of CPython 3.12.

The compiled code calls these functions under the names in `HELPERS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Raised = list[tuple[BaseException, bool]]
"""What the handlers of one `try` have raised; True for what they were given to handle."""


def is_one_of(error: BaseException | None, kinds: Any) -> bool:
    """Whether a handler for `kinds` is for an exception: its metaclass is not asked, nor is `abc`.

    Source: PyErr_GivenExceptionMatches, Python/errors.c.
    """
    each_kind = kinds if isinstance(kinds, tuple) else (kinds,)
    return any(type.__instancecheck__(kind, error) for kind in each_kind)


def split(rest: BaseException | None, kinds: Any) -> tuple[Any, Any]:
    """What `except* kinds:` handles of what is left, and what is left then.

    A single exception is handled as a group of one.
    """
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(
                "catching classes that do not inherit from BaseException is not allowed"
            )
        if issubclass(kind, BaseExceptionGroup):
            raise TypeError(
                "catching ExceptionGroup with except* is not allowed. Use except instead."
            )
    if isinstance(rest, BaseExceptionGroup):
        return rest.split(kinds)
    return (BaseExceptionGroup("", (rest,)), None) if is_one_of(rest, kinds) else (None, rest)


def collect(raised: Raised, error: BaseException, handled: BaseException) -> None:
    """Note what a handler has raised while it handled something."""
    raised.append((error, error is handled))


def to_raise(
    error: BaseException, raised: Raised, rest: BaseException | None
) -> BaseException | None:
    """What is raised after all handlers; None where everything is dealt with."""
    again = [each for each, is_handled in raised if is_handled]
    again += [] if rest is None else [rest]
    new = [each for each, is_handled in raised if not is_handled]
    if not isinstance(error, BaseExceptionGroup):  # at most one handler was run
        return raised[0][0] if raised else rest
    left = {id(leaf) for each in again for leaf in _leaves(each)}
    again_as_it_was = error.split(lambda each: id(each) in left)[0] if left else None
    everything = [*new, *([] if again_as_it_was is None else [again_as_it_was])]
    if len(everything) > 1 and new:
        return BaseExceptionGroup("", everything)
    return everything[0] if everything else None


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


HELPERS: dict[str, Any] = {
    "@split": split,
    "@collect": collect,
    "@to_raise": to_raise,
}
