"""`deadlock`: no thread can move, and the state is not final."""

from __future__ import annotations

from interleave.checks.base import Check, Found
from interleave.checks.consumers import Consumers
from interleave.checks.loops import is_kept_off
from interleave.checks.waiting import in_words, waits_in
from interleave.engine.graph import SearchGraph
from interleave.engine.passes.shortest import Path
from interleave.engine.steps import Steps
from interleave.machine import Blocked, Machine, State, Step
from interleave.result import Trace, Violation, Waits

Cause = tuple[tuple[str | None, str, int], ...]


class DeadlockCheck(Check):
    """One violation for each set of (what is waited for, where)."""

    sees_all = False
    kinds = ("deadlock",)
    needs = "deadlocks"

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self._consumers = Consumers(machine)
        self._found: dict[Cause, tuple[int, list[Blocked]]] = {}

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        self._consumers.note(step)
        return False

    def on_end(self, number: int, state: State) -> bool:
        if self.machine.is_final(state):
            return False
        blocked = []
        for thread in self.machine.program.threads:
            if thread.kind.is_loop:
                continue  # it waits for others to do something
            moves = self.steps.step(state, thread.number)
            if moves.blocked is not None:
                blocked.append(moves.blocked)
        cause = tuple(
            sorted(
                (
                    wait.access.where or "",
                    wait.place[0].file,
                    wait.place[0].source(wait.place[1]).line,
                )
                for wait in blocked
                # What is kept off follows from what the others wait for.
                if not is_kept_off(self.machine, state, wait)
            )
        )
        if cause in self._found:
            return False
        self._found[cause] = (number, blocked)
        return True

    def found(self, graph: SearchGraph) -> list[Found]:
        def describe(number: int, blocked: list[Blocked]) -> Found:
            state = graph.state(number)
            return Found(
                lambda path, trace: self._describe(state, blocked, path, trace), (number, None)
            )

        return [describe(number, blocked) for number, blocked in self._found.values()]

    def _describe(
        self, state: State, blocked: list[Blocked], path: Path, trace: Trace
    ) -> Violation:
        waits, length = waits_in(self.machine, state, blocked, path)
        held = any(wait.holders for wait in waits)
        begins = self.machine.program.runtime.words.deadlock
        return Violation(
            "deadlock",
            begins + (in_words(waits, length) or "no thread can move"),
            None,
            tuple(wait.thread for wait in waits),
            trace,
            source=waits[0].source if waits else None,
            detail=Waits(waits, length > 1),
            hint="" if held else self._consumers.hint(state, blocked),
        )
