"""What goroutines could still do when `main` has returned, and who is leaked.

The end of `main` ends the program, whatever the others do. Whether one of them was left behind for
good is asked of a graph of its own, which goes on from the final states as if `main` had waited: a
goroutine is leaked if it comes to a state there from which it never moves again, or only tries the
same over and over. A panic ends the program there, too: nobody waits for anything after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from interleave.checks.base import Found
from interleave.checks.nowhere import Doings, Place, source_of
from interleave.engine.contents import Contents
from interleave.engine.graph import SearchGraph
from interleave.engine.observing import Limits
from interleave.engine.passes.livelock import Deed
from interleave.engine.passes.shortest import Path, path_by_search, paths_to
from interleave.engine.passes.stuck import Later, Stuck, find_waiting, leading_to_waiting
from interleave.engine.predicates import Predicate
from interleave.engine.search import explore
from interleave.engine.steps import Steps
from interleave.engine.stopping import Stopped
from interleave.machine import FINISHED, Machine, State, Step
from interleave.result import Trace, Violation, Waits

MOST_LATER = 1_000
"""States that there may be after the end of the program, for each state before it."""

MOST_COUNTED = 100_000
"""States after the end, at most, to count the interleavings that leak something."""


class Leaks:
    """The leaks of a complete graph. Raises `Stopped` where there are too many states.

    `later` has the final states in which goroutines are left, each with those of them that would
    not have moved any more.
    """

    later: Later = ()
    uncountable = ""
    """Why `predicates` do not tell what leaks something; "" where they do."""
    predicates: Sequence[Predicate] = ()
    """Whether an interleaving has leaked nothing, to count those that have."""

    def __init__(self, machine: Machine, steps: Steps, graph: SearchGraph) -> None:
        self._graph = graph
        self._machine = machine
        self._stuck: Stuck = []
        self._retrying: list[_Retrying] = []
        left = {
            machine.going_on(state): number
            for number, state in ((number, graph.state(number)) for number in graph.ended)
            if machine.is_over(state) and machine.has_finished(state) and not self._all_ended(state)
        }
        if not left:
            return
        self._numbers = list(left.values())
        with graph.guard.phase("in what goroutines could do after main") as phase:
            self._look(steps, list(left))
        if phase.stop is not None:
            raise Stopped(phase.stop)

    def _look(self, steps: Steps, initial: list[State]) -> None:
        """Look for leaks in the graph that begins with some states after the end."""
        machine, graph = self._machine, self._graph
        limits = Limits(states=MOST_LATER * len(graph))
        after = explore(machine, steps, [], graph.engine, limits, graph.guard, initial=initial)
        self._after = after
        graph.guard.note(after.stop)
        graph.guard.poll()
        over = [number for number in after.ended if machine.is_over(after.state(number))]
        retries = _Retries(machine)
        at_start, self._stuck = find_waiting(after, over, retries if after.leads_back else None)
        self._retrying = retries.found
        self.later = [(self._numbers[number], threads) for number, threads in at_start]
        if not (self._stuck or self._retrying):
            return
        if len(after) > MOST_COUNTED:
            self.uncountable = f"there are more than {MOST_COUNTED:,} states after the end of main"
        else:
            self.predicates = [_LeaksNothing(self._leaking(over))]

    def _all_ended(self, state: State) -> bool:
        return all(
            thread.daemon or self._machine.local(state, thread.number) == FINISHED
            for thread in self._machine.program.threads
        )

    def found(self) -> list[tuple[int, State, tuple[int, ...]]]:
        """States after the end in which goroutines never move again: a number, which `path_to`
        knows, the state, and who is leaked in it.
        """
        return [(number, self._after.state(number), leaked) for number, leaked in self._stuck]

    def found_retrying(self) -> list[Found]:
        """The goroutines that try the same for ever: one violation for each function that they
        run, and line that their loop begins with."""
        first: dict[tuple[object, Place], _Retrying] = {}
        for each in self._retrying:
            runs = self._machine.program.threads[each.thread].function
            first.setdefault((runs, each.place), each)
        return [
            Found(partial(self._describe_retrying, each), self.path_to(each.number))
            for each in first.values()
        ]

    def _describe_retrying(self, retrying: _Retrying, _: Path, trace: Trace) -> Violation:
        name = self._machine.program.threads[retrying.thread].name
        return Violation(
            "stuck",
            f"{name} tries the same for ever and gets nowhere, even if the program went on after "
            "main: leaked",
            None,
            (name,),
            trace,
            source=source_of(retrying.place),
            detail=Waits((), leaked=True),
        )

    def path_to(self, number: int) -> Path:
        """The way to a state after the end: to the end, and on from there."""
        end = self._numbers[self._after.way_to(number)[0]]
        before = paths_to(self._graph, {end: (end, None)}).get(end)
        before = before or path_by_search(self._graph, end, None)
        return Path((*before.steps, *path_by_search(self._after, number, None).steps))

    def _leaking(self, over: Iterable[int]) -> frozenset[State]:
        """The final states from which somebody may come to be leaked."""
        after = self._after
        leaking = leading_to_waiting(after, over, [each.number for each in self._retrying])
        numbers = [self._numbers[each] for each in leaking if each < after.initial]
        return frozenset(self._graph.state(number) for number in numbers)


class _Retrying(NamedTuple):
    """A thread that gets nowhere any more, in the component whose first state has this number."""

    thread: int
    number: int
    place: Place


class _Retries:
    """The judge (see `engine.passes.livelock`) of who gets nowhere after the end of the program.

    Whatever its loop is for, nobody needs it any more: it need not wait for something, as in a
    livelock.
    """

    def __init__(self, machine: Machine) -> None:
        self.contents = Contents(machine)
        self.found: list[_Retrying] = []
        self._machine = machine

    def suspects(self, steps: Iterable[Step]) -> frozenset[int]:
        """All that ought to come to an end."""
        threads = self._machine.program.threads
        return frozenset(thread.number for thread in threads if not thread.daemon)

    def is_end(self, first: int, deeds: Iterable[Deed]) -> bool:
        """Whether nobody works in a component."""
        doings = Doings(self._machine, self.contents, deeds)
        self.found += [
            _Retrying(thread, first, doings.first_place(thread)) for thread in doings.nowhere
        ]
        return doings.nobody_works


class _LeaksNothing:
    """As a predicate: a final state is not one from which goroutines are leaked."""

    when_final = True

    def __init__(self, leaking: frozenset[State]) -> None:
        self._leaking = leaking

    def look(self, state: State) -> tuple[bool, tuple[int, ...]]:
        width = len(next(iter(self._leaking)))
        return state[:width] in self._leaking, tuple(range(width))
