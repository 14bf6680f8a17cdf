"""The threads and the properties that a model class declares."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from interleave.compiler.source import place_of_class, place_of_function
from interleave.errors import ModelError
from interleave.memory.identity import MODEL_PROCESS, ThreadId, ThreadName
from interleave.memory.values import UNBOUND
from interleave.model import LARGEST_COUNT, Model, Param
from interleave.notes import Notes
from interleave.program.misuse import takes
from interleave.records import dataclass
from interleave.runtimes import Runtime, ThreadKind
from interleave.runtimes.free_threaded import THREAD


@dataclass(frozen=True)
class ThreadInstance:
    """One thread: `name` as reports show it, `arguments` what follows `self`."""

    number: ThreadId
    name: str
    method: str
    index: int
    function: types.FunctionType
    arguments: tuple[int, ...]
    daemon: bool
    room: Any = None
    """The modelled `Thread`, for one that a running thread makes."""
    process: ThreadName = MODEL_PROCESS
    """The process that it runs in."""
    kind: ThreadKind = THREAD
    task: Any = None
    """The modelled `Task`, for a task."""
    loop: Any = None
    """The modelled event loop, for what stands for one."""


@dataclass(frozen=True)
class Property:
    """An invariant or a postcondition."""

    name: str
    kind: str
    function: types.FunctionType


def declared_properties(notes: Notes) -> list[Property]:
    """The properties of a model class."""
    return [
        Property(name, note.kind, notes.methods[name]) for name, note in notes.properties.items()
    ]


def declared_threads(
    model: type[Model], notes: Notes, parameters: Mapping[str, object], runtime: Runtime
) -> list[ThreadInstance]:
    """The threads of a model class, in order of declaration. Raises `ModelError`."""
    found: list[ThreadInstance] = []
    for name, note in notes.threads.items():
        function = notes.methods[name]
        count = _count(note.count, model, parameters, function)
        if not note.kind.mixes and any(each.kind != note.kind for each in notes.threads.values()):
            raise ModelError(
                f"model {model.__name__} has {note.kind}s and threads",
                remedy=f"mark all of them with @{note.kind}, or none",
                place=place_of_function(function),
            )
        if name == runtime.main and (count != 1 or note.daemon):
            raise ModelError(
                f"{name} is not one {note.kind} that ends the program",
                remedy=f"write @{note.kind} above it, without arguments; or give it another name",
                place=place_of_function(function),
            )
        takes_index = takes(function, 2)
        for index in range(count):
            shown = f"{name}[{index}]" if count > 1 else name
            found.append(
                ThreadInstance(
                    ThreadId(len(found)),
                    shown,
                    name,
                    index,
                    function,
                    (index,) if takes_index else (),
                    note.daemon,
                    process=ThreadName(shown) if note.kind.is_process else MODEL_PROCESS,
                    kind=note.kind,
                )
            )
    if not found:
        raise _no_threads(model, notes)
    return found


def _no_threads(model: type[Model], notes: Notes) -> ModelError:
    """That nothing is marked as a thread; or that what is has 0 instances, by its parameters."""
    if not notes.threads:
        return ModelError(
            f"model {model.__name__} has no threads",
            remedy="mark a method as a thread: @thread above `def ...(self):`",
            place=place_of_class(model),
        )
    counts = {
        name: note.count.name if isinstance(note.count, Param) else str(note.count)
        for name, note in notes.threads.items()
    }
    none = ", ".join(f"{name} has {count}=0" for name, count in counts.items())
    return ModelError(
        f"model {model.__name__} has no threads: {none} instances",
        remedy=f"let {' or '.join(dict.fromkeys(counts.values()))} be 1 or more",
        place=place_of_function(notes.methods[next(iter(counts))]),
    )


def _count(
    count: int | Param,
    model: type[Model],
    parameters: Mapping[str, object],
    function: types.FunctionType,
) -> int:
    """How many instances of a thread there are."""
    value: object = count
    if isinstance(count, Param):
        # One that derives from the model may have made a constant of its parameter.
        value = parameters.get(count.name, getattr(model, count.name, UNBOUND))
    if value is UNBOUND:
        raise ModelError(
            f"the number of instances of {function.__name__} is a parameter that "
            f"{model.__name__} does not have",
            remedy="write N = param(...) in the class body, above @thread(N)",
            place=place_of_function(function),
        )
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        raise ModelError(
            f"thread {function.__name__} has {value!r} instances",
            remedy=f"give a whole number from 0 to {LARGEST_COUNT}",
            place=place_of_function(function),
        )
    return value
