"""What is so after each access of a step, which no other thread sees: the step is taken again."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple

from interleave.compiler import Code
from interleave.machine.frames import place_in
from interleave.machine.machine import Machine
from interleave.machine.port import StepPort
from interleave.machine.run import StepRun
from interleave.machine.step import State, Step
from interleave.memory.port import AccessKind
from interleave.memory.streams import running
from interleave.program.choices import Choices
from interleave.world.policy import is_of_others

Calls = tuple[tuple[Code, int], ...]
"""Where each function is that a thread is in, outermost call first."""


class Line(NamedTuple):
    """A line of a module that came with Python or with a package."""

    module: str
    number: int
    text: str


class Whereabouts(NamedTuple):
    """Where a thread is: its calls, and the line `inside` of what its block calls, such as a
    property, if that is the code of somebody else.
    """

    calls: Calls
    inside: Line | None = None


class Moment(NamedTuple):
    """The end of an access: the value ids of the places that the step has written by then, and
    where the thread was.
    """

    written: dict[int, int]
    where: Whereabouts


class _NotingPort(StepPort):
    """The port of a thread of which the end of each access is noted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.moments: list[Moment] = []

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        try:
            return super().access(kind, effect, private=private)
        finally:
            self.note()

    def note(self) -> None:
        """Note what is so now, if an access has come to its end."""
        if len(self._accesses.done) > len(self.moments):
            calls = tuple([place_in(frame) for frame in self._stack.frames])
            where = Whereabouts(calls, _line_inside())
            self.moments.append(Moment({**self._places.written}, where))


def _line_inside() -> Line | None:
    """The line from which the present access is made, if that is in the code of somebody else that
    a block of the user's has called.
    """
    frame: FrameType | None = sys._getframe(1)
    own, found = __name__.partition(".")[0], None
    while frame is not None and frame.f_code.co_name != "run_block":
        module = frame.f_globals.get("__name__") or ""
        if is_of_others(module) and module.partition(".")[0] != own:
            if found is None:
                file, number = frame.f_code.co_filename, frame.f_lineno
                text = linecache.getline(file, number, frame.f_globals).strip()
                found = Line(module, number, text)
        elif module.partition(".")[0] != own:
            return found
        frame = frame.f_back
    return None


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
    with running(run.port):
        run.run(machine.local(state, step.thread))
    assert isinstance(run.port, _NotingPort)
    run.port.note()  # that a signal comes is an access of no block, and the last one of its step
    return run.port.moments[: len(step.accesses)]
