"""Taking a step again, as it would have been taken had one access found something else."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from interleave.errors import InterleaveError
from interleave.machine.machine import Machine
from interleave.machine.port import StepPort
from interleave.machine.run import StepRun
from interleave.machine.step import FAILED, FINISHED, Blocked, State, Step
from interleave.memory.port import WHOLE, Location
from interleave.memory.streams import running
from interleave.program import Restart
from interleave.program.choices import Choices


class Instead(NamedTuple):
    """What an access of a step (by its index) finds at a place of the state: a value's id."""

    access: int
    place: int
    value: int


class _PortAgain(StepPort):
    """The port of a thread that may be in another local state than when it took `step`.

    Memory is as it was then, and becomes what it became then.
    """

    def __init__(self, step: Step, instead: Instead | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._step = step
        self._instead = instead

    def read(self, location: Location, *, part: object = WHOLE) -> Any:
        found, accesses = self._instead, self._accesses
        if (
            found is None
            or location.index != found.place
            or accesses.present is None
            or len(accesses.done) - 1 != found.access
        ):
            return super().read(location, part=part)
        value = self._heap.values[found.value]
        return value.contents if location.is_room else value

    def write(
        self, location: Location, value: object, *, part: object = WHOLE, fresh: bool = False
    ) -> None:
        super().write(location, value, part=part, fresh=fresh)
        number = len(self._accesses.done) - 1
        if self._accesses.present is not None and number < len(self._step.accesses):
            became = self._step.accesses[number].wrote(location)
            if became is not None:
                self._places.written[location.index] = became


def take_again(
    machine: Machine, state: State, step: Step, instead: Instead | None
) -> tuple[Step, tuple[int, ...]] | None:
    """A step that its thread, in its local state in `state`, takes in the place of `step`.

    With the places of the state that it looked at. None where it would wait, or cannot be run.
    """
    local = machine.local(state, step.thread)
    if local in (FINISHED, FAILED) or (instead is not None and _is_of_a_time(machine, instead)):
        return None
    run = StepRun(
        machine.program,
        machine.locals,
        state,
        step.thread,
        Choices([*step.choices]),
        explain=True,
        make_port=partial(_PortAgain, step, instead),
    )
    try:
        with running(run.port):
            found = run.run(local)
    except (InterleaveError, Restart):
        return None
    return None if isinstance(found, Blocked) else (found, tuple(run.places.looked_at))


def _is_of_a_time(machine: Machine, instead: Instead) -> bool:
    """Whether a value refers to readings of the clock: what these are, no other state says."""
    clock = machine.program.clock
    return clock is not None and bool(clock.moments(machine.program.heap.values, instead.value))
