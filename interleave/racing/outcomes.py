"""Outcomes: what each call has given, and the state of the object at the end, to be compared.

Two objects that threads have made are the same if they have the same role: if they are met in the
same places of an outcome.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any

from interleave.interrupts import counted
from interleave.machine import Machine, State
from interleave.machine.pictures import Form, Picture, Pictures, forms_in, plain_of, words_of
from interleave.machine.properties import PropertyPort
from interleave.memory.identity import ThreadId, ThreadIdent
from interleave.memory.port import Location
from interleave.memory.streams import running
from interleave.memory.values import Freezer, Shared
from interleave.program import Program
from interleave.racing.building import OBSERVE, Race
from interleave.racing.results import CallResult, Given
from interleave.records import dataclass
from interleave.result import CallOutcome, Described
from interleave.showing import show
from interleave.tracing import variables
from interleave.view import View

_UNORDERED = (set, frozenset)


@dataclass(frozen=True)
class Outcome:
    """What came of some calls: `key` is the same for outcomes that nothing tells apart.

    `parts` has, by name, what is the same where one part of it is, looked at alone; `results` the
    names of the results of calls, whether they count or not. `opaque` names what has no value.
    """

    key: Hashable
    of_results: Hashable
    """The same for those of which the results are not told apart."""
    parts: Mapping[str, Hashable]
    results: tuple[str, ...]
    errors: Mapping[str, Hashable]
    """The same of the exceptions that calls have raised, by the names of their results."""
    opaque: tuple[str, ...] = ()
    gives_nothing: bool = False
    """Whether all calls have returned None."""

    def differing(self, other: Outcome) -> list[str]:
        """The names of the parts that another one has otherwise."""
        names = dict.fromkeys((*self.parts, *other.parts))
        return [each for each in names if self.parts.get(each) != other.parts.get(each)]


class Outcomes:
    """Gives the outcomes of a race in the final states of its machine."""

    def __init__(self, race: Race, machine: Machine, observed: str | None) -> None:
        self._machine = machine
        self._observed = observed
        heap = machine.program.heap
        by_name = {
            each.name: each for each in heap.locations if isinstance(heap.owner(each), CallResult)
        }
        self.results: dict[str, Location] = {}
        """Where the results of calls are, by name, in the order of the threads and their calls."""
        self.thread_of: dict[str, str] = {}
        """The thread that makes the call, by the name of its result."""
        self.calls: list[str] = []
        """The calls in words, in the same order."""
        for thread in race.threads:
            for index in range(thread.count):
                of = f"[{index}]" if thread.count > 1 else ""
                for place in thread.places:
                    self.results[place.result + of] = by_name[place.result + of]
                    self.thread_of[place.result + of] = thread.name + of
                    self.calls.append(place.call.text + of)
        self._rooms = {room.location.owner for room in heap.rooms}
        hidden = {each.index for each in self.results.values()}
        self._variables = [
            each
            for each in heap.changing
            if each.shown and not each.is_room and each.index not in hidden
        ]
        self.places = machine.locations + len(machine.program.threads)
        """How many places of a state an outcome depends on."""
        self._known: dict[State, Outcome] = {}

    def of(self, state: State) -> Outcome:
        """The outcome in a state in which all calls are over."""
        shared = state[: self._machine.locations]
        found = self._known.get(shared)
        if found is None:
            found = self._known[shared] = self._look(state)
        return found

    def _look(self, state: State) -> Outcome:
        given = self._given(state)
        found = {} if self._observed else dict(given)
        for name, picture in self._at_end(state):
            found[name] = ("", picture)
        roles = Roles(self._machine)
        key = tuple((name, how, roles.told(picture)) for name, (how, picture) in found.items())
        parts = {name: self._told(each) for name, each in found.items()}
        errors = {name: self._told(each) for name, each in given.items() if each[0] == "raised"}
        opaque = tuple(
            f"{name} ({each})"
            for name, (_, picture) in found.items()
            for each in opaque_in(picture)
        )
        roles = Roles(self._machine)
        of_results = tuple((how, roles.told(picture)) for how, picture in given.values())
        if self._observed:
            of_results = ()
        gives_nothing = all(
            how != "raised" and picture.form == ("value", None) for how, picture in given.values()
        )
        return Outcome(key, of_results, parts, tuple(given), errors, opaque, gives_nothing)

    def _told(self, part: tuple[str, Picture]) -> Hashable:
        how, picture = part
        return how, Roles(self._machine).told(picture)

    def _given(self, state: State) -> dict[str, tuple[str, Picture]]:
        """What each call has given, and how."""
        found = {}
        for name, location in self.results.items():
            given: Given | None = self._machine.program.heap.values[state[location.index]]
            found[name] = ("", Picture(("value", None))) if given is None else (*given,)
        return found

    def _at_end(self, state: State) -> Iterator[tuple[str, Picture]]:
        """What counts of the state in the end."""
        heap, names = self._machine.program.heap, self._machine.names_in(state)
        if self._observed is not None:
            value = self._observe(state)
            yield self._observed, Pictures(heap, state.__getitem__, lambda _: False).take(value)
            return
        pictures = Pictures(heap, state.__getitem__, lambda number: number not in self._rooms)
        for location in self._variables:
            if names.is_there(location):
                yield names.of_location(location), pictures.take_at(location)

    def _observe(self, state: State) -> Any:
        """The value of the expression that is observed."""
        with running(PropertyPort(self._machine, state)):
            return counted(getattr(self._machine.program.stand_in, OBSERVE), "the expression")

    def result(self, name: str, state: State) -> object:
        """What a call has given, in words."""
        return View(self._machine, state).at(self.results[name])

    def shown(self, state: State) -> CallOutcome:
        """The same in plain values."""
        if self._observed is not None:
            ((name, picture),) = self._at_end(state)
            return CallOutcome((), ((name, plain_of(picture)),))
        at_end = variables(self._machine, state)
        given = {}
        for name, (how, picture) in self._given(state).items():
            at_end.pop(name, None)
            value = plain_of(picture)
            given[name] = Described(f"raised {show(value)}") if how == "raised" else value
        return CallOutcome(tuple(given.items()), tuple(at_end.items()))


class Roles:
    """Tells pictures apart, but for which objects are in them: each is called by its role.

    That is when it was first met, in the pictures that were asked about.
    """

    def __init__(self, machine: Machine) -> None:
        self._heap = machine.program.heap
        self._declared = {each.number for each in machine.program.threads if each.room is None}
        self._namesakes = Namesakes(machine.program)
        self._roles: dict[Hashable, int] = {}
        self._pictures = 0

    def told(self, picture: Picture) -> Hashable:
        """What is the same for pictures that nothing tells apart."""
        self._pictures += 1
        form = self._told(picture.form)
        inside = [(self._object(each), self._told(what)) for each, what in picture.inside]
        return form, tuple(inside)

    def _role(self, what: Hashable) -> int:
        return self._roles.setdefault(what, len(self._roles))

    def _object(self, stand_in: Any) -> Hashable:
        if self._heap.is_made(stand_in):
            return ("made", self._role(self._heap.index_of(stand_in)))
        return ("captured", self._heap.name_of(stand_in))

    def _told(self, form: Form) -> Hashable:
        match form:
            case ("value", value):
                return self._value(value)
            case ("shared", _, stand_in):
                return self._object(stand_in)
            case ("of", kind, number, parts):
                role = -1 if number < 0 else self._role((self._pictures, number))
                if issubclass(kind, _UNORDERED):
                    parts = sorted(parts, key=_anonymous)
                return (self._value(kind), role, tuple([self._part(each) for each in parts]))
            case ("named", _, function):
                return self._value(function.it)
            case ("again", number):
                return ("again", self._role((self._pictures, number)))
        return form

    def _part(self, part: Form) -> Hashable:
        return tuple([self._told(each) for each in forms_in(part)])

    def _value(self, value: Any) -> Hashable:
        kind = type(value)
        if isinstance(value, ThreadId | ThreadIdent):
            thread = value.thread if isinstance(value, ThreadIdent) else value
            is_own = thread in self._declared or thread < 0
            return (
                kind.__name__,
                thread if is_own else ("started", self._role(("thread", thread))),
            )
        if issubclass(kind, Shared):
            return self._object(value)
        if isinstance(value, tuple):  # the state of a primitive
            return (kind.__name__, tuple([self._value(each) for each in value]))
        if isinstance(value, int | str | bytes | None):
            return (kind.__name__, value)
        if isinstance(value, type | FunctionType | BuiltinFunctionType):
            return (kind.__name__, *self._namesakes.told(value))
        return (kind.__name__, Freezer().freeze(value))


class Namesakes:
    """Tells classes and functions apart that Python calls by one name.

    What `setup` makes anew for each program is known by its place among those of its name that the
    program begins with: so it is the same for two programs of one race.
    """

    def __init__(self, program: Program) -> None:
        self._world = program.world
        self._known: dict[int, tuple[Hashable, ...]] = {}
        places: dict[Hashable, int] = {}
        for each in map(self._real, program.begins_with):
            if isinstance(each, type | FunctionType) and id(each) not in self._known:
                name = _name(each)
                places[name] = place = places.get(name, -1) + 1
                self._known[id(each)] = (*name, place)

    def told(self, value: type | FunctionType | BuiltinFunctionType) -> tuple[Hashable, ...]:
        """What is the same for one class or function only."""
        real = self._real(value)
        if (around := self._world.around(real)) is not None:  # it is made anew by each call
            return (*self.told(around), self._world.inside(around).index(real))
        return self._known.get(id(real)) or (*_name(real), id(real))

    def _real(self, value: Any) -> Any:
        if isinstance(value, type):
            return self._world.real_class(value)
        if isinstance(value, FunctionType):
            return self._world.original(value) or value
        return value


def _name(value: Any) -> tuple[str, str]:
    return value.__module__, value.__qualname__


def _anonymous(form: Form) -> str:
    """What orders the elements of a set, whichever objects they are."""
    return words_of(Picture(form, ())) if form[0] != "shared" else ""


def opaque_in(picture: Picture) -> Iterator[str]:
    """What has no value to be compared, in words."""
    waiting: list[Any] = [picture.form, *(form for _, form in picture.inside)]
    while waiting:
        form: Sequence[Any] = waiting.pop()
        if form[0] == "opaque":
            yield form[1]
        elif form[0] == "of":
            waiting += [each for part in form[3] for each in forms_in(part)]
