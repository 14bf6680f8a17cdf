"""From a path in the state graph to a `Trace`: names, source lines, plain values."""

from __future__ import annotations

from collections import deque
from typing import Any

from interleave.engine.paths import Path
from interleave.machine import FAILED, Machine, State, Step
from interleave.machine.step import AccessRecord
from interleave.memory.containers import SharedContainer
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.memory.values import Shared
from interleave.result import Access, Change, Described, Source, Trace, TraceStep


def make_trace(machine: Machine, initial: State, path: Path) -> Trace:
    """The trace of a path that begins in a state."""
    return Trace(
        threads=tuple(thread.name for thread in machine.program.threads),
        initial=tuple(variables(machine, initial).items()),
        steps=tuple(
            _trace_step(machine, number, state, step)
            for number, (state, step) in enumerate(path.steps, 1)
        ),
    )


def variables(machine: Machine, state: State) -> dict[str, object]:
    """Plain values of the locations that can change, by name, in order of declaration."""
    heap = machine.program.heap
    return {
        location.name: plain_at(machine, location, state[location.index])
        for location in heap.changing
    }


def _trace_step(machine: Machine, number: int, state: State, step: Step) -> TraceStep:
    accesses, source, changes, outcome = step_facts(machine, state, step)
    name = machine.program.threads[step.thread].name
    return TraceStep(number, name, accesses, source, changes, outcome)


def step_facts(
    machine: Machine, state: State, step: Step
) -> tuple[tuple[Access, ...], Source, tuple[Change, ...], str]:
    """What a step taken from a state accesses, its line, what it changes, and what came of it."""
    code, block = step.place
    changing = machine.program.heap.changing
    accesses = tuple(Access(access.kind.name, access.kind.where) for access in step.accesses)
    changes = tuple(
        Change(
            changing[index].name,
            plain_at(machine, changing[index], state[index]),
            plain_at(machine, changing[index], value),
        )
        for index, value in step.writes
    )
    return accesses, code.source(block), changes, _outcome(machine, step)


def _outcome(machine: Machine, step: Step) -> str:
    """What came of a step where its changes do not say."""
    if step.local == FAILED and step.failure is not None:
        return f"raised {type(step.failure.exception).__name__}"
    parts = [_access_outcome(machine, access) for access in step.accesses]
    return ", ".join(part for part in parts if part)


def _access_outcome(machine: Machine, access: AccessRecord) -> str:
    if access.raised is not None:
        return f"raised {type(access.raised).__name__}"
    if access.kind.name in ("enter", "leave"):
        return f"{access.kind.name}s {access.kind.where}"
    if access.writes or (access.result is None and not access.reads):
        return ""
    verb = {"read": "read", "choose": "chose"}.get(access.kind.name, "gave")
    return f"{verb} {plain(machine, access.result)!r}"


def plain_at(machine: Machine, location: Location, value: int) -> object:
    """The value with some id at a location, as a person would write it."""
    heap = machine.program.heap
    held = heap.values[value]
    owner = heap.owner(location)
    if issubclass(type(owner), Primitive):
        return Described(owner.describe(held))
    if issubclass(type(owner), SharedContainer):
        return _real(owner.build(held), machine)
    return plain(machine, held)


def plain(machine: Machine, value: Any) -> object:
    """A value without stand-ins: a reference to a shared object becomes its name."""
    if issubclass(type(value), Shared):
        return Described(machine.program.heap.names[value._number] or "self")
    if type(value) is tuple:
        return tuple(plain(machine, item) for item in value)
    return value


def _real(container: Any, machine: Machine) -> object:
    if isinstance(container, dict):
        return {plain(machine, k): plain(machine, v) for k, v in container.items()}
    if isinstance(container, list | deque):
        return type(container)(plain(machine, item) for item in container)
    return container
