"""`exception` and `assertion`: an exception leaves a thread."""

from __future__ import annotations

from functools import partial

from interleave.checks.base import Check, Found
from interleave.engine.graph import SearchGraph
from interleave.engine.passes.shortest import Path
from interleave.engine.steps import Steps
from interleave.machine import Machine, State, Step
from interleave.machine.step import Failure
from interleave.result import Trace, Violation
from interleave.said import class_name

Cause = tuple[str, str, str, int]


class FailureCheck(Check):
    """One violation for each exception type, message and line."""

    sees_all = False
    kinds = ("exception", "assertion")

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self._found: dict[Cause, tuple[int, Step, bool]] = {}

    def on_state(self, number: int, state: State) -> bool:
        seen = False
        for step in self.machine.failures_at_start(state):
            seen |= self._see(number, step, at_start=True)
        return seen

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        return step.failure is not None and self._see(number, step, at_start=False)

    def _see(self, number: int, step: Step, *, at_start: bool) -> bool:
        assert step.failure is not None
        code, block = step.failure.place
        source = code.source(block)
        error = step.failure.exception
        cause = (class_name(type(error)), step.failure.said, source.file, source.line)
        if cause in self._found:
            return False
        self._found[cause] = (number, step, at_start)
        return True

    def found(self, graph: SearchGraph) -> list[Found]:
        return [
            Found(
                partial(self._describe, step.thread, step.failure),
                (number, None if at_start else step),
            )
            for number, step, at_start in self._found.values()
            if step.failure is not None
        ]

    def _describe(self, thread: int, failure: Failure, _: Path, trace: Trace) -> Violation:
        name = self.machine.program.threads[thread].name
        code, block = failure.place
        error = failure.exception
        said = failure.said
        text = f": {said}" if said else ""
        source = code.source(block)
        if failure.raised_by_assert:
            kind, message = "assertion", f"{name} fails an assertion{text}"
        elif ends := getattr(type(error), "ends", ""):
            kind, message = "exception", f"{name} ends the program: {ends}{text}"
        else:
            kind, message = "exception", f"{name} is ended by {class_name(type(error))}{text}"
        if self.machine.program.threads[thread].kind.is_loop:
            message = f"a callback of the event loop raises {class_name(type(error))}{text}"
        return Violation(kind, message, None, (name,), trace, source=source)
