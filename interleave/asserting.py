"""`assert_verified` and `assert_violates`: checks in tests, in which whatever runs these has a say.

The plugin of pytest imports it in every project that has this package: so it imports next to
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interleave.result import Result
    from interleave.selecting import Target


class Running:
    """What runs a test: its `options` stand for those that the test itself does not give, and
    `accept` is called with each result that is as it should be. It may raise `AssertionError`.
    """

    def __init__(self, options: Mapping[str, object], accept: Callable[[Result], None]) -> None:
        self.options = options
        self.accept = accept


RUNNING: ContextVar[Running | None] = ContextVar("RUNNING", default=None)
"""What runs the present test; None without the plugin of pytest."""


def assert_verified(target: Target | Iterable[Target], /, **options: Any) -> Result:
    """Assert that every interleaving was explored, and that none of them violates anything.

    `target` and the options are those of `check`. Where there are several models, all of them must
    be verified, whatever they expect (`@expect`). Gives the result.

    Raises `AssertionError` with the report where something is violated or a limit was reached, and
    `InterleaveError` for a target, an option or a model that is at fault.
    """
    __tracebackhide__ = True
    return _check_that(_is_not_verified, target, options)


def assert_violates(target: Target | Iterable[Target], kind: str, /, **options: Any) -> Result:
    """Assert that a violation of a kind is found ("lost-update", "deadlock"), maybe with others.

    `target` and the options are those of `check`. Where there are several models, it must be found
    in each of them. For "data-race", `races` is set. Gives the result.

    Raises `AssertionError` with the report where there is none, and `InterleaveError` for a target,
    an option or a model that is at fault.
    """
    __tracebackhide__ = True

    def lacks(result: Result) -> str | None:
        return _lacks(result, kind)

    return _check_that(lacks, target, {"races": True} | options if kind == "data-race" else options)


def assert_as_expected(target: Target, **options: Any) -> Result:
    """Assert that each model is verified, or as it expects (`@expect`). As `assert_verified`."""
    __tracebackhide__ = True
    return _check_that(_is_no_pass, target, options)


def _is_not_verified(result: Result) -> str | None:
    return None if all(each.verdict == "verified" for each in result.models) else ""


def _is_no_pass(result: Result) -> str | None:
    return None if result.passed else ""


def _lacks(result: Result, kind: str) -> str | None:
    """That a kind of violation was not found in all models; None where it was."""
    from interleave.errors import did_you_mean
    from interleave.model import KINDS

    lacking = [
        each.model
        for each in result.models
        if kind not in {violation.kind for violation in each.violations}
    ]
    if not lacking:
        return None
    known = (
        "" if kind in KINDS else f": {did_you_mean(kind, KINDS)}the kinds are {', '.join(KINDS)}"
    )
    return f"no {kind} was found in {', '.join(lacking)}{known}\n\n"


def _check_that(
    fault: Callable[[Result], str | None],
    target: Target | Iterable[Target],
    options: Mapping[str, Any],
) -> Result:
    """The result of a check without a `fault`, which is what is said before the report.

    Raises `KeyboardInterrupt` where the check was interrupted.
    """
    __tracebackhide__ = True
    from interleave.checking import check
    from interleave.errors import InterleaveError

    running = RUNNING.get()
    usual = {} if running is None else running.options
    try:
        result = check(target, **{**usual, **options})
    except InterleaveError as error:
        raise error.with_traceback(None) from None  # it is the test's, not of this package
    if result.interrupted:
        raise KeyboardInterrupt
    said = fault(result)
    if said is not None or result.errors:
        raise AssertionError(f"{said or ''}{result}")
    if running is not None:
        running.accept(result)
    return result
