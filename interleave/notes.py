"""What a model class says of itself: its members, and the notes that decorators left on them.

Every member is in one of the roles below, and each role has its rules: see `program.misuse`.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Iterator, Mapping
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
        is_said = LOOPS in self.members or bool(self.tasks)
        return is_said or _name_asyncio(self.methods.values())


def _name_asyncio(functions: Iterable[types.FunctionType]) -> bool:
    """Whether functions name something of asyncio, or others and classes do that they name."""
    waiting = [*functions]
    seen = set(waiting)
    while waiting:
        function = waiting.pop()
        for value in _named_in(function.__code__, function.__globals__):
            package = _module_of(value).partition(".")[0]
            if package == "asyncio":
                return True
            if package not in sys.stdlib_module_names:
                inside = vars(value).values() if issubclass(type(value), type) else (value,)
                found = [each for each in inside if type(each) is types.FunctionType]
                waiting += [each for each in found if each not in seen]
                seen.update(found)
    return False


def _named_in(code: types.CodeType, names: Mapping[str, object]) -> Iterator[Any]:
    """The global objects that some code, and code in it, names: those of modules by their names."""
    for name in code.co_names:
        if name in names:
            yield names[name]
            if type(names[name]) is types.ModuleType:
                within = vars(names[name])
                yield from (within[each] for each in code.co_names if each in within)
    for inner in code.co_consts:
        if type(inner) is types.CodeType:
            yield from _named_in(inner, names)


def _module_of(value: Any) -> str:
    """The module that something is, or is from; "" for what is no module, function or class."""
    kind = type(value)
    if kind is types.ModuleType:
        return str(value.__name__)
    is_code = kind is types.FunctionType or issubclass(kind, type)
    return str(value.__module__) if is_code else ""


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
