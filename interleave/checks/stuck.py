"""`stuck`: threads that can never move again, although others can go on for ever.

From some reachable state no path has a step of the thread, and there is a path without an end. If
there is none, all paths from there end in deadlocks, and are reported as such. A thread that has
ended is not stuck, nor is a daemon, which need not end; nor is one that waits in a loop: it moves.
"""

from __future__ import annotations

from functools import partial

from interleave.checks.base import Check, Found
from interleave.checks.waiting import in_words, waits_in
from interleave.engine.graph import INTERRUPTED, SearchGraph
from interleave.engine.paths import Path
from interleave.machine import Blocked, State
from interleave.result import Trace, Violation

Cause = tuple[str, str, str | None, str, int]


class StuckCheck(Check):
    """One violation for each (thread method, what it waits for, where).

    Each is shown in the first state in which it is so, together with all that is so there.
    """

    def found(self, graph: SearchGraph) -> list[Found]:
        # What was not expanded could lead on; and without a way back there is no end to no path.
        if graph.limit or not graph.leads_back:
            return []
        try:
            stuck = graph.stuck()
        except KeyboardInterrupt:
            graph.limit = INTERRUPTED
            return []
        known: set[Cause] = set()
        found = []
        for number, threads in stuck:
            state = graph.state(number)
            moves = [self.learnt.step(state, thread) for thread in threads]
            blocked = [each.blocked for each in moves if each.blocked is not None]
            causes = {self._cause(wait) for wait in blocked}
            if not causes <= known:
                known |= causes
                found.append(Found(partial(self._describe, state, blocked), (number, None)))
        return found

    def _cause(self, wait: Blocked) -> Cause:
        code, block = wait.place
        method = self.machine.program.threads[wait.thread].method
        source = code.source(block)
        return (method, wait.access.name, wait.access.where, source.file, source.line)

    def _describe(
        self, state: State, blocked: list[Blocked], path: Path, trace: Trace
    ) -> Violation:
        waits, length = waits_in(self.machine, state, blocked, path)
        they = "it never moves" if len(waits) == 1 else "they never move"
        return Violation(
            "stuck",
            f"{in_words(waits, length)}: {they} again, although others can go on for ever",
            None,
            tuple(wait.thread for wait in waits),
            trace,
            source=waits[0].source,
            waits=waits,
            cycle=length > 1,
        )
