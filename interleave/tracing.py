"""From a path in the state graph to a `Trace`: names, source lines, plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from interleave.compiler import Code
from interleave.engine.paths import Path
from interleave.machine import FAILED, FINISHED, Machine, State, Step
from interleave.machine.step import AccessRecord
from interleave.memory.made import Held
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive, Told
from interleave.memory.values import Shared
from interleave.result import Access, Change, Source, Trace, TraceStep
from interleave.showing import show
from interleave.view import NOTHING, View
from interleave.world.policy import is_installed, is_standard


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


def variables(
    machine: Machine, state: State, constants: Iterable[Location] = ()
) -> dict[str, object]:
    """Plain values of the locations that can change, by name, in order of declaration, and of some
    that cannot.

    What threads have made is told of where it is shown in no variable.
    """
    heap, names = machine.program.heap, machine.names_in(state)
    view = View(machine, state)
    found = {
        names.of_location(location): view.at(location)
        for location in dict.fromkeys((*heap.changing, *constants))
        if location.shown and names.is_there(location)
    }
    for location in heap.changing:
        if location.is_room and _is_told(heap.values[state[location.index]]):
            name = names.of_location(location)
            if name not in found and location.owner not in view.inside:
                found[name] = view.at(location)
    return found


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
    named = _named(step)
    before = View(machine, state)
    after = View(machine, machine.after(state, step), before)
    accesses = tuple(Access(access.kind.name, _where(access, before, after)) for access in named)
    outcomes = [_outcome(access, before, after) for access in named]
    outcomes += [f"raised {name}" for name in step.raised]
    changes = _changes(machine, before, after, step)
    line = _led_to(machine, state, step, _line(step, before, after))
    return accesses, line, changes, ", ".join(filter(None, outcomes))


def _changes(machine: Machine, before: View, after: View, step: Step) -> tuple[Change, ...]:
    """What a step changes, each with its name afterwards.

    What is made and put into a variable is the variable's new value, and no other change.
    """
    changing = machine.program.heap.changing
    found: list[tuple[Location, Change]] = []
    for index, value in step.writes:
        location, old = changing[index], before.state[index]
        if location.name and not _is_quiet(machine, location, old, value):
            found += [(location, change) for change in _change(before, after, location, step)]
    told = {change.location for location, change in found if not location.is_room}
    return tuple(
        change
        for location, change in found
        if not (
            before.is_empty(location)
            and (change.location in told or location.owner in after.inside)
        )
    )


def _change(before: View, after: View, location: Location, step: Step) -> list[Change]:
    """The changes of a location: of an instance that a thread has made, those of its attributes."""
    named = before if after.is_empty(location) or not after.names.is_there(location) else after
    name = named.names.of_location(location)
    old, new = before.attributes(location), after.attributes(location)
    written = [
        touch.part[0]
        for access in step.accesses
        for touch in access.writes
        if touch.location is location and isinstance(touch.part, tuple)
    ]
    if old is not None and new is not None and written:
        return [
            Change(f"{name}.{each}", old.get(each, NOTHING), new.get(each, NOTHING))
            for each in dict.fromkeys(written)
        ]
    was = before.at(location)
    is_made = before.is_empty(location) and not after.is_empty(location)
    return [Change(name, was, after.made(location) if is_made else after.at(location))]


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


def _where(access: AccessRecord, before: View, after: View) -> str | None:
    """What an access is of, as it was called then; as it is called now, if it was made since."""
    location = access.kind.location
    view = after if location is not None and before.is_empty(location) else before
    return view.names.where(access.kind)


def _line(step: Step, before: View, after: View) -> Source:
    """The line of a step; of one with several accesses, with all the statements that it runs."""
    code, block = step.place
    source = code.source(block)
    named = _named(step)
    if code.is_library:
        # What the library does of itself stands in no line of the model.
        done = dict.fromkeys(
            f"{each.kind.name} {_where(each, before, after) or ''}".strip() for each in named
        )
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


def _led_to(machine: Machine, state: State, step: Step, line: Source) -> Source:
    """The line of a step; of one in the code of somebody else, with the user's line that led there.

    That is the innermost one of the calls that the thread is in.
    """
    code, _ = step.place
    local = machine.local(state, step.thread)
    if not _is_of_others(code) or local in (FINISHED, FAILED):
        return line
    for number, at, _ in reversed(machine.locals[local][0]):
        caller = machine.locals.codes[number]
        if not (caller.is_library or _is_of_others(caller)):
            call = caller.source(min(at, len(caller.blocks) - 1))
            inside = f"{code.function.__module__}:{line.line}: {line.text}"
            return replace(line, text=f"{call.text} ({inside})")
    return line


def _is_of_others(code: Code) -> bool:
    """Whether code came with Python or with a package, and is followed all the same."""
    module = code.function.__module__
    return not code.is_library and (is_standard(module) or is_installed(module))


def _outcome(access: AccessRecord, before: View, after: View) -> str:
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
    if issubclass(type(result), Told):
        if not (told := cast(Told, result).told()):
            return ""
        (result,) = told
    if result is None and not access.reads:
        return ""
    verb = {"read": "read", "choose": "chose"}.get(kind, "gave")
    if verb == "gave" and issubclass(type(result), Shared) and before.lacks(result):
        return ""  # it is made here, which is a change
    return f"{verb} {show(after.plain(result))}"
