"""The threads and the properties that a model class declares."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping
from typing import Any

from interleave.compiler.source import place_of_class, place_of_function
from interleave.errors import ModelError
from interleave.model import Model, Param, ThreadNote
from interleave.notes import Notes
from interleave.program.misuse import refuse_silence
from interleave.records import dataclass

LARGEST_COUNT = 1000
"""Instances of one thread at most: beyond this it is a slip of the pen."""

MAIN = "main"
"""The name of the goroutine whose end is the end of the program."""


@dataclass(frozen=True)
class ThreadInstance:
    """One thread: `name` as reports show it, `arguments` what follows `self`."""

    number: int
    name: str
    method: str
    index: int
    function: types.FunctionType
    arguments: tuple[int, ...]
    daemon: bool
    room: Any = None
    """The modelled `Thread`, for one that a running thread makes."""
    process: str = ""
    """The process that it runs in, where that is not the one of the model itself."""
    kind: str = "thread"
    """What it is: "thread", "process", "task", "goroutine", or "loop" for what stands for the event
    loop.
    """
    task: Any = None
    """The modelled `Task`, for a task."""

    @property
    def is_main(self) -> bool:
        """Whether it is the goroutine whose end is the end of the program."""
        return self.kind == "goroutine" and self.method == MAIN


@dataclass(frozen=True)
class Property:
    """An invariant or a postcondition."""

    name: str
    kind: str
    function: types.FunctionType


def declared_properties(notes: Notes) -> list[Property]:
    """The properties of a model class. Raises `ModelError`."""
    found = []
    for name, note in notes.properties.items():
        function = notes.methods[name]
        if len(inspect.signature(function).parameters) != 1:
            raise ModelError(
                f"the {note.kind} {name} takes parameters besides self",
                remedy=f"write `def {name}(self):`",
                place=place_of_function(function),
            )
        refuse_silence(note.kind, function)
        found.append(Property(name, note.kind, function))
    return found


def declared_threads(
    model: type[Model], notes: Notes, parameters: Mapping[str, object], runtime: str
) -> list[ThreadInstance]:
    """The threads of a model class, in order of declaration. Raises `ModelError`."""
    found: list[ThreadInstance] = []
    for name, note in notes.threads.items():
        function = notes.methods[name]
        count = _count(note.count, parameters, function)
        if note.kind == "goroutine":
            _check_goroutine(model, runtime, name, function, count, daemon=note.daemon)
        wanted = len(inspect.signature(function).parameters) - 1
        if wanted not in (0, 1):
            raise ModelError(
                f"thread {name} must take `self`, or `self` and its instance index",
                remedy=f"write `def {name}(self):` or `def {name}(self, i):`",
                place=place_of_function(function),
            )
        if (note.kind == "task") != inspect.iscoroutinefunction(function):
            raise _wrong_kind(name, note, function)
        for index in range(count):
            shown = f"{name}[{index}]" if count > 1 else name
            found.append(
                ThreadInstance(
                    len(found),
                    shown,
                    name,
                    index,
                    function,
                    (index,) if wanted else (),
                    note.daemon,
                    process=shown if note.kind == "process" else "",
                    kind=note.kind,
                )
            )
    if not found:
        raise ModelError(
            f"model {model.__name__} has no threads",
            remedy="mark a method as a thread: @thread above `def ...(self):`",
            place=place_of_class(model),
        )
    return found


def _count(
    count: int | Param, parameters: Mapping[str, object], function: types.FunctionType
) -> int:
    """How many instances of a thread there are."""
    value = parameters[count.name] if isinstance(count, Param) else count
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        raise ModelError(
            f"thread {function.__name__} has {value!r} instances",
            remedy=f"give a whole number from 0 to {LARGEST_COUNT}",
            place=place_of_function(function),
        )
    return value


def _check_goroutine(
    model: type[Model],
    runtime: str,
    name: str,
    function: types.FunctionType,
    count: int,
    *,
    daemon: bool,
) -> None:
    if runtime != "go":
        raise ModelError(
            f"model {model.__name__} has goroutines and threads",
            remedy="mark all of them with @goroutine, or none",
            place=place_of_function(function),
        )
    if name == MAIN and (count != 1 or daemon):
        raise ModelError(
            "main is not one goroutine that ends the program",
            remedy="write @goroutine above it, without arguments; or give it another name",
            place=place_of_function(function),
        )


def _wrong_kind(name: str, note: ThreadNote, function: types.FunctionType) -> ModelError:
    """The error for a method that is `async def` and no task, or the other way round."""
    if note.kind == "task":
        what, remedy = (
            "not `async def`",
            f"write `async def {name}(self):`, or mark it with @thread",
        )
    else:
        what, remedy = "`async def`", "mark it with @task: an event loop runs it"
    return ModelError(
        f"{note.kind} {name} is {what}", remedy=remedy, place=place_of_function(function)
    )
