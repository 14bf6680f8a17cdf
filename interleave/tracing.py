"""From a path in the state graph to a `Trace`: names, source lines, plain values."""

from __future__ import annotations

from collections.abc import Iterable

from interleave.engine.passes.shortest import Path
from interleave.machine import Machine, State, Step
from interleave.memory.made import Held
from interleave.memory.port import Location
from interleave.parts import part_facts, step_facts
from interleave.result import StepPart, Trace, TraceStep
from interleave.view import View


def make_trace(machine: Machine, initial: State, path: Path) -> Trace:
    """The trace of a path that begins in a state."""
    moving = {step.thread for _, step in path.steps}
    return Trace(
        threads=tuple(
            dict.fromkeys(
                thread.name
                for thread in machine.program.threads
                if not thread.kind.is_loop or thread.number in moving
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
    name = machine.program.threads[step.thread].name
    parts = tuple(StepPart(*facts) for facts in part_facts(machine, state, step))
    return TraceStep(number, name, *step_facts(machine, state, step), parts)
