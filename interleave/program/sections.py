"""The critical sections of a model: those that threads enter, and those that properties ask for."""

from __future__ import annotations

import ast
import linecache
from types import FrameType

from interleave.compiler.source import find_class
from interleave.errors import ModelError, Place, did_you_mean
from interleave.model import Model


class Sections:
    """What was seen of them while code of one program ran."""

    def __init__(self) -> None:
        self._entered: dict[str, None] = {}
        self._asked: dict[str, Place] = {}

    def enter(self, name: str) -> None:
        """Note that a thread enters a section."""
        self._entered[name] = None

    def ask(self, name: str, frame: FrameType) -> None:
        """Note that a property asks, in a frame, who is inside a section. Raises `ModelError`."""
        if not isinstance(name, str):
            raise ModelError(
                f"inside({name!r}): the name of a section is a string",
                remedy='write self.inside("critical"), as in section("critical")',
                place=Place.of_frame(frame),
            )
        if name not in self._asked:  # it takes a while to find out what a frame is doing
            self._asked[name] = Place.of_frame(frame)

    def refuse_unknown(self, model: type[Model]) -> None:
        """Raise `ModelError` for a section that properties have asked for, and that there is none
        of: to be called when everything has run that can.
        """
        missing = [name for name in self._asked if name not in self._entered]
        named = _named_in_source(model) if missing else frozenset()
        for name in missing:
            if name not in named:
                known = sorted({*self._entered, *named})
                listed = f"the sections are {', '.join(known)}" if known else "there are none"
                raise ModelError(
                    f"inside({name!r}): no thread enters a section of that name",
                    remedy=f"{did_you_mean(name, known)}{listed}",
                    place=self._asked[name],
                )


def _named_in_source(model: type[Model]) -> frozenset[str]:
    """The sections in the file of a model, also those that no thread comes to."""
    found = find_class(model)
    if found is None:
        return frozenset()
    tree = ast.parse("".join(linecache.getlines(found[0])))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return frozenset(
        argument.value
        for call in calls
        if getattr(call.func, "attr", getattr(call.func, "id", None)) == "section"
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )
