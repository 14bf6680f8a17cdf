"""What `@explore` makes of a function: a model, and the options that it is checked with."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from typing import Any

from interleave.model import OPTIONS, TEST, Model
from interleave.options import CheckOptions, options_of, read_options

Test = Callable[..., None]


class Explored:
    """What a function under `@explore` stands for, and the options that it is checked with."""

    def __init__(self, function: types.FunctionType, given: Mapping[str, Any]) -> None:
        options = read_options(options_of(CheckOptions), given, "@explore")
        self._function = function
        self._parameters: Mapping[str, object] = options.pop("parameters", None) or {}
        self._options = options
        self.expectations: list[Callable[[type[Model]], object]] = []
        """What `@expect` does to the model, once there is one."""

    @functools.cached_property
    def model(self) -> type[Model]:
        """The model. Raises `InterleaveError` for a function that stands for none."""
        from interleave.enclosing import model_of

        made = model_of(self._function, self._parameters)
        setattr(made, OPTIONS, self._options)
        for expect in self.expectations:
            expect(made)
        return made


def explored(value: object) -> Explored | None:
    """What `explore` has made of a function; None for anything else."""
    found: Explored | None = None
    if type(value) is types.FunctionType:
        found = vars(value).get(TEST)
    return found
