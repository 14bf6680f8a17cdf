"""The critical sections of a model: those that threads enter, and those that properties ask for."""

from __future__ import annotations

import ast
import linecache
from types import FrameType

from interleave.compiler.source import find_class
from interleave.errors import ModelError, Place, did_you_mean
from interleave.model import Model
from interleave.world.findings import Findings


class Sections:
    """The critical sections of one program, as they are entered and asked for."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._places: dict[str, Place] = {}
        """Where properties ask for a section, by its name."""

    def enter(self, name: str) -> None:
        """Note that a thread enters a section."""
        self._findings.entered[name] = None

    def ask(self, name: str, frame: FrameType) -> None:
        """Note that a property asks, in a frame, who is inside a section. Raises `ModelError`."""
        if not isinstance(name, str):
            raise ModelError(
                f"inside({name!r}): the name of a section is a string",
                remedy='write self.inside("critical"), as in section("critical")',
                place=Place.of_frame(frame),
            )
        if name not in self._places:  # it takes a while to find out what a frame is doing
            self._places[name] = Place.of_frame(frame)
        self._findings.asked[name] = self._places[name]

    def refuse_unknown(self, model: type[Model]) -> None:
        """Raise `ModelError` for a section that properties have asked for, and that there is none
        of: to be called when everything has run that can.
        """
        missing = [name for name in self._findings.asked if name not in self._findings.entered]
        named = _named_in_source(model) if missing else frozenset()
        for name in missing:
            if name not in named:
                known = sorted({*self._findings.entered, *named})
                listed = f"the sections are {', '.join(known)}" if known else "there are none"
                raise ModelError(
                    f"inside({name!r}): no thread enters a section of that name",
                    remedy=f"{did_you_mean(name, known)}{listed}",
                    place=self._findings.asked[name],
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
