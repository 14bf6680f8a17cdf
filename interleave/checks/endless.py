"""Warns of a model whose threads never all end: what is asked of an end, was asked of none.

That is no violation: a server goes on for ever. But a loop that was meant to end looks the same.
"""

from __future__ import annotations

from collections.abc import Set

from interleave.checks.base import Check, Found
from interleave.checks.waiting import listed
from interleave.engine.graph import SearchGraph
from interleave.engine.passes.endings import any_is_final
from interleave.engine.steps import Steps
from interleave.machine import FAILED, FINISHED, Machine, State, Step
from interleave.program import ThreadInstance

ENDS = ("deadlock", "stuck", "livelock", "exception", "assertion")
"""What keeps threads from their end: where it was found, that is what is to be told."""


class EndlessCheck(Check):
    """Notes which threads move, and which of them end."""

    sees_all = False

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self._moving: set[int] = set()
        self._ended: set[int] = set()
        self._never: list[ThreadInstance] | None = None
        """The threads that never end, if there is no state in which all have ended."""

    def on_transition(self, number: int, state: State, step: Step) -> bool:
        self._moving.add(step.thread)
        if step.local in (FINISHED, FAILED):
            self._ended.add(step.thread)
        self._ended.update(thread for thread, local in step.starts if local == FINISHED)
        return False

    def found(self, graph: SearchGraph) -> list[Found]:
        if graph.guard.stop is None and not any_is_final(graph):
            program = self.machine.program
            going_on = self._moving - self._ended
            self._never = [program.threads[each] for each in program.awaited if each in going_on]
        return []

    def warnings(self, kinds: Set[str]) -> list[str]:
        if self._never is None:
            return []
        properties = self.machine.program.properties
        asked = any(wanted.kind == "postcondition" for wanted in properties)
        if not kinds.isdisjoint(ENDS):
            unknown = "the threads never all finish, so no postcondition was evaluated"
            return [unknown] if asked else []
        return [self._in_words(self._never, asked=asked)]

    def _in_words(self, never: list[ThreadInstance], *, asked: bool) -> str:
        it, is_ = ("it", "it is") if len(never) == 1 else ("them", "they are")
        end = "ends" if len(never) == 1 else "end"
        who = f"{listed(t.name for t in never)} never" if never else "the threads never all"
        unknown = "no postcondition was" if asked else "a postcondition would not be"
        remedy = self.machine.program.runtime.words.to_end.format(it=it, is_=is_)
        return (
            f"{who} {end}, so what is to hold when all work is done was not checked ({unknown} "
            f"evaluated): let {it} come to an end, {remedy}"
        )
