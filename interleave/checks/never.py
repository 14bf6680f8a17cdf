"""What nobody asks for: coroutines never awaited, and exceptions never retrieved.

The event loop warns of its own. What a task of a pool raises is lost without a word, which is
worse. These are no violations: `warnings` has them, in words.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from interleave.checks.base import Check, Found
from interleave.engine.graph import SearchGraph
from interleave.engine.steps import Steps
from interleave.machine import Machine, State, Step
from interleave.machine.properties import View
from interleave.memory.made import Held
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.program.heap import Room
from interleave.said import shown_by


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


class _KeptUnseen:
    """Whether, when all is over, something is still there that nobody has asked for."""

    when_final = True

    def __init__(self, machine: Machine, kept: Room | Primitive) -> None:
        self._values = machine.program.heap.values
        self._kept = kept
        self._index = kept.location.index

    def words(self, state: State) -> list[str]:
        """What is to be said of it."""
        found = self._values[state[self._index]]
        kind: Any = type(self._kept)
        if isinstance(found, Held):
            if not found.kind.is_primitive:
                return []
            kind, found = found.kind.stand_in, found.contents
        elif not issubclass(kind, Primitive):
            return []
        words: list[str] = kind.lost_with(found)
        return words

    def look(self, state: State) -> tuple[bool, tuple[int | View, ...]]:
        return bool(self.words(state)), (self._index,)


def _can_lose(primitive: Primitive) -> bool:
    """Whether there can be something in a primitive that nobody has asked for."""
    return type(primitive).lost_with.__func__ is not Primitive.lost_with.__func__  # type: ignore[attr-defined]


class NeverCheck(Check):
    """Gives warnings, in the order of what they are about."""

    sees_all = False

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self._tasks = [
            _NeverRetrieved(machine, thread.name, thread.task.location)
            for thread in machine.program.threads
            if thread.task is not None and thread.room is not None
        ]
        heap = machine.program.heap
        told = {thread.task.location.index for thread in machine.program.threads if thread.task}
        kept: list[Room | Primitive] = [room for room in heap.rooms if room.key.primitive]
        kept += [each for each in heap.stand_ins if isinstance(each, Primitive) and _can_lose(each)]
        self._kept = [
            _KeptUnseen(machine, each) for each in kept if each.location.index not in {-1, *told}
        ]
        self.predicates = [*self._tasks, *self._kept]
        self._dropped: set[str] = set()
        self._lost: dict[str, str] = {}

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        self._dropped.update(step.warnings)
        return False

    def on_state(self, number: int, state: State) -> bool:
        if self.predicates and self.machine.has_finished(state):
            for kept in self._kept:
                self._dropped.update(kept.words(state))
            for task in self._tasks:
                error = task.error(state)
                if error is not None:
                    self._lost.setdefault(task.name, shown_by(error))
        return False

    def warnings(self, kinds: Set[str]) -> list[str]:
        return sorted(self._dropped) + [
            f"the exception of task {task.name} was never retrieved: {self._lost[task.name]}"
            for task in self._tasks
            if task.name in self._lost
        ]

    def found(self, graph: SearchGraph) -> list[Found]:
        return []
