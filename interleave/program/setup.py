"""Running `setup`: once for each way that the choices in it can go."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any

from interleave.errors import InterleaveError, ModelError, Place
from interleave.memory.port import AccessKind, Location, in_words, using_port
from interleave.memory.values import attributes_of, is_plain_object
from interleave.model import Model, Param
from interleave.stdlib import is_standard, primitive_class
from interleave.verbs import Array
from interleave.world.snapshot import Snapshot

MOST_INITIAL_STATES = 1_000_000


class _SetupPort:
    """The port while `setup` runs: only choices mean anything. `choices` is a prefix to follow."""

    thread = -1
    process = ""
    tasks = None

    def __init__(self, choices: list[int]) -> None:
        self.taken: list[tuple[int, int]] = []
        self._choices = choices

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        if kind.name != "choose":
            raise ModelError(
                f"setup cannot {in_words(kind)}: no other thread runs yet",
                remedy="do it without, or in a thread",
            )
        return effect()

    def locate(self, location: Location) -> Location:
        return location

    def switch_point(self) -> None:
        """No thread runs yet."""

    def choose(self, options: Sequence[Any]) -> int:
        place = len(self.taken)
        choice = self._choices[place] if place < len(self._choices) else 0
        self.taken.append((choice, len(options)))
        return choice


def next_choices(taken: list[tuple[int, int]]) -> list[int] | None:
    """The prefix of choices to follow after `taken` (choice, count); None when all are done."""
    for place in range(len(taken) - 1, -1, -1):
        choice, count = taken[place]
        if choice + 1 < count:
            return [each for each, _ in taken[:place]] + [choice + 1]
    return None


def initial_instances(
    model: type[Model],
    parameters: dict[str, object],
    place_of: Callable[[types.FunctionType], Place],
    before: Snapshot,
) -> Generator[Any, None, None]:
    """The model after each run of setup: plain instances, with real locks and containers.

    What setup does to anything else is there until the next one is asked for, and then put back to
    what it was `before`. Raises `ModelError` where setup fails.
    """
    choices: list[int] | None = []
    count = 0
    while choices is not None:
        count += 1
        if count > MOST_INITIAL_STATES:
            raise ModelError(
                f"setup has more than {MOST_INITIAL_STATES:,} outcomes",
                remedy="choose among fewer options",
                place=place_of(model.setup),  # type: ignore[arg-type]
            )
        instance = object.__new__(model)
        copies: dict[int, Any] = {}
        for name, value in class_attributes(model).items():
            object.__setattr__(instance, name, fresh_copy(value, copies))
        for name, value in parameters.items():
            object.__setattr__(instance, name, value)
        port = _SetupPort(choices)
        try:
            with using_port(port):  # type: ignore[arg-type]
                _run_setup(model, instance, place_of)
            yield instance
        finally:
            left = before.restore()
        if left:
            raise ModelError(
                f"setup changes what cannot be put back for the next search: {left[0]}",
                remedy="make it in setup, so that each run of setup has its own",
                place=place_of(model.setup),  # type: ignore[arg-type]
            )
        choices = next_choices(port.taken)


def _run_setup(
    model: type[Model], instance: Any, place_of: Callable[[types.FunctionType], Place]
) -> None:
    function: Any = model.setup
    file = function.__code__.co_filename
    try:
        instance.setup()
    except InterleaveError as error:
        raise error.at(Place.of_error(file, error) or place_of(function)) from None
    except Exception as error:
        raise ModelError(
            f"setup raises {type(error).__name__}: {error}",
            remedy="setup must run through: it makes the initial state",
            place=Place.of_error(file, error) or place_of(function),
        ) from error


_NO_DATA = (
    types.FunctionType,
    types.ModuleType,
    staticmethod,
    classmethod,
    property,
    type,
    Param,
)
"""Types of class attributes that are no shared variables."""


def class_attributes(model: type) -> dict[str, Any]:
    """The data among the attributes of a class and its bases, bases first."""
    found: dict[str, Any] = {}
    for cls in reversed(model.__mro__):
        if cls in (object, Model):
            continue
        for name, value in vars(cls).items():
            is_data = not (
                (name.startswith("__") and name.endswith("__"))
                or isinstance(value, _NO_DATA)
                or hasattr(type(value), "__get__")
            )
            if is_data:
                found.setdefault(name, None)
                found[name] = value
            else:
                found.pop(name, None)
    return found


def fresh_copy(value: Any, copies: dict[int, Any]) -> Any:
    """A copy of everything in `value` that can change, so that one run of setup spares the next."""
    if id(value) in copies:
        return copies[id(value)]
    kind = type(value)
    made: Any
    if kind in (list, set, deque, dict, Array):
        made = copies[id(value)] = _empty_like(value)
        if kind is dict:
            made.update({key: fresh_copy(item, copies) for key, item in value.items()})
        elif kind is Array:
            made._values[:] = [fresh_copy(item, copies) for item in value]
        elif kind is set:
            made.update(value)
        else:
            made.extend(fresh_copy(item, copies) for item in value)
        return made
    if (primitive := primitive_class(value)) is not None:
        made = copies[id(value)] = primitive.fresh(value)
        primitive.copy_parts(made, lambda part: fresh_copy(part, copies))
        return made
    if kind is tuple:
        return tuple(fresh_copy(item, copies) for item in value)
    if is_plain_object(value) and not is_standard(kind.__module__):
        made = copies[id(value)] = object.__new__(kind)
        for name, item in attributes_of(value).items():
            object.__setattr__(made, name, fresh_copy(item, copies))
        return made
    return value


def _empty_like(value: Any) -> Any:
    if isinstance(value, Array):
        return Array(())
    return deque(maxlen=value.maxlen) if isinstance(value, deque) else type(value)()
