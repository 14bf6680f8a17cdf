"""What a model class says of itself: its members, and the notes that decorators left on them.

Every member is in one of the roles below, and each role has its rules: see `program.misuse`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Literal

from interleave.model import (
    EXPECTATIONS,
    LOOPS,
    NOTE,
    Expectation,
    Model,
    Param,
    PropertyNote,
    ThreadNote,
)
from interleave.records import dataclass

Role = Literal[
    "thread", "property", "setup", "parameter", "helper", "class", "module", "special", "variable"
]
"""What a member is to a model: what a decorator marks as a thread (a process, a task, a goroutine)
or as a property; `setup`; a parameter; other code, which these call; a class or module that they
use; a name that Python keeps for itself; and all the rest: shared variables.
"""


@dataclass(frozen=True)
class Member:
    """What a name of a model stands for, and the class whose body says so."""

    name: str
    value: Any
    owner: type

    @property
    def role(self) -> Role:
        note = self.note
        if isinstance(note, ThreadNote):
            return "thread"
        if isinstance(note, PropertyNote):
            return "property"
        if self.name == "setup":
            return "setup"
        if isinstance(self.value, Param):
            return "parameter"
        if is_special(self.name):
            return "special"
        if isinstance(self.value, type):
            return "class"
        if isinstance(self.value, types.ModuleType):
            return "module"
        return "helper" if is_code(self.value) else "variable"

    @property
    def note(self) -> ThreadNote | PropertyNote | None:
        """The note that a decorator has left on it, if it is a plain method."""
        is_function = type(self.value) is types.FunctionType  # and does not only say so
        return getattr(self.value, NOTE, None) if is_function else None


def is_special(name: str) -> bool:
    """Whether a name is one of those that Python keeps for itself."""
    return (name.startswith("__") and name.endswith("__")) or name == "_abc_impl"


def is_code(value: object) -> bool:
    """Whether a member of a class is a function, or decides by code what looking at it gives."""
    return hasattr(type(value), "__get__")


@dataclass(frozen=True)
class Notes:
    """The members of one model class and of its bases, by name, those of bases first."""

    members: Mapping[str, Member]
    methods: Mapping[str, types.FunctionType]
    threads: Mapping[str, ThreadNote]
    properties: Mapping[str, PropertyNote]
    parameters: Mapping[str, object]
    """The default of each parameter."""
    expectations: tuple[Expectation, ...]
    """Expectations of the class itself: a class that mends its base does not inherit them."""

    @property
    def tasks(self) -> list[str]:
        """The names of the methods that are marked as tasks."""
        return [name for name, note in self.threads.items() if note.kind.in_loop]

    @property
    def has_loops(self) -> bool:
        """Whether there are event loops, as far as can be seen before anything runs."""
        codes = (method.__code__ for method in self.methods.values())
        return LOOPS in self.members or bool(self.tasks) or any(map(_names_asyncio, codes))


def _names_asyncio(code: types.CodeType) -> bool:
    """Whether some code uses the module, or code in it does."""
    inner = (each for each in code.co_consts if isinstance(each, types.CodeType))
    return "asyncio" in code.co_names or any(map(_names_asyncio, inner))


def notes_of(model: type[Model]) -> Notes:
    """The notes of a model class."""
    members: dict[str, Member] = {}
    for cls in reversed(bodies(model)):
        for name, value in vars(cls).items():
            members[name] = Member(name, value, cls)
    methods = {
        name: member.value
        for name, member in members.items()
        if type(member.value) is types.FunctionType  # and does not only say so
    }
    notes = {name: member.note for name, member in members.items()}
    return Notes(
        members,
        methods,
        {name: note for name, note in notes.items() if isinstance(note, ThreadNote)},
        {name: note for name, note in notes.items() if isinstance(note, PropertyNote)},
        {
            name: member.value.default
            for name, member in members.items()
            if member.role == "parameter"
        },
        vars(model).get(EXPECTATIONS, ()),
    )


def bodies(model: type[Model]) -> list[type]:
    """The classes whose bodies say what a model is: itself, and what it derives from."""
    return [cls for cls in model.__mro__ if cls not in (object, Model)]
