"""What the event loop warns of: coroutines never awaited, and exceptions never retrieved.

These are no violations: `warnings` has them, in words.
"""

from __future__ import annotations

from collections.abc import Set

from interleave.checks.base import Check, Found
from interleave.engine.graph import SearchGraph
from interleave.engine.trees import LearntSteps
from interleave.machine import Machine, State, Step
from interleave.machine.properties import View
from interleave.memory.port import Location


class _NeverRetrieved:
    """Whether, when all is over, nobody has seen the exception that has ended some task."""

    when_final = True

    def __init__(self, machine: Machine, name: str, location: Location) -> None:
        self.name = name
        self._values = machine.program.heap.values
        self._index = location.index

    def error(self, state: State) -> object:
        """The exception; None where there is none, or somebody has seen it."""
        task = self._values[state[self._index]]
        lost = task is not None and task.outcome is not None and not task.retrieved
        return task.outcome.value if lost else None

    def look(self, state: State) -> tuple[bool, tuple[int | View, ...]]:
        return self.error(state) is not None, (self._index,)


class NeverCheck(Check):
    """Gives warnings, in the order of what they are about."""

    only_warns = True

    def __init__(self, machine: Machine, learnt: LearntSteps) -> None:
        super().__init__(machine, learnt)
        self._tasks = [
            _NeverRetrieved(machine, thread.name, thread.task.location)
            for thread in machine.program.threads
            if thread.task is not None and thread.room is not None
        ]
        self.predicates = self._tasks
        self._dropped: set[str] = set()
        self._lost: dict[str, str] = {}

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        self._dropped.update(step.warnings)
        return False

    def on_state(self, number: int, state: State) -> bool:
        if self._tasks and self.machine.has_finished(state):
            for task in self._tasks:
                error = task.error(state)
                if error is not None:
                    self._lost.setdefault(task.name, repr(error))
        return False

    def warnings(self, kinds: Set[str]) -> list[str]:
        return sorted(self._dropped) + [
            f"the exception of task {task.name} was never retrieved: {self._lost[task.name]}"
            for task in self._tasks
            if task.name in self._lost
        ]

    def found(self, graph: SearchGraph) -> list[Found]:
        return []
