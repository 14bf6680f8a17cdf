"""`stuck`: threads that can never move again, although others can go on for ever.

From some reachable state no path has a step of the thread, and there is a path without an end that
is weakly fair (see `engine.passes.stuck`). If there is none, every fair path from there ends in a
deadlock, which is reported as such, or in a livelock (`checks.livelock`), which is reported here as
well. A thread that has ended is not stuck, nor is a daemon, which need not end; nor is one that
waits in a loop: it moves.

Where `main` ends the program, goroutines are stuck that could not have gone on even if it had
waited: they are leaked. See `checks.leaks`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from interleave.checks.base import Check, Found
from interleave.checks.leaks import Leaks
from interleave.checks.livelock import Livelocks
from interleave.checks.waiting import in_words, waits_in
from interleave.engine.graph import SearchGraph
from interleave.engine.passes.shortest import Path
from interleave.engine.passes.stuck import find_stuck
from interleave.machine import FINISHED, Blocked, State
from interleave.result import Trace, Violation, Waits

Cause = tuple[str, str, str | None, str, int]


class StuckCheck(Check):
    """One violation for each (thread method, what it waits for, where), and for each livelock.

    Each is shown in the first state in which it is so, together with all that is so there.
    """

    sees_all = False
    kinds = ("stuck", "livelock")

    def found(self, graph: SearchGraph) -> list[Found]:
        # What was not expanded could lead on.
        if graph.guard.stop is not None:
            return []
        leaks = Leaks(self.machine, self.steps, graph)
        # Without a way back there is no end to no path.
        livelocks = Livelocks(self.machine, self.steps)
        endless = find_stuck(graph, leaks.later, livelocks) if graph.leads_back else []
        leaked = leaks.found()
        self.predicates, self.uncountable = leaks.predicates, leaks.uncountable
        known: set[Cause] = set()
        found = [
            Found(partial(self._describe, state, blocked), (number, None))
            for number, state, threads in (
                (number, graph.state(number), threads) for number, threads in endless
            )
            if not self._has_run_out(state) and (blocked := self._new_waits(state, threads, known))
        ]
        found += [
            Found(partial(self._describe, state, blocked), leaks.path_to(number))
            for number, state, threads in leaked
            if (blocked := self._new_waits(state, threads, known))
        ]
        return found + leaks.found_retrying() + livelocks.found(graph)

    def _has_run_out(self, state: State) -> bool:
        """Whether somebody may wait only for the clock to go on, which is at its bound."""
        program = self.machine.program
        if program.clock is None:
            return False
        known = program.heap.values[state[program.clock.location.index]]
        return bool(program.clock.has_run_out(known))

    def _new_waits(self, state: State, threads: Iterable[int], known: set[Cause]) -> list[Blocked]:
        """What threads that are stuck in a state wait for; [] where all of that is `known`."""
        moves = [self.steps.step(state, thread) for thread in threads]
        blocked = [each.blocked for each in moves if each.blocked is not None]
        causes = {self._cause(wait) for wait in blocked}
        if causes <= known:
            return []
        known |= causes
        return blocked

    def _cause(self, wait: Blocked) -> Cause:
        code, block = wait.place
        method = self.machine.program.threads[wait.thread].method
        source = code.source(block)
        return (method, wait.access.name, wait.access.where, source.file, source.line)

    def _describe(
        self, state: State, blocked: list[Blocked], path: Path, trace: Trace
    ) -> Violation:
        waits, length = waits_in(self.machine, state, blocked, path, self.steps)
        they = "it never moves" if len(waits) == 1 else "they never move"
        main = self.machine.program.main
        leaked = main is not None and self.machine.local(state, main) == FINISHED
        although = "although others can go on for ever"
        if leaked:
            although = "even if the program went on after main: leaked"
        return Violation(
            "stuck",
            f"{in_words(waits, length)}: {they} again, {although}",
            None,
            tuple(wait.thread for wait in waits),
            trace,
            source=waits[0].source,
            detail=Waits(waits, length > 1, leaked),
        )
