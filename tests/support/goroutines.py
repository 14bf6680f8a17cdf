"""Models of goroutines in tests: checking them, and running their goroutines by hand, one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from running import load

from interleave import check
from interleave.machine import FAILED, FINISHED, Machine, State
from interleave.program import MoreRooms, MoreThreads, Program, Written
from interleave.result import ModelResult
from interleave.runtimes.go import GO
from interleave.tracing import variables

HEADER = """
from interleave import *
from interleave import go
from interleave.go import atomic, context, errgroup, errors, time

"""


def go_model(folder: Path, text: str) -> Any:
    """The last model of a text, which begins with what a model of goroutines imports."""
    return load(folder / "model.py", HEADER + text)


def checked(folder: Path, text: str, engine: str = "auto", **options: Any) -> ModelResult:
    (result,) = check(go_model(folder, text), engine=engine, **options).models
    return result


def kinds(result: ModelResult) -> list[str]:
    return [violation.kind for violation in result.violations]


def messages(result: ModelResult) -> list[str]:
    return [violation.message for violation in result.violations]


def outcomes(result: ModelResult, name: str) -> set[str]:
    assert result.interleavings is not None
    return {repr(dict(each.state)[name]) for each in result.interleavings.outcomes}


class Playing:
    """Runs the goroutines of a model by hand."""

    def __init__(self, folder: Path, text: str) -> None:
        self._model = go_model(folder, text)
        self._written: frozenset[str] = frozenset()
        self._rooms: dict[Any, int] = {}
        self._objects: dict[Any, int] = {}
        self._order: list[str] = []
        self._begin()

    def _begin(self) -> None:
        program = Program(self._model, {}, self._written, GO, self._rooms, self._objects)
        self.machine = Machine(program)
        (self.state,) = self.machine.initial()
        self.failure = ""

    def run(self, name: str) -> str:
        """Run a goroutine until it ends, waits, or panics; "ends", what it waits for, or what ends
        it.
        """
        self._order.append(name)
        while True:
            try:
                return self._play()
            except Written as found:
                self._written |= {found.key}
            except MoreThreads as found:
                self._rooms[found.key] = self._rooms.get(found.key, 0) + 1
            except MoreRooms as found:
                self._objects[found.key] = self._objects.get(found.key, 0) + 1
            self._begin()

    def _play(self) -> str:
        self._begin()
        how = ""
        for name in self._order:
            thread = next(t.number for t in self.machine.program.threads if t.name == name)
            how = self._run(thread)
        return how

    def _run(self, thread: int) -> str:
        while self.machine.local(self.state, thread) not in (FINISHED, FAILED):
            moves = self.machine.step(self.state, thread)
            if moves.blocked is not None:
                return moves.blocked.access.name
            (step,) = moves.steps
            self.state: State = self.machine.after(self.state, step)
            if step.failure is not None:
                error = step.failure.exception
                return f"{getattr(type(error), 'ends', type(error).__name__)}: {error}"
        return "ends"

    def __getitem__(self, name: str) -> object:
        """A shared variable."""
        return variables(self.machine, self.state)[name]
