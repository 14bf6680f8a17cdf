"""What a model class says of itself: the notes that decorators left on it, and its parameters."""

from __future__ import annotations

import types
from collections.abc import Mapping

from interleave.model import EXPECTATIONS, NOTE, Expectation, Model, Param, PropertyNote, ThreadNote
from interleave.records import dataclass


@dataclass(frozen=True)
class Notes:
    """The notes of one model class and of its bases, by the names of methods and attributes."""

    methods: Mapping[str, types.FunctionType]
    """All methods, those of bases first, in order of definition."""
    threads: Mapping[str, ThreadNote]
    properties: Mapping[str, PropertyNote]
    parameters: Mapping[str, object]
    """The default of each parameter."""
    expectations: tuple[Expectation, ...]
    """Those of the class itself: one that mends its base does not inherit what that expects."""

    @property
    def tasks(self) -> list[str]:
        """The names of the methods that are marked as tasks."""
        return [name for name, note in self.threads.items() if note.kind == "task"]


def notes_of(model: type[Model]) -> Notes:
    """The notes of a model class."""
    methods: dict[str, types.FunctionType] = {}
    parameters: dict[str, object] = {}
    for cls in reversed(model.__mro__):
        if cls in (object, Model):
            continue
        for name, member in vars(cls).items():
            if isinstance(member, types.FunctionType):
                methods[name] = member
            else:
                methods.pop(name, None)
            if isinstance(member, Param):
                parameters[name] = member.default
            else:
                parameters.pop(name, None)
    notes = {name: getattr(method, NOTE, None) for name, method in methods.items()}
    return Notes(
        methods,
        {name: note for name, note in notes.items() if isinstance(note, ThreadNote)},
        {name: note for name, note in notes.items() if isinstance(note, PropertyNote)},
        parameters,
        vars(model).get(EXPECTATIONS, ()),
    )
