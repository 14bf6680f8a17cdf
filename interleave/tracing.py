"""From a path in the state graph to a `Trace`: names, source lines, plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from interleave.engine.passes.shortest import Path
from interleave.machine import Machine, State, Step
from interleave.memory.made import Held
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.parts import part_facts, step_facts
from interleave.result import StepPart, Trace, TraceStep
from interleave.schedule import Schedule, Turn
from interleave.view import View
from interleave.world.policy import assumed

NOWHERE = Path(())


def make_trace(
    machine: Machine,
    initial: State,
    path: Path,
    *,
    which: int = 0,
    loop: Path = NOWHERE,
    constants: Sequence[Location] = (),
    states: int | None = None,
) -> Trace:
    """The trace of a path that begins in an initial state, and of a loop that begins where it ends.

    `which` is the number of the initial state among several.
    It tells also of some `constants`. `states` is how many a search has met that was cut short.
    """
    taken = (*path.steps, *loop.steps)
    steps = tuple(
        _trace_step(machine, number, state, step) for number, (state, step) in enumerate(taken, 1)
    )
    moving = {step.thread for _, step in taken}
    threads = (
        thread.name
        for thread in machine.program.threads
        if not thread.kind.is_loop or thread.number in moving
    )
    turns = tuple(turn_of(machine, *each) for each in taken)
    before = len(path.steps)
    program = machine.program
    return Trace(
        threads=tuple(dict.fromkeys(threads)),
        initial=tuple(variables(machine, initial, constants).items()),
        steps=steps[:before],
        final=tuple(variables(machine, _end(machine, initial, path), constants).items()),
        loop=steps[before:],
        schedule=Schedule(
            program.model.__name__,
            program.runtime.name,
            tuple(program.parameters.items()),
            which,
            turns[:before],
            turns[before:],
            states,
            tuple(dict.fromkeys(location.name for location in constants)),
            assumed().names,
        ),
    )


def turn_of(machine: Machine, state: State, step: Step) -> Turn:
    """What a schedule has of a step that is taken from a state."""
    names = machine.names_in(state)
    does = ", ".join(
        f"{access.kind.name} {names.where(access.kind) or ''}".strip()
        for access in step.accesses
        if access.kind.name
    )
    thread = machine.program.threads[step.thread]
    which = sum(each.name == thread.name for each in machine.program.threads[: step.thread])
    return Turn(thread.name, which, step.choices, does)


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
        if location.shown and names.is_there(location) and _has_value(machine, state, location)
    }
    for location in heap.changing:
        if location.is_room and _is_told(heap.values[state[location.index]]):
            name = names.of_location(location)
            if name not in found and location.owner not in view.inside:
                found[name] = view.at(location)
    return found


def _has_value(machine: Machine, state: State, location: Location) -> bool:
    """Whether there is anything to say of what is at a location."""
    owner = machine.program.heap.owner(location)
    if not isinstance(owner, Primitive) or location.index < 0:
        return True
    return type(owner).is_told(machine.program.heap.values[state[location.index]])


def _is_told(held: Held | None) -> bool:
    """Whether reports speak of what is in a room."""
    return held is not None and not getattr(held.kind.stand_in, "is_internal", False)


def _trace_step(machine: Machine, number: int, state: State, step: Step) -> TraceStep:
    name = machine.program.threads[step.thread].name
    parts = tuple(StepPart(*facts) for facts in part_facts(machine, state, step))
    return TraceStep(number, name, **step_facts(machine, state, step)._asdict(), parts=parts)
