"""From a path in the state graph to a `Trace`: names, source lines, plain values."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

from interleave.engine.paths import Path
from interleave.machine import Machine, State, Step
from interleave.machine.step import AccessRecord
from interleave.memory.closures import Closure, variable
from interleave.memory.containers import SharedContainer
from interleave.memory.identity import as_plain
from interleave.memory.made import Held
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.memory.values import Shared
from interleave.result import Access, Change, Described, Source, Trace, TraceStep
from interleave.showing import show
from interleave.world.instances import Inherited


def make_trace(machine: Machine, initial: State, path: Path) -> Trace:
    """The trace of a path that begins in a state."""
    moving = {step.thread for _, step in path.steps}
    return Trace(
        threads=tuple(
            dict.fromkeys(
                thread.name
                for thread in machine.program.threads
                if thread.kind != "loop" or thread.number in moving
            )
        ),
        initial=tuple(variables(machine, initial).items()),
        steps=tuple(
            _trace_step(machine, number, state, step)
            for number, (state, step) in enumerate(path.steps, 1)
        ),
        final=tuple(variables(machine, _end(machine, initial, path)).items()),
    )


def _end(machine: Machine, initial: State, path: Path) -> State:
    return machine.after(*path.steps[-1]) if path.steps else initial


def variables(machine: Machine, state: State) -> dict[str, object]:
    """Plain values of the locations that can change, by name, in order of declaration."""
    heap = machine.program.heap
    return {
        location.name: plain_at(machine, location, state[location.index])
        for location in heap.changing
        if location.shown or (location.is_room and _is_told(heap.values[state[location.index]]))
    }


def _is_told(held: Held | None) -> bool:
    """Whether reports speak of what is in a room."""
    return held is not None and not getattr(held.kind.stand_in, "is_internal", False)


def _trace_step(machine: Machine, number: int, state: State, step: Step) -> TraceStep:
    accesses, source, changes, outcome = step_facts(machine, state, step)
    name = machine.program.threads[step.thread].name
    return TraceStep(number, name, accesses, source, changes, outcome)


def step_facts(
    machine: Machine, state: State, step: Step
) -> tuple[tuple[Access, ...], Source, tuple[Change, ...], str]:
    """What a step taken from a state accesses, its line, what it changes, and what came of it."""
    changing = machine.program.heap.changing
    named = _named(step)
    accesses = tuple(Access(access.kind.name, access.kind.where) for access in named)
    changes = tuple(
        _change(machine, changing[index], state[index], value)
        for index, value in step.writes
        if changing[index].name and not _is_quiet(machine, changing[index], state[index], value)
    )
    outcomes = [_outcome(machine, access) for access in named]
    outcomes += [f"raised {name}" for name in step.raised]
    return accesses, _line(step), changes, ", ".join(filter(None, outcomes))


def _change(machine: Machine, location: Location, before: int, after: int) -> Change:
    """The change of a location. Of a primitive that is made now, it says what it is."""
    values = machine.program.heap.values
    made = values[after] if location.is_room and values[before] is None else None
    new = plain_at(machine, location, after)
    if made is not None and made.kind.is_primitive:
        new = Described(f"{made.kind.stand_in.__name__}, {show(new)}")
    return Change(location.name, plain_at(machine, location, before), new)


def _named(step: Step) -> list[AccessRecord]:
    """The accesses of a step but for those without a name: nobody would miss them."""
    return [access for access in step.accesses if access.kind.name]


def _is_quiet(machine: Machine, location: Location, before: int, after: int) -> bool:
    """Whether a change is of no interest: it is one of something that reports do not speak of."""
    heap = machine.program.heap
    owner = heap.owner(location)
    if location.is_room:
        kinds = {held.kind.stand_in for held in (heap.values[before], heap.values[after]) if held}
        return all(getattr(kind, "is_internal", False) for kind in kinds)
    return isinstance(owner, Primitive) and not owner.tells(heap.values[before], heap.values[after])


def _line(step: Step) -> Source:
    """The line of a step; of one with several accesses, with all the statements that it runs."""
    code, block = step.place
    source = code.source(block)
    named = _named(step)
    if code.is_library:
        # What the library does of itself stands in no line of the model.
        done = dict.fromkeys(f"{a.kind.name} {a.kind.where or ''}".strip() for a in named)
        return replace(source, text="; ".join(done) or source.text)
    if len(named) < 2:
        return source
    places = [access.place for access in named]
    texts = dict.fromkeys(code.source(block).text for code, block in places)
    if named[0].kind.name == "atomic":
        opening = f"{source.text} "
        texts.pop(source.text, None)
    else:
        opening = ""
    # Of a compound statement it is the header, after which the next one would look like its body.
    inner = "; ".join(text.removesuffix(":") for text in texts)
    return replace(source, text=f"{opening}{inner}")


def _outcome(machine: Machine, access: AccessRecord) -> str:
    """What an access gave, where what it changed does not say."""
    kind, result = access.kind.name, access.result
    if access.raised is not None or access.writes or getattr(type(result), "is_internal", False):
        return ""
    if kind == "return":
        return "returns: the program ends"
    if kind in ("enter", "leave"):
        return f"{kind}s {access.kind.where}"
    if kind == "next":
        assert isinstance(result, tuple)  # as memory.cursors has it
        if not result:
            return "at the end"
        kind, result = "read", result[0]
    if kind == "iter":
        return f"size {result}"
    if result is None and not access.reads:
        return ""
    verb = {"read": "read", "choose": "chose"}.get(kind, "gave")
    return f"{verb} {show(plain(machine, result))}"


def plain_at(machine: Machine, location: Location, value: int) -> object:
    """The value with some id at a location, as a person would write it."""
    heap = machine.program.heap
    held = heap.values[value]
    owner = heap.owner(location)
    if location.is_room:
        return _in_room(machine, location, held)
    if issubclass(type(owner), Primitive):
        return Described(owner.describe(plain(machine, held)))
    if issubclass(type(owner), SharedContainer):
        return _real(owner.build(held), machine)
    return plain(machine, held)


def _in_room(machine: Machine, location: Location, held: Held | None) -> object:
    if held is None:
        return Described("nothing")
    owner = held.kind.made(-1, location)
    if held.kind.is_primitive:
        return Described(owner.describe(plain(machine, held.contents)))
    if issubclass(held.kind.stand_in, SharedContainer):
        return _real(owner.build(held.contents), machine)
    if issubclass(held.kind.stand_in, variable):
        return next((plain(machine, each) for _, each in held.contents), Described("no value"))
    inside = ", ".join(f"{name}={show(plain(machine, each))}" for name, each in held.contents)
    return Described(f"{held.kind.stand_in.__name__}({inside})")


def plain(machine: Machine, value: Any) -> object:
    """A value without stand-ins: a reference to a shared object becomes its name."""
    if issubclass(type(value), Shared):
        return Described(machine.program.heap.name_of(value) or "self")
    if isinstance(value, tuple):
        return tuple.__new__(type(value), [plain(machine, item) for item in value])
    if type(value) is Inherited:
        return plain(machine, value.value)
    if type(value) is Closure:
        return Described(value.__name__)
    return as_plain(value)


def _real(container: Any, machine: Machine) -> object:
    if isinstance(container, dict):
        return {plain(machine, k): plain(machine, v) for k, v in container.items()}
    if isinstance(container, list | deque):
        return type(container)(plain(machine, item) for item in container)
    return container
