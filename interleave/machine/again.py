"""Taking a step again, as it would have been taken had one access found something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from interleave.errors import InterleaveError
from interleave.machine.run import StepRun
from interleave.machine.step import Blocked, Step
from interleave.memory.port import WHOLE, Location, using_port
from interleave.program.heap import Again

if TYPE_CHECKING:
    from interleave.machine import Machine


class Instead(NamedTuple):
    """What an access of a step (by its index) finds at a place of the state: a value's id."""

    access: int
    place: int
    value: int


class _StepAgain(StepRun):
    """A step by a thread that may be in another local state than it was.

    Memory is as it was when the step was taken, and becomes what it became then.
    """

    def __init__(
        self, machine: Machine, state: tuple[int, ...], step: Step, instead: Instead | None
    ) -> None:
        super().__init__(machine, state, step.thread, choices=[*step.choices], explain=True)
        self._step_taken = step
        self._instead = instead

    def read(self, location: Location, *, part: object = WHOLE) -> Any:
        found = self._instead
        if (
            found is None
            or location.index != found.place
            or self._in_effect is None
            or len(self._accesses) - 1 != found.access
        ):
            return super().read(location, part=part)
        value = self._heap.values[found.value]
        return value.contents if location.is_room else value

    def write(
        self, location: Location, value: object, *, part: object = WHOLE, fresh: bool = False
    ) -> None:
        super().write(location, value, part=part, fresh=fresh)
        number = len(self._accesses) - 1
        if self._in_effect is not None and number < len(self._step_taken.accesses):
            became = self._step_taken.accesses[number].wrote(location)
            if became is not None:
                self._written[location.index] = became


def take_again(
    machine: Machine, state: tuple[int, ...], step: Step, instead: Instead | None
) -> tuple[Step, tuple[int, ...]] | None:
    """A step that its thread, in its local state in `state`, takes in the place of `step`.

    With the places of the state that it looked at. None where it would wait, or cannot be run.
    """
    run = _StepAgain(machine, state, step, instead)
    try:
        with using_port(run):
            found = run.run()
    except (InterleaveError, Again):
        return None
    return None if isinstance(found, Blocked) else (found, tuple(run.looked_at))
