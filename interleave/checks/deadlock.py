"""`deadlock`: no thread can move, and the state is not final."""

from __future__ import annotations

from collections.abc import Iterable

from interleave.checks.base import Check, Found
from interleave.engine.graph import SearchGraph
from interleave.engine.paths import Path
from interleave.engine.trees import LearntSteps
from interleave.machine import FAILED, FINISHED, Blocked, Machine, State
from interleave.memory.primitive import Primitive
from interleave.result import Access, Trace, Violation, Wait

Cause = tuple[tuple[str | None, str, int], ...]


class DeadlockCheck(Check):
    """One violation for each set of (what is waited for, where)."""

    def __init__(self, machine: Machine, learnt: LearntSteps) -> None:
        super().__init__(machine, learnt)
        self._found: dict[Cause, tuple[int, list[Blocked]]] = {}

    def on_end(self, number: int, state: State) -> bool:
        if self.machine.is_final(state):
            return False
        blocked = []
        for thread in self.machine.program.threads:
            moves = self.learnt.step(state, thread.number)
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
        holders = {wait.thread: self._holders(state, wait, path) for wait in blocked}
        cycle = _cycle(holders)
        order = {thread: place for place, thread in enumerate(cycle)}
        blocked = sorted(blocked, key=lambda wait: order.get(wait.thread, len(order) + wait.thread))
        names = [thread.name for thread in self.machine.program.threads]
        waits = tuple(
            Wait(
                names[wait.thread],
                Access(wait.access.name, wait.access.where),
                wait.place[0].source(wait.place[1]),
                tuple(names[thread] for thread in holders[wait.thread]),
                holders_ended=self._have_ended(state, holders[wait.thread]),
            )
            for wait in blocked
        )
        return Violation(
            "deadlock",
            _message(waits, len(cycle)),
            None,
            tuple(wait.thread for wait in waits),
            trace,
            source=waits[0].source if waits else None,
            waits=waits,
            cycle=len(cycle) > 1,
        )

    def _holders(self, state: State, wait: Blocked, path: Path) -> tuple[int, ...]:
        location = wait.access.location
        heap = self.machine.program.heap
        if location is None or not isinstance(owner := heap.owner(location), Primitive):
            return ()
        index = location.index
        history = [
            (step.thread, heap.values[before[index]], heap.values[value])
            for before, step in path.steps
            for place, value in step.writes
            if place == index
        ]
        return owner.holders(heap.values[state[index]], history)

    def _have_ended(self, state: State, threads: tuple[int, ...]) -> bool:
        ended = [self.machine.local(state, thread) in (FINISHED, FAILED) for thread in threads]
        return bool(ended) and all(ended)


def _message(waits: tuple[Wait, ...], length: int) -> str:
    """One sentence. `length` is that of the cycle, which comes first; 0 where there is none."""
    parts = []
    for wait in waits:
        part = f"{wait.thread} waits for {wait.access.location or wait.access.kind}"
        if wait.holders == (wait.thread,):
            part += ", which it holds itself"
        elif wait.holders:
            part += f", held by {_listed(wait.holders)}"
            part += ", which has ended" if wait.holders_ended else ""
        parts.append(part)
    if length > 2:
        names = _listed(wait.thread for wait in waits[:length])
        parts[:length] = [f"{names} wait for each other in a circle"]
    return "; ".join(parts) or "no thread can move"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _cycle(holders: dict[int, tuple[int, ...]]) -> list[int]:
    """Threads that wait for each other in a circle, each for the next; [] where there is none."""
    done: set[int] = set()

    def follow(thread: int, way: list[int]) -> list[int]:
        if thread in way:
            return way[way.index(thread) :]
        if thread in done:
            return []
        done.add(thread)
        for holder in holders.get(thread, ()):
            if found := follow(holder, [*way, thread]):
                return found
        return []

    for thread in sorted(holders):
        if found := follow(thread, []):
            first = found.index(min(found))
            return found[first:] + found[:first]
    return []
