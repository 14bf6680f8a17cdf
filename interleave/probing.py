"""`probe`: what stands in the way of a check, all of it, and what a check would follow.

Code is run as a check runs it, but a thread ends where its code is refused, and the others go on.
So everything is met that some interleaving comes to first. Code that comes after, or that was not
come to, is only read: what its names stand for is looked up as a check would do it.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from interleave.asked import Asked, asked
from interleave.blaming import blaming
from interleave.checking import collecting_seldom, followed_in
from interleave.compiler import is_user_function
from interleave.compiler.imports import import_statements, imports_of
from interleave.compiler.names import (
    Surroundings,
    is_followed_class,
    is_followed_module,
    modelled,
    source_bound,
    source_nodes,
)
from interleave.compiler.source import find_function, place_of_function
from interleave.engine.engines import Engine
from interleave.engine.observing import Limits
from interleave.engine.search import Searched, search
from interleave.engine.steps import Steps
from interleave.engine.stopping import Guard
from interleave.errors import EndlessLoop, InterleaveError, LimitReached, ModelError, Place
from interleave.interrupts import AT_POLLS, leaving, listening, take
from interleave.loading import checked_runtime, here, loop_settings, own_options, parameters_of
from interleave.machine import Machine, Moves, State
from interleave.memory.values import mangle, members_by_base
from interleave.model import Model
from interleave.options import MOST_STATES, Options
from interleave.racing.building import Race
from interleave.racing.calls import read_calls
from interleave.racing.check import raised_in_all, refuse_wrong, type_errors
from interleave.racing.race import begun
from interleave.records import dataclass
from interleave.result import Followed
from interleave.selecting import find_models
from interleave.stdlib.registry import modelled_attribute
from interleave.world.policy import Assumed, Treatment, assuming, of_function

MOST_STATES_EACH = 5_000
"""States of one call, or one model, that are looked at, unless told otherwise."""


@dataclass(frozen=True)
class Probed:
    """What there is to say of one call of an object, or of one model."""

    name: str
    refused: tuple[ModelError, ...]
    """What ended a thread, each once."""
    ahead: tuple[ModelError, ...]
    """What would be refused in code that was not run, and may never be."""
    followed: tuple[Followed, ...] = ()
    """The functions that were run."""
    limit: str = ""
    """Why not all of it was looked at; "" if it was."""
    raises: str = ""
    """What a call with made-up arguments raises, whatever happens: "TypeError(...)"; "" for nothing
    of the kind.
    """


def probe(target: str | Path | type[Model], *calls: str, **options: Any) -> tuple[Probed, ...]:
    """Find out what stands in the way of a check.

    `target` is an object, as text, "cachelib:SimpleCache()", of which two threads make each of
    `calls`, or each public method with simple arguments; or a file of models, tests or a script; or
    a model. The options are those of `interleave probe`.

    Raises `InterleaveError` where there is nothing that could be run: for a file that cannot be
    imported, an object that cannot be made.
    """
    wanted = asked(Options, options, "probe()")
    with listening(), leaving(AT_POLLS):
        return tuple(
            _probed(each, wanted, is_chosen=bool(calls)) for each in _models(target, calls, wanted)
        )


class _Model(NamedTuple):
    """What is to be run: a model with its name and file, and the race that it was made of."""

    name: str
    model: type[Model]
    file: str
    race: Race | None


def _models(
    target: str | Path | type[Model], calls: Sequence[str], wanted: Asked[Options]
) -> Iterator[_Model]:
    """What is to be run."""
    if not isinstance(target, str) or ":" not in target:
        for each, file in find_models([target], wanted):
            yield _Model(each.__name__, each, str(file), None)
        return
    origin, making = begun(target, wanted.near(Path()).max_seconds)
    for text in calls or making.each():
        race = making.race([*read_calls([text])], 2, text)
        yield _Model(text, making.model(race, (), None, paused=False), origin.where, race)


@blaming()
@collecting_seldom()
def _probed(what: _Model, wanted: Asked[Options], *, is_chosen: bool) -> Probed:
    name, model, file, race = what
    options = wanted.near(file, own_options(model))
    parameters = {**parameters_of(model, options.parameters or {}), **loop_settings(model, options)}
    most = MOST_STATES_EACH if options.max_states == MOST_STATES else options.max_states
    refusals = _Refusals()
    guard = Guard(options.max_seconds, options.bytes)
    found: Searched[Any] | None = None
    with assuming(Assumed(tuple(options.pure))), guard.phase():
        try:
            found = search(
                model,
                parameters,
                lambda *_: [],
                runtime=checked_runtime(options.runtime, model),
                engine=Engine("reference"),
                limits=Limits(most),
                guard=guard,
                among=refusals.passed,
            )
        except LimitReached:
            raise
        except ModelError as error:  # before any thread could run
            refusals.note(error)
    guard.note(take())
    if found is None:
        return Probed(name, refusals.found, (), limit=str(guard.stop or ""))
    known = {(each.what, each.place) for each in refusals.found}
    with assuming(Assumed(tuple(options.pure))):
        ahead = [each for each in _ahead(found.machine) if (each.what, each.place) not in known]
    limit = str(found.graph.stop or guard.stop or "")
    raises = ""
    if race is not None and not (limit or refusals.found):
        states = [found.graph.state(each) for each in found.graph.ended]
        wrong = type_errors(raised_in_all(race, found.machine, states))
        if is_chosen:
            refuse_wrong(wrong)
        raises = next(iter(wrong.values()), "")
    # Calls of a race, and what `dataclass` makes, stand in no file.
    followed = [each for each in followed_in(found.machine.program) if Path(each.file).exists()]
    near = tuple([replace(each, file=str(here(each.file))) for each in followed])
    return Probed(name, refusals.found, tuple(ahead), near, limit, raises)


def _bring_near(error: InterleaveError) -> None:
    """Call the files of an error as a user would name them."""
    places = [
        each and replace(each, file=str(here(each.file))) for each in (error.place, *error.calls)
    ]
    error.place, error.calls = places[0], tuple(filter(None, places[1:]))


class _Refusals:
    """What was refused while a model was run."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Place | None], ModelError] = {}

    @property
    def found(self) -> tuple[ModelError, ...]:
        """Each of them, once for each place."""
        return tuple(self._found.values())

    def note(self, error: ModelError) -> None:
        """A thread has come to this."""
        _bring_near(error)
        self._found.setdefault((error.what, error.place), error)

    def passed(self, steps: Steps, machine: Machine) -> Steps:
        """Steps that leave a thread where its code is refused, from its beginning on."""
        machine.on_refused = self.note
        return _Passing(steps, self.note)


class _Passing:
    """Steps, where one that is refused is none."""

    def __init__(self, steps: Steps, note: Callable[[ModelError], None]) -> None:
        self.learns = steps.learns
        self._steps = steps
        self._note = note

    @property
    def learnt(self) -> int:
        """How many cases were learnt by running Python."""
        return self._steps.learnt

    @property
    def every(self) -> Steps:
        """The same: there is nothing to be known of the others."""
        return self

    def step(self, state: State, thread: int) -> Moves:
        """Every way in which a thread can go on."""
        try:
            return self._steps.step(state, thread)
        except EndlessLoop:
            raise
        except ModelError as error:
            self._note(error)
            return Moves()


def _ahead(machine: Machine) -> list[ModelError]:
    """What would be refused in the functions that code names, beginning with those that were run
    or were about to be.

    A method may be one of any class that was met which has one of that name.
    """
    reading = _Reading(machine)
    waiting = [code.function for code in machine.program.world.codes()]
    seen: set[types.FunctionType] = set()
    while waiting:
        function = waiting.pop()
        if function not in seen:
            seen.add(function)
            waiting += reading.of(function)
    return sorted(reading.refused.values(), key=lambda each: str(each.place))


class _Reading:
    """Looks up what stands in functions, without running them."""

    def __init__(self, machine: Machine) -> None:
        self._world = machine.program.world
        self._classes: dict[type, None] = {}
        """The classes that were met whose code is followed."""
        self.refused: dict[tuple[str, Place | None], ModelError] = {}
        for each in self._world.stood_for():
            if isinstance(each, type) and is_followed_class(each):
                self._classes[self._world.real_class(each)] = None

    def of(self, function: types.FunctionType) -> Iterator[types.FunctionType]:
        """The functions that one can call whose code is followed; notes what it has of refused."""
        definition = find_function(function)
        if definition is None or of_function(function).treatment is not Treatment.FOLLOWED:
            return
        with self._noting(place_of_function(function)):
            self._world.code(function)
        names = Surroundings(function)
        imports = imports_of(import_statements(definition[0]), function.__globals__)
        names.imported.update({e.name: e.value for e in imports if e.error is None})
        bound = source_bound(definition[0]) - names.imported.keys()
        for node in source_nodes(definition[0]):
            place = Place.of_node(function.__code__.co_filename, node)
            if isinstance(node, ast.Name) and node.id in names and node.id not in bound:
                yield from self._of_value(names.real(node.id), node.id, place)
            elif isinstance(node, ast.Attribute):
                owner = _module_in(node.value, names, bound)
                if owner is not None and hasattr(owner, node.attr):
                    name = f"{owner.__name__}.{node.attr}"
                    yield from self._of_value(getattr(owner, node.attr), name, place, owner)
                else:
                    yield from self._methods(mangle(node.attr, definition[1]))

    def _of_value(
        self, value: Any, name: str, place: Place, owner: types.ModuleType | None = None
    ) -> Iterator[types.FunctionType]:
        """What can be called where a name stands for this."""
        if isinstance(value, types.FunctionType) and is_user_function(value):
            yield value
        elif isinstance(value, type) and is_followed_class(value):
            self._classes[value] = None
            yield from self._methods("__init__")
        elif isinstance(value, types.FunctionType | types.BuiltinFunctionType | type):
            with self._noting(place):
                if owner is None or is_followed_module(owner):
                    modelled(value, name)
                else:
                    modelled_attribute(owner, name.rpartition(".")[2])

    def _methods(self, name: str) -> Iterator[types.FunctionType]:
        for kind in self._classes:
            for members in members_by_base(kind):
                member = members.get(name)
                if isinstance(member, property):
                    member = member.fget
                function = getattr(member, "__func__", member)
                if isinstance(function, types.FunctionType):
                    yield function

    @contextmanager
    def _noting(self, place: Place) -> Iterator[None]:
        try:
            yield
        except ModelError as error:
            _bring_near(error.at(place))
            self.refused.setdefault((error.what, error.place), error)


def _module_in(node: ast.expr, names: Surroundings, bound: Set[str]) -> types.ModuleType | None:
    """The module that an expression is, where its text says so."""
    found: Any = None
    if isinstance(node, ast.Name) and node.id in names and node.id not in bound:
        found = names.real(node.id)
    elif isinstance(node, ast.Attribute):
        owner = _module_in(node.value, names, bound)
        found = getattr(owner, node.attr, None)
    return found if isinstance(found, types.ModuleType) else None
