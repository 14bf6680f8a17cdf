"""Generated families: a sample of each is tried on every run, and more of it by `-m exhaustive`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis.strategies import SearchStrategy

Test = Callable[..., None]


def sample(number: int, family: Sequence[Any]) -> list[Any]:
    """The parameters for all of a family, of which the first `number` are tried on every run.

    A tuple has the values of several parameters.
    """
    rest = [each if type(each) is tuple else (each,) for each in family[number:]]
    return [
        *family[:number],
        *(pytest.param(*each, marks=pytest.mark.exhaustive) for each in rest),
    ]


def third(family: Sequence[Any]) -> list[Any]:
    """The parameters for all of a family, of which each third one is tried on every run."""
    some = [*family[::3]]
    return sample(len(some), [*some, *family[1::3], *family[2::3]])


def crossed(family: Sequence[tuple[Any, ...]], other: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The parameters for all pairs: on every run, each of one family with a third of the other."""
    pairs = [
        ((i + j) % 3, one + another)
        for i, one in enumerate(family)
        for j, another in enumerate(other)
    ]
    some = [each for turn, each in pairs if turn == 0]
    return sample(len(some), [*some, *(each for turn, each in pairs if turn)])


def drawn(
    number: int,
    most: int,
    /,
    *,
    phases: Sequence[Phase] = tuple(Phase),
    **given_as: SearchStrategy[Any],
) -> Callable[[Test], Test]:
    """Gives a test what hypothesis draws: `number` examples on every run, or else `most`."""

    def decorate(test: Test) -> Test:
        @functools.wraps(test)
        def run(examples: int, **fixtures: Any) -> None:
            settings(max_examples=examples, phases=phases)(given(**given_as)(test))(**fixtures)

        parameters = inspect.signature(test).parameters
        names = ["examples", *(name for name in parameters if name not in given_as)]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
        )
        return pytest.mark.parametrize("examples", sample(1, [number, most]))(run)

    return decorate
