"""What is so after each access of a step, which no other thread sees: the step is taken again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.compiler import Code
from interleave.machine.frames import place_in
from interleave.machine.machine import Machine
from interleave.machine.port import StepPort
from interleave.machine.run import StepRun
from interleave.machine.step import State, Step
from interleave.memory.port import AccessKind, using_port
from interleave.program.choices import Choices

Calls = tuple[tuple[Code, int], ...]
"""Where each function is that a thread is in, outermost call first."""


class Moment(NamedTuple):
    """The end of an access: the value ids of the places that the step has written by then, and
    where the thread was.
    """

    written: dict[int, int]
    calls: Calls


class _NotingPort(StepPort):
    """The port of a thread of which the end of each access is noted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moments: list[Moment] = []

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        try:
            return super().access(kind, effect, private=private)
        finally:
            if len(self._accesses.done) > len(self.moments):
                calls = tuple([place_in(frame) for frame in self._stack.frames])
                self.moments.append(Moment({**self._places.written}, calls))


def moments(machine: Machine, state: State, step: Step) -> list[Moment]:
    """The moments of a step that is taken from a state, one for each of its accesses."""
    run = StepRun(
        machine.program,
        machine.locals,
        state,
        step.thread,
        Choices([*step.choices]),
        watched=False,
        make_port=_NotingPort,
    )
    with using_port(run.port):
        run.run(machine.local(state, step.thread))
    assert isinstance(run.port, _NotingPort)
    return run.port.moments[: len(step.accesses)]
