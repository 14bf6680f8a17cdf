"""Evaluating invariants and postconditions on a state."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from interleave.compiler.blocks import ENTERED, Swallow
from interleave.compiler.generators import names_kept, waiting_in
from interleave.compiler.source import find_function, place_of_function
from interleave.errors import InterleaveError, ModelError, Place, UsageError
from interleave.interrupts import Stopped, counted
from interleave.machine.frames import live
from interleave.machine.machine import Machine
from interleave.machine.port import handled_in_whole_code
from interleave.machine.step import FAILED, FINISHED, State
from interleave.machine.tasks import NoLoop
from interleave.memory.addresses import ObjectId
from interleave.memory.identity import MODEL_PROCESS, ThreadId, ThreadName
from interleave.memory.port import (
    BY_STEPS,
    CLOCK,
    CONTEXTS,
    READ_CLOCK,
    WHOLE,
    AccessKind,
    Location,
    in_words,
)
from interleave.memory.primitive import Primitive
from interleave.memory.streams import running
from interleave.memory.values import Key
from interleave.program import MoreNames, MoreRoots, Property, Restart, Swallowed, Written
from interleave.program.choices import Choices, next_choices
from interleave.said import said, said_by
from interleave.verbs import Section
from interleave.world.net import watching
from interleave.world.policy import OURS


class View:
    """One question about a thread, instead of all of its local state.

    Whether it is inside a section, or, where `section` is None, whether it has ended.
    """

    def __init__(self, machine: Machine, thread: int, section: str | None) -> None:
        self.place = machine.locations + thread
        self.section = section
        self._machine = machine
        self._known: dict[int, bool] = {}

    def __call__(self, local: int) -> bool:
        """The answer for a local state."""
        known = self._known.get(local)
        if known is None:
            ended = local in (FINISHED, FAILED)
            known = ended if self.section is None else self.section in self._sections(local)
            self._known[local] = known
        return known

    def _sections(self, local: int) -> frozenset[str]:
        return sections_of(self._machine, local)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and (self.place, self.section) == (
            other.place,
            other.section,
        )

    def __hash__(self) -> int:
        return hash((self.place, self.section))


class Seen:
    """A state as a property looks at it: by places and by views."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __getitem__(self, look: int | View) -> int:
        return look(self._state[look.place]) if isinstance(look, View) else self._state[look]


class PropertyPort:
    """The port while a property is evaluated: everything can be looked at, nothing changed."""

    thread = runner = ThreadId(-1)
    is_started = False
    process = MODEL_PROCESS
    tasks = NoLoop()
    has_feeders = False
    has_signals = False

    def fork(self) -> None:
        """No process begins here."""

    def __init__(self, machine: Machine, state: State, choices: Choices | None = None) -> None:
        self.has_clock = machine.program.clock is not None
        self.has_contexts = bool(machine.program.contexts)
        self._clock = machine.program.clock and machine.program.clock.of(self)
        self._choices = choices or Choices([])
        self._narrowed: Any = None
        """What is known of the clock, with what the property has found out by comparing."""
        self._machine = machine
        self._state = state
        self.looked_at: dict[int | View, None] = {}
        self.locations: dict[Location, None] = {}
        """Every location that was read, constants too."""

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        if private or kind.name in ("choose", "atomic", "enter", "leave", "sleep", READ_CLOCK):
            self.halt(_refused(in_words(kind)))
        return effect()

    def locate(self, location: Location) -> Location:
        return location

    def read(self, location: Location, *, part: object = WHOLE) -> Any:
        self.locations[location] = None
        values = self._machine.program.heap.values
        if location.index < 0:
            return values[location.initial]
        self.looked_at[location.index] = None
        value = values[self._state[location.index]]
        return value.contents if location.is_room else value

    def serve(self, thread: ThreadId) -> None:
        """A property lets nobody go on."""

    def exclude(self, location: Location, rule: str, *, writes: bool) -> None:
        """Nothing is concurrent with a property."""

    def put_off(self, queue: Any, message: object) -> None:
        self.halt(_refused("put anything into a queue"))

    others_run = False

    def switch_point(self) -> None:
        """A property is asked between steps."""

    def write(
        self, location: Location, value: object, *, part: object = WHOLE, fresh: bool = False
    ) -> None:
        remedy = "a property may only look: compute with local variables"
        if _is_lock(self._machine.program.heap.owner(location)):
            remedy = (
                "nobody moves while a property looks: have it ask for what the lock guards without "
                "taking the lock; a method that threads call to get it needs a twin that takes none"
            )
        self.halt(ModelError(f"a property changes {location.name!r}", remedy=remedy))

    def progress(self) -> int:
        return 0

    def forget(self, progress: int) -> None: ...

    def setting(self, name: str) -> Any:
        return self._machine.program.settings[name]

    def block(self, kind: AccessKind | None = None) -> Any:
        self.halt(_refused("wait for a lock"))

    def choose(self, options: Sequence[Any]) -> int:
        return int(self.halt(_refused("choose")))

    begin_atomic = end_atomic = lambda self: None

    def enter(self, section: str) -> None: ...

    def has_just_entered(self, section: str) -> bool:
        return False

    def inside(self, section: str) -> int:
        # Called by what stands for `Model.inside`, and that by the property.
        self._machine.program.sections.ask(section, sys._getframe(2))
        return sum(self._ask(thread.number, section) for thread in self._machine.program.threads)

    def make(self, kind: Any, contents: Any, *, field: str = "") -> Any:
        return self.halt(_refused(f"make a {kind.stand_in.__name__}"))

    def thread_room(
        self,
        kind: Any,
        target: Any,
        *,
        daemon: bool | None = None,
        maker: Any = None,
        name: str = "",
    ) -> Any:
        return self.halt(_refused("make a thread"))

    def thread_object(self) -> Any:
        return self.halt(_refused("ask for the current thread"))

    def callers(self) -> list[tuple[str, int, str]]:
        return []

    def process_object(self) -> Any:
        return self.halt(_refused("ask for the current process"))

    def loop_room(self, kind: Any, function: Any, name: str) -> Any:
        return self.halt(_refused("make an event loop"))

    def start_thread(
        self, thread: ThreadId, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self.halt(_refused("start a thread"))

    def finished(self, thread: str, index: int | None) -> bool:
        program = self._machine.program
        numbers = program.thread_number(thread, index)
        if program.over is not None and not program.is_asked_for(numbers[0]):
            self.begin_again(program.end_of(thread))
        return all(self._ask(number, None) for number in numbers)

    def _ask(self, thread: int, section: str | None) -> bool:
        view = View(self._machine, thread, section)
        self.looked_at[view] = None
        return view(self._state[view.place])

    def context(self, thread: ThreadId | None = None) -> Location:
        """That of the main thread, which never changes."""
        main = self._machine.program.heap.main_context
        return self.begin_again(CONTEXTS) if main is None else main._location

    @property
    def clock(self) -> Any:
        return self.begin_again(CLOCK) if self._clock is None else self._clock

    @property
    def signals(self) -> Any:
        return self.halt(_refused("handle signals"))

    def came_in(self, error: BaseException) -> bool:
        return False

    def read_clock(self) -> Any:
        if self._narrowed is not None:
            return self._narrowed
        place = self._machine.program.clock.location.index
        self.looked_at[place] = None
        return self._machine.program.heap.values[self._state[place]]

    def write_clock(self, known: Any) -> None:
        self._narrowed = known

    def choose_silently(self, count: int) -> int:
        return self._choices.choose(range(count))

    def kill(self, thread: ThreadId) -> None:
        self.halt(_refused("end a thread"))

    def started_in(self, process: ThreadName) -> list[Any]:
        """No process ends here."""
        return []

    def holding(self) -> list[Any]:
        """No process begins here."""
        return []

    feeding = holding

    def processes(self) -> list[ThreadName]:
        return self._machine.program.processes()

    def know(self, key: str) -> None:
        """Nothing is made here."""

    def begin_again(self, key: str) -> Any:
        raise Written(key)

    def swallows(self, which: Swallow) -> Any:
        raise Swallowed(which)

    def handled(self, code: types.CodeType | None) -> BaseException | None:
        raise handled_in_whole_code()

    in_access = False

    def is_lasting(self, shared: Any) -> bool:
        heap = self._machine.program.heap
        return not heap.is_made(shared) and heap.is_fixed(shared)

    def knows_references(self, shared: Any) -> bool:
        return True  # nothing waits in a property

    def lacks(self, roots: dict[str, Any], names: frozenset[str]) -> Any:
        raise MoreRoots(roots) if roots else MoreNames(names)

    has_finalizers = False

    def note_finalized(self, made: Any) -> None:
        name = type(made).__name__
        self.halt(
            ModelError(
                f"a property makes a {name}, which has a __del__",
                remedy="make it in setup or in a thread",
            )
        )

    def identity(self, value: Any) -> ObjectId:
        found = self._machine.program.identity(value)
        return self.halt(_refused("ask for the id() of what it makes")) if found is None else found

    def give_away(self, value: Any, to: str) -> Any:
        return value

    def meaning(self, real: Any, name: str) -> Any:
        return self._machine.program.world.now(real, name)

    def picture(self, value: Any, beyond: Any) -> Any:
        return self.halt(_refused("take a picture"))

    def holds(self, value: object) -> bool:
        return self._machine.program.holds(value)

    def halt(self, error: InterleaveError) -> Any:
        raise error


def _is_lock(owner: object) -> bool:
    """Whether an object is a primitive that `with` takes."""
    return issubclass(type(owner), Primitive) and hasattr(type(owner), "__enter__")


def _refused(what: str) -> ModelError:
    return ModelError(
        f"a property cannot {what}", remedy="a property may only look at shared variables"
    )


def sections_of(machine: Machine, local: int) -> frozenset[str]:
    """The critical sections that a local state is inside of."""
    key = machine.locals[local]
    if local in (FINISHED, FAILED):
        return frozenset()
    found: set[str] = set()
    frames = key[0]
    codes = [machine.locals.codes[number] for number, *_ in frames]
    for code, above, (_, at, values) in zip(codes, [*codes[1:], None], frames, strict=False):
        _note_sections(live(code, at, above), values, found)
    return frozenset(found)


def _note_sections(names: Iterable[str], values: Iterable[Key], found: set[str]) -> None:
    """Add the sections that some locals show to have been entered, by a generator as well."""
    for name, value in zip(names, values, strict=True):
        if name.startswith(ENTERED) and value[0] == "dataclass" and value[1].it is Section:
            found.add(value[2][0][1])
        else:
            for code, at, kept in waiting_in(value):
                _note_sections(names_kept(code, at), kept, found)


class Unmet(NamedTuple):
    """Why a property does not hold: what a failed assertion says, "" without one, and its line.

    The line is None where the property has returned False.
    """

    why: str = ""
    place: Place | None = None


def evaluate(
    machine: Machine, state: State, wanted: Property
) -> tuple[Unmet | None, tuple[int | View, ...]]:
    """Why a property does not hold in a state, or None where it holds.

    With it, the places in the state tuple, or views of them, that it looked at, in order. Raises
    `ModelError` where it changes something or raises anything but AssertionError.
    """
    method = getattr(machine.program.stand_in, wanted.name)
    return counted(
        partial(_evaluate, machine, state, wanted, method), f"{wanted.kind} {wanted.name}"
    )


def _evaluate(
    machine: Machine, state: State, wanted: Property, method: Callable[[], object]
) -> tuple[Unmet | None, tuple[int | View, ...]]:
    """For each way in which comparisons of times may go: it holds where it holds in all of them."""
    given: list[int] | None = []
    unmet: Unmet | None = None
    looked_at: dict[int | View, None] = {}
    while given is not None and unmet is None:
        choices = Choices(given)
        unmet, looked = _evaluate_once(machine, state, wanted, method, choices)
        looked_at.update(dict.fromkeys(looked))
        given = next_choices(choices.taken)
    return unmet, tuple(looked_at)


def _evaluate_once(
    machine: Machine,
    state: State,
    wanted: Property,
    method: Callable[[], object],
    choices: Choices,
) -> tuple[Unmet | None, tuple[int | View, ...]]:
    port = PropertyPort(machine, state, choices)
    unmet: Unmet | None = None
    with running(port):
        try:
            with watching(machine.program.net, port.halt):
                result = method()
                if not (result is None or isinstance(result, bool)):
                    raise _no_verdict(wanted, result)
                unmet = Unmet() if result is False else None
        except AssertionError as error:
            unmet = _failed(error)
        except InterleaveError as error:
            raise error.at(_place(error, wanted)) from None
        except (Restart, Stopped, MemoryError):
            raise
        except BaseException as error:
            clock = machine.program.clock
            if clock is not None and clock.may_lack_digits(error):
                raise Written(BY_STEPS) from None
            raise ModelError(
                f"the {wanted.kind} {wanted.name} raises {said(error)}",
                remedy="a property returns a bool, or uses assert; guard it for states in which "
                "it means nothing",
                place=_place(error, wanted),
            ) from error
    return unmet, tuple(port.looked_at)


def locations_read(machine: Machine, state: State, wanted: Property) -> list[Location]:
    """Every location that a property reads in a state in which it can be evaluated."""

    def look() -> list[Location]:
        port = PropertyPort(machine, state)
        with running(port), suppress(AssertionError):
            getattr(machine.program.stand_in, wanted.name)()
        return list(port.locations)

    return counted(look, f"{wanted.kind} {wanted.name}")


def evaluate_expression(
    machine: Machine, state: State, expression: str, names: Mapping[str, Any]
) -> Any:
    """A Python expression over the attributes of the model, and `names`, in a state.

    Raises `UsageError` where it cannot be evaluated.
    """
    model = machine.program.stand_in
    attributes = object.__getattribute__(model, "_locations")
    with running(PropertyPort(machine, state)):
        known = {name: getattr(model, name) for name in attributes if hasattr(model, name)}
        try:
            # The user's own.
            return counted(lambda: eval(expression, {**known, **names}), expression)  # noqa: S307
        except (InterleaveError, Stopped):
            raise
        except BaseException as error:
            raise UsageError(
                f"{expression!r} cannot be evaluated: {said(error)}",
                remedy=f"use these names: {', '.join([*known, *names])}",
            ) from None


def _no_verdict(wanted: Property, result: object) -> ModelError:
    """The error for a property that gives what is neither true nor false."""
    is_function = callable(result)
    remedy = "call it: write `()` after it" if is_function else "compare it, or write bool(...)"
    return ModelError(
        f"the {wanted.kind} {wanted.name} returns something of type {type(result).__name__}, which "
        "says neither that it holds nor that it does not",
        remedy=f"return True or False: {remedy}",
        place=_place_of_result(wanted),
    )


def _place_of_result(wanted: Property) -> Place:
    """The line by which a property returns, where there is only one."""
    function = inspect.unwrap(wanted.function)
    found = find_function(function)
    returns = [node for node in ast.walk(found[0]) if isinstance(node, ast.Return)] if found else []
    if len(returns) == 1:
        return Place.of_node(function.__code__.co_filename, returns[0])
    return place_of_function(function)


def _failed(error: AssertionError) -> Unmet:
    """What a failed assertion says, without what pytest adds where it rewrites, and its line.

    That is the innermost line of the model's code that it came through.
    """
    text, place, rewritten = said_by(error), None, False
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(OURS):
            place = Place(code.co_filename, traceback.tb_lineno)
            rewritten = "@pytest_ar" in code.co_names
        traceback = traceback.tb_next
    if rewritten:
        text = "" if text.startswith("assert ") else text.partition("\nassert ")[0]
    return Unmet(text, place)


def _place(error: BaseException, wanted: Property) -> Place:
    """The innermost line in the property's file that an exception came through."""
    file = wanted.function.__code__.co_filename
    return Place.of_error(file, error) or Place(file, wanted.function.__code__.co_firstlineno)
