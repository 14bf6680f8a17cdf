"""What functions were compiled to, kept while a model is searched.

A program is made again whenever it turns out to lack something, and nearly all that it is made of
is what it was before. What a function is compiled to follows from its definition, from how the
compiler was asked, and from what those free names stand for that the compiler has asked about. What
the names mean in one program, its code finds out when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple, TypeVar

from interleave.compiler.names import Asked, Surroundings
from interleave.compiler.source import Definition

Made = TypeVar("Made")


class _Compiled(NamedTuple):
    """What was made of a definition, and what was asked for on the way."""

    definition: Definition
    asked: dict[Asked, Any]
    made: Any


class Compilations:
    """What was compiled so far, each by how the compiler was asked."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _Compiled] = {}

    def get(
        self,
        how: Hashable,
        definition: Definition,
        names: Surroundings,
        make: Callable[[], Made],
    ) -> Made:
        """What `make` gives, which asks about `names` only; known from before, or made now.

        `how` is all that it depends on besides, the function among it.
        """
        known = self._known.get(how)
        if known is None or known.definition is not definition or not names.agree(known.asked):
            known = self._known[how] = _Compiled(definition, names.asked, make())
        found: Made = known.made
        return found
