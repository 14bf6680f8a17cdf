"""`livelock`: threads that take steps for ever, and get nowhere, whatever happens.

Who gets nowhere in a component of the state graph that is never left (see `checks.nowhere`) is in a
livelock if it waits for something: it looks at what nobody changes, or its loop could be left. A
loop that only takes locks, or sleeps, and has no way out waits for nothing.

Where nobody works, threads that cannot move are in it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from interleave.checks.base import Found
from interleave.checks.nowhere import Doings, Look, Place, is_in_vain, source_of
from interleave.checks.waiting import in_words, listed, waits_in
from interleave.checks.ways_out import WaysOut
from interleave.engine.contents import Contents
from interleave.engine.graph import SearchGraph
from interleave.engine.passes.livelock import Deed
from interleave.engine.passes.shortest import Path, round_trip
from interleave.engine.steps import Steps
from interleave.machine import Blocked, Machine, Step
from interleave.memory.port import Location
from interleave.result import Access, Poll, Polls, Trace, Violation
from interleave.tracing import make_trace
from interleave.view import View

HINT = (
    "A thread that is to go on like this for as long as the program does, a server or an observer, "
    "is one with daemon=True."
)


class Livelock(NamedTuple):
    """A component: its first state, who waits there busily, looking at what, and who is blocked."""

    first: int
    waiting: dict[int, list[Look]]
    places: dict[int, Place]
    """Where each of these is."""
    blocked: list[Blocked]

    @property
    def constants(self) -> list[Location]:
        """What somebody looks at and nobody writes."""
        looked_at = [look.cell.location for looks in self.waiting.values() for look in looks]
        return [location for location in looked_at if location.constant]


class Livelocks:
    """The judge of components that are never left: see `engine.passes.livelock.Judge`."""

    def __init__(self, machine: Machine, steps: Steps) -> None:
        self.contents = Contents(machine)
        self._machine = machine
        self._steps = steps
        self._ways_out = WaysOut(machine)
        self._found: list[Livelock] = []

    def suspects(self, steps: Iterable[Step]) -> frozenset[int]:
        """The threads that look at something in some step, or are in a loop that can be left."""
        threads = self._machine.program.threads
        found: set[int] = set()
        for step in steps:
            if step.thread not in found and not threads[step.thread].daemon:
                looks = any(
                    self.contents.may_be_at(touch.location) or is_in_vain(access)
                    for access in step.accesses
                    for touch in access.reads
                )
                if looks or self._ways_out.has_one(step.local):
                    found.add(step.thread)
        return frozenset(found)

    def is_end(self, first: int, deeds: Iterable[Deed]) -> bool:
        """Whether threads wait busily in a component, and nobody works there."""
        doings = Doings(self._machine, self.contents, deeds)
        if doings.waits_for_time:
            return True  # what comes of it is beyond the bound of the clock
        waiting = {}
        for thread in doings.nowhere:
            looks = doings.looks(thread)
            if looks or any(map(self._ways_out.has_one, doings.locals(thread))):
                waiting[thread] = looks or doings.looks_at_constants(thread)
        if not waiting:
            return False
        blocked = self._blocked(doings) if doings.nobody_works else []
        places = {
            thread: looks[0].place if looks else doings.first_place(thread)
            for thread, looks in waiting.items()
        }
        self._found.append(Livelock(first, waiting, places, blocked))
        return doings.nobody_works

    def found(self, graph: SearchGraph) -> list[Found]:
        """What to report: each cause once, in the first component in which it is met."""
        methods = [thread.method for thread in self._machine.program.threads]
        known: set[object] = set()
        found = []
        for livelock in self._found:
            causes: set[object] = {
                (
                    methods[thread],
                    livelock.places[thread],
                    *[(look.place, look.kind) for look in looks],
                )
                for thread, looks in livelock.waiting.items()
            }
            causes |= {(methods[each.thread], each.access) for each in livelock.blocked}
            if not causes <= known:
                known |= causes
                describe = partial(self._describe, graph, livelock)
                found.append(Found(describe, (livelock.first, None)))
        return found

    def _blocked(self, doings: Doings) -> list[Blocked]:
        """What the others wait for, that have not ended and need to."""
        others = [
            thread.number
            for thread in self._machine.program.threads
            if not thread.daemon and thread.number not in doings
        ]
        moves = [self._steps.step(doings.example, each) for each in others]
        return [each.blocked for each in moves if each.blocked is not None]

    def _describe(
        self, graph: SearchGraph, livelock: Livelock, path: Path, trace: Trace
    ) -> Violation:
        state = graph.state(livelock.first)
        polls = tuple(self._polls(livelock, View(self._machine, state)))
        waits, length = waits_in(self._machine, state, livelock.blocked, path)
        first = path.steps[0][0] if path.steps else state
        trace = make_trace(
            self._machine,
            first,
            path,
            which=graph.number(first) or 0,
            loop=round_trip(graph, state, frozenset(livelock.waiting)),
            constants=livelock.constants,
        )
        parts = polls_in_words(polls)
        parts += [in_words(waits, length)] if waits else []
        they = "it never gets" if len(polls) + len(waits) == 1 else "they never get"
        return Violation(
            "livelock",
            f"{'; '.join(parts)}: {they} anywhere, whatever happens",
            None,
            (*(poll.thread for poll in polls), *(wait.thread for wait in waits)),
            trace,
            source=polls[0].source,
            detail=Polls(polls, waits, length > 1),
            hint=HINT,
        )

    def _polls(self, livelock: Livelock, view: View) -> Iterator[Poll]:
        for thread, looks in livelock.waiting.items():
            name = self._machine.program.threads[thread].name
            names = [view.names.where(look.kind) for look in looks]
            looked_at = zip(looks, names, strict=True)
            accesses = dict.fromkeys(Access(look.kind.name, name) for look, name in looked_at)
            values = dict(_values(looks, view))
            source = source_of(livelock.places[thread])
            yield Poll(name, (*accesses,), source, (*values.items(),))


def _values(looks: Iterable[Look], view: View) -> Iterator[tuple[str, object]]:
    """What is there in the variables among what is looked at, by name."""
    for _, kind, (location, part) in looks:
        name, reads = view.names.where(kind) or "", kind.name == "read"
        if isinstance(part, tuple):
            if reads and not view.is_empty(location):
                yield name, view.part(location, part, name)
        elif (reads or kind.container) and not kind.part:
            yield name, view.at(location)


def polls_in_words(polls: Iterable[Poll]) -> list[str]:
    """A clause for all threads that look at the same: "a and b look at flag over and over"."""
    alike: dict[str, list[str]] = {}
    for poll in polls:
        names = list(dict.fromkeys(each.location or each.kind for each in poll.accesses))
        alike.setdefault(listed(names) if names else "", []).append(poll.thread)
    return [_clause(threads, names) for names, threads in alike.items()]


def _clause(threads: list[str], names: str) -> str:
    alone = len(threads) == 1
    if names:
        return f"{listed(threads)} {'looks' if alone else 'look'} at {names} over and over"
    return f"{listed(threads)} {'goes' if alone else 'go'} round in a loop"
