"""What somebody asks for in Python: the keywords of `check` and of `explore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from types import MappingProxyType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from interleave.options import Options, options_of, read_options, refuse_contradictions
from interleave.project import settings_near
from interleave.records import dataclass

Given = ParamSpec("Given")
Kind = TypeVar("Kind", bound=Options)
Kind_co = TypeVar("Kind_co", bound=Options, covariant=True)
Target = TypeVar("Target")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Asked(Generic[Kind_co]):
    """The options of a run, with those that nobody gave by default; `given` names the others."""

    options: Kind_co
    given: frozenset[str]

    def near(self, path: str | Path, own: Mapping[str, object] = MappingProxyType({})) -> Kind_co:
        """The options for a model file: what nobody gave is as the model itself says, which is its
        `own`, or else its pyproject.toml.

        Raises `UsageError` where that is at fault.
        """
        settings = {**settings_near(Path(path)), **own}
        rest = {name: value for name, value in settings.items() if name not in self.given}
        return replace(self.options, **rest)


def asked(kind: type[Kind], given: Mapping[str, object], where: str) -> Asked[Kind]:
    """What was given to what `where` names. Raises `UsageError`."""
    options = kind(**read_options(options_of(kind), given, where))
    refuse_contradictions(options)
    return Asked(options, frozenset(given))


def taking(
    kind: Callable[Given, Kind],
) -> Callable[
    [Callable[[Target, Asked[Kind]], Found]], Callable[Concatenate[Target, Given], Found]
]:
    """Have a function take the options of a class as keywords.

    To type checkers and editors too: they see the fields of the class.
    """
    assert isinstance(kind, type)
    keywords = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=option.default, annotation=option.type)
        for name, option in options_of(kind).items()
    ]

    def decorate(
        function: Callable[[Target, Asked[Kind]], Found],
    ) -> Callable[Concatenate[Target, Given], Found]:
        @wraps(function)
        def called(target: Target, **given: Any) -> Found:
            return function(target, asked(kind, given, f"{function.__name__}()"))

        usual = signature(function)
        target, _ = usual.parameters.values()
        vars(called)["__signature__"] = usual.replace(parameters=[target, *keywords])
        return cast("Callable[Concatenate[Target, Given], Found]", called)

    return decorate
