"""Running `setup`: once for each way that the choices in it can go."""

from __future__ import annotations

import ast
import inspect
import types
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextvars import Context, copy_context
from dataclasses import fields
from typing import Any, NamedTuple, NoReturn, Protocol

from interleave.compiler.imports import importing_beside
from interleave.compiler.names import source_nodes
from interleave.compiler.source import (
    FUNCTION_OF,
    find_function,
    place_of_assignment,
    place_of_class,
    place_of_function,
)
from interleave.errors import InterleaveError, ModelError, Place
from interleave.interrupts import Stopped, counted, poll
from interleave.memory.descriptors import is_data_descriptor
from interleave.memory.identity import MODEL_PROCESS, ThreadId
from interleave.memory.port import (
    BY_STEPS,
    CLOCK,
    READ_CLOCK,
    AccessKind,
    Location,
    in_words,
    using_port,
)
from interleave.memory.streams import before_threads
from interleave.memory.values import UNBOUND, attributes_of, is_frozen_dataclass, is_plain_object
from interleave.model import Model, Param
from interleave.notes import is_special
from interleave.program.choices import Choices, next_choices
from interleave.said import said
from interleave.stdlib import primitive_class
from interleave.stdlib.threads import starting_nothing
from interleave.verbs import Array
from interleave.world.chance import drawn, left_to_chance, was_drawn
from interleave.world.net import Net, watching
from interleave.world.policy import is_followed
from interleave.world.reflection import refuse_to_set
from interleave.world.replaced import replaced
from interleave.world.snapshot import Snapshot
from interleave.world.table import CLOCKS

MOST_INITIAL_STATES = 1_000_000


class Lacking(Exception):
    """The program must be made again, with one more fact known of it."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class SetupClock(Protocol):
    """The clock while `setup` runs: it stands still."""

    stand_ins: Mapping[int, Any]
    """What stands for real clocks, by their ids."""
    by_steps: bool
    """Whether it shows plain numbers."""

    def read(self, *, of_day: bool = False) -> Any:
        """What it shows."""
        ...


class _SetupPort:
    """The port while `setup` runs: only choices mean anything."""

    thread = runner = ThreadId(-1)
    is_started = False
    process = MODEL_PROCESS
    tasks = None

    def __init__(self, choices: Choices, clock: Any) -> None:
        self.choose = choices.choose
        self.clock = clock
        self.lacking: Lacking | None = None
        """What it has lacked, whatever the code has made of that."""

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        if kind.name not in ("choose", READ_CLOCK):
            raise ModelError(
                f"setup cannot {in_words(kind)}: no other thread runs yet",
                remedy="do it without, or in a thread",
            )
        return effect()

    def locate(self, location: Location) -> Location:
        return location

    others_run = False
    has_clock = True
    has_finalizers = False

    def switch_point(self) -> None:
        """No thread runs yet."""

    def begin_again(self, key: str) -> NoReturn:
        """Have the program made anew."""
        self.lacking = Lacking(key)
        raise self.lacking


class Made(NamedTuple):
    """A model, made by one run of setup: a plain instance, with real locks and containers.

    `context` is the one in which setup has run, `copies` what it was given instead of objects of
    the class body, by their ids, and `started` has the threads that it has started.
    """

    instance: Any
    context: Context
    copies: dict[int, Any]
    started: Sequence[Any]


def initial_instances(
    model: type[Model],
    parameters: dict[str, object],
    net: Net,
    before: Snapshot,
    kept: Mapping[str, str],
    clock: SetupClock | None,
) -> Generator[Made, None, None]:
    """The model after each run of setup.

    What setup does to anything else is there until the next one is asked for, and then put back to
    what it was `before`. Raises `ModelError` where setup fails, or sets what must be `kept`, and
    `Lacking` where it reads a clock that there is not, or computes with what that shows.
    """
    given: list[int] | None = []
    count = 0
    while given is not None:
        count += 1
        if count > MOST_INITIAL_STATES:
            raise ModelError(
                f"setup has more than {MOST_INITIAL_STATES:,} outcomes",
                remedy="choose among fewer options",
                place=place_of_function(model.setup),  # type: ignore[arg-type]
            )
        poll()
        is_begun = False

        def run(given: list[int] = given) -> tuple[Made, Choices]:
            nonlocal is_begun
            if is_begun:
                before.restore()
            is_begun = True
            instance, copies = _instance(model, parameters)
            at_first = _under(kept, model, instance)
            choices = Choices(given)
            port = _SetupPort(choices, clock)
            stand_ins = clock.stand_ins if clock else {}
            with using_port(port), replaced(stand_ins), starting_nothing() as started:  # type: ignore[arg-type]
                context = copy_context()
                try:
                    context.run(_run_setup, model, instance, net, clock)
                finally:
                    if port.lacking is not None:
                        raise port.lacking from None
            for name, value in _under(kept, model, instance).items():
                if value != at_first[name]:
                    error = refuse_to_set(f"self.{name}", name, kept[name])
                    raise error.at(place_of_function(model.setup))  # type: ignore[arg-type]
            _refuse_changed(model, before, copies)
            return Made(instance, context, copies, started), choices

        try:
            made, choices = counted(run, "setup")
            yield made
        finally:
            left = before.restore()
        if left:
            raise ModelError(
                f"setup changes what cannot be put back for the next search: {left[0]}",
                remedy="make it in setup, so that each run of setup has its own",
                place=place_of_function(model.setup),  # type: ignore[arg-type]
            )
        given = next_choices(choices.taken)


def _refuse_changed(model: type[Model], before: Snapshot, copies: Mapping[int, Any]) -> None:
    """Raise `ModelError` where setup has changed an object of which the instance has a copy."""
    for record in before.records:
        is_copied = copies.get(id(record.it), record.it) is not record.it
        if is_copied and record.differs:
            raise ModelError(
                f"setup changes a {record.kind.__name__} by another way than self, and the body of "
                f"{model.__name__} has it too: each run of setup has a copy of that",
                remedy="have it in setup alone, self.x = ..., so that there is one",
                place=place_of_function(model.setup),  # type: ignore[arg-type]
            )


def _under(names: Iterable[str], model: type[Model], instance: Any) -> dict[str, tuple[int, int]]:
    """What an instance has under some names, and its class, by identity."""
    own = attributes_of(instance)
    return {
        name: (id(own.get(name, UNBOUND)), id(inspect.getattr_static(model, name, UNBOUND)))
        for name in names
    }


def _instance(model: type[Model], parameters: dict[str, object]) -> tuple[Any, dict[int, Any]]:
    """The model as it is when setup begins, and what it was given instead of objects of the class
    body, by their ids.
    """
    instance = _new(model)
    copies: dict[int, Any] = {}
    for name, value in class_attributes(model).items():
        object.__setattr__(instance, name, fresh_copy(value, copies))
    for name, value in parameters.items():
        object.__setattr__(instance, name, value)
    return instance, copies


def _new(model: type[Model]) -> Any:
    """An instance without any attributes. Raises `ModelError` where there can be none."""
    if inspect.isabstract(model):
        lacking = ", ".join(sorted(getattr(model, "__abstractmethods__", ())))
        raise ModelError(
            f"{model.__name__} is abstract: it lacks {lacking}",
            remedy="derive a model from it that has all of its methods, and check that",
        )
    try:
        return object.__new__(model)
    except TypeError:
        raise ModelError(
            f"{model.__name__} derives from a class that is written in C",
            remedy="keep one in an attribute",
            place=place_of_class(model),
        ) from None


def _run_setup(model: type[Model], instance: Any, net: Net, clock: SetupClock | None) -> None:
    function: Any = model.setup
    file = function.__code__.co_filename
    before = drawn()
    try:
        with (
            importing_beside(function.__globals__),
            before_threads(),
            watching(net, _raise, in_setup=True),
        ):
            result = instance.setup()
    except InterleaveError as error:
        if error.about in CLOCKS and clock is None:
            raise Lacking(CLOCK) from None
        raise error.at(Place.of_error(file, error) or place_of_function(function)) from None
    except (Lacking, Stopped, MemoryError):
        raise
    except BaseException as error:
        if isinstance(error, TypeError) and clock is not None and not clock.by_steps:
            raise Lacking(BY_STEPS) from None  # it may be one of C code that knows no moments
        if function is Model.setup:  # it has none: what has raised is asked for its attributes
            raise
        raise ModelError(
            f"{_called(model)} raises {said(error)}",
            remedy="it must run through: it makes the initial state",
            place=Place.of_error(file, error) or place_of_function(function),
        ) from error
    if was_drawn(before):
        raise left_to_chance(place_of_function(function))
    if inspect.iscoroutine(result):
        result.close()
    if result is not None:
        raise ModelError(
            f"setup returns something of type {type(result).__name__}, which nobody takes",
            remedy="set attributes of self, and return nothing",
            place=place_of_function(function),
        )


def _called(model: type[Model]) -> str:
    """What to call `setup`: it may be the body of a function."""
    names = [each.__name__ for each in vars(model).get(FUNCTION_OF, ())]
    return f"the body of {names[0]}" if names else "setup"


def _raise(error: InterleaveError) -> None:
    raise error


def place_of_attribute(model: type[Model], name: str) -> Place | None:
    """Where the class body or setup first gives an attribute of the model its value."""
    for cls in model.__mro__:
        setup = vars(cls).get("setup")
        if isinstance(setup, types.FunctionType) and (found := find_function(setup)):
            for node in ast.walk(found[0]):
                if isinstance(node, ast.Attribute) and node.attr == name:
                    if isinstance(node.ctx, ast.Store):
                        return Place.of_node(setup.__code__.co_filename, node)
    return place_of_assignment(model, name)


def place_of_variable(
    model: type[Model], name: str, functions: Iterable[types.FunctionType]
) -> Place | None:
    """The same; of what is no attribute, where one of some functions first names it."""
    first = name.partition(".")[0].partition("[")[0]
    for function in functions if not hasattr(model, first) else ():
        for node in source_nodes(found[0]) if (found := find_function(function)) else ():
            if isinstance(node, ast.Name) and node.id == first:
                return Place.of_node(function.__code__.co_filename, node)
    return place_of_attribute(model, name)


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
                is_special(name)
                or isinstance(value, _NO_DATA)
                or hasattr(type(value), "__get__")
                or is_data_descriptor(value)
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
    if isinstance(value, tuple) or is_frozen_dataclass(kind):
        made = copies[id(value)] = _value_of_copies(value, copies)
        return made
    if is_plain_object(value) and is_followed(kind):
        made = copies[id(value)] = object.__new__(kind)
        for name, item in attributes_of(value).items():
            object.__setattr__(made, name, fresh_copy(item, copies))
        return made
    return value


def _value_of_copies(value: Any, copies: dict[int, Any]) -> Any:
    """A tuple or frozen dataclass with copies of its parts; itself, where none of these change."""
    kind = type(value)
    is_tuple = isinstance(value, tuple)
    names = () if is_tuple else [field.name for field in fields(kind)]
    parts = [*value] if is_tuple else [getattr(value, name) for name in names]
    copied = [fresh_copy(part, copies) for part in parts]
    if all(new is old for new, old in zip(copied, parts, strict=True)):
        return value
    made: Any = tuple.__new__(kind, copied) if is_tuple else object.__new__(kind)
    for name, part in zip(names, copied, strict=False):
        object.__setattr__(made, name, part)
    return made


def _empty_like(value: Any) -> Any:
    if isinstance(value, Array):
        return Array(())
    return deque(maxlen=value.maxlen) if isinstance(value, deque) else type(value)()
