"""`livelock`: threads that take steps for ever, and get nowhere, whatever happens.

In a component of the state graph that is never left, a thread **works** if it changes some content
(see `engine.contents`), or reads what another thread changes there. One that moves and does not
work is in a livelock if it waits for something: it looks at what nobody changes, or its loop could
be left. A loop that only takes locks, or sleeps, and has no way out waits for nothing; nor does a
thread that comes to its end there, and is made anew.

A daemon need not get anywhere. Where nobody works, threads that cannot move are in it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from interleave.checks.base import Found
from interleave.checks.suspects import Cell
from interleave.checks.waiting import in_words, listed, waits_in
from interleave.compiler import Code
from interleave.engine.contents import NOTHING, Contents
from interleave.engine.graph import SearchGraph
from interleave.engine.paths import Path
from interleave.engine.stuck import Deed
from interleave.engine.trees import LearntSteps
from interleave.machine import FAILED, FINISHED, Blocked, Machine, State, Step
from interleave.machine.step import AccessRecord
from interleave.memory.containers import SharedContainer
from interleave.memory.port import WHOLE, AccessKind
from interleave.memory.values import Shared
from interleave.result import Access, Poll, Source, Trace, Violation

HINT = (
    "A thread that is to go on like this for as long as the program does, a server or an observer, "
    "is one with daemon=True."
)

Place = tuple[Code, int]

Look = tuple[Place, AccessKind]
"""An access that only looks: the block that it is in, and what it is."""

Change = tuple[int, int, int]
"""A place of the state, and the ids of its value before and after."""


class Livelock(NamedTuple):
    """A component: its first state, who waits there busily, looking at what, and who is blocked."""

    first: int
    waiting: dict[int, list[Look]]
    places: dict[int, Place]
    """Where each of these is."""
    blocked: list[Blocked]


class Livelocks:
    """The judge of components that are never left: see `engine.stuck.Judge`."""

    def __init__(self, machine: Machine, learnt: LearntSteps) -> None:
        self.contents = Contents(machine)
        self._machine = machine
        self._learnt = learnt
        self._ways_out: dict[tuple[Code, int], bool] = {}
        self._found: list[Livelock] = []

    def may_wait(self, steps: Iterable[Step]) -> frozenset[int]:
        """The threads that look at something in some step, or are in a loop that can be left."""
        threads = self._machine.program.threads
        found: set[int] = set()
        for step in steps:
            if step.thread not in found and not threads[step.thread].daemon:
                looks = any(
                    self.contents.may_be_at(touch.location) or _is_in_vain(access)
                    for access in step.accesses
                    for touch in access.reads
                )
                if looks or self._has_way_out(step.local):
                    found.add(step.thread)
        return frozenset(found)

    def is_end(self, first: int, deeds: Iterable[Deed]) -> bool:
        """Whether threads wait busily in a component, and nobody works there."""
        doings: dict[int, _Doing] = {}
        example: State = ()
        for state, step in deeds:
            if step.thread not in doings:
                doings[step.thread] = _Doing(self._machine, self.contents)
            doings[step.thread].add(state, step)
            example = state
        idle = [each for each in sorted(doings) if not self._works(each, doings)]
        waiting = {}
        for thread in idle:
            looks, doing = self._looks(thread, doings), doings[thread]
            if self._machine.program.threads[thread].daemon or doing.ends:
                continue
            if looks or any(map(self._has_way_out, doing.locals)):
                waiting[thread] = looks
        if not waiting:
            return False
        nobody_works = len(idle) == len(doings)
        blocked = self._blocked(example, doings) if nobody_works else []
        for thread, looks in waiting.items():
            looks += [] if looks else self._constants(doings[thread])
        places = {
            thread: looks[0][0] if looks else min(doings[thread].places, key=_line)
            for thread, looks in waiting.items()
        }
        self._found.append(Livelock(first, waiting, places, blocked))
        return nobody_works

    def found(self, graph: SearchGraph) -> list[Found]:
        """What to report: each cause once, in the first component in which it is met."""
        methods = [thread.method for thread in self._machine.program.threads]
        known: set[object] = set()
        found = []
        for livelock in self._found:
            causes: set[object] = {
                (methods[thread], livelock.places[thread], *looks)
                for thread, looks in livelock.waiting.items()
            }
            causes |= {(methods[each.thread], each.access) for each in livelock.blocked}
            if not causes <= known:
                known |= causes
                describe = partial(self._describe, graph.state(livelock.first), livelock)
                found.append(Found(describe, (livelock.first, None)))
        return found

    def _works(self, thread: int, doings: dict[int, _Doing]) -> bool:
        """Whether a thread changes content in a component, or reads what another one changes."""
        doing = doings[thread]
        changes = [each for other, its in doings.items() if other != thread for each in its.changes]
        return bool(doing.changes) or any(
            self._reads(cell, change) for cell in doing.reads for change in changes
        )

    def _reads(self, cell: Cell, change: Change) -> bool:
        """Whether a change is to be seen at a cell."""
        place, before, after = change
        if cell.location.index != place:
            return False
        if cell.part is WHOLE:
            return True
        owner = self._machine.program.heap.owner(cell.location)
        if not isinstance(owner, SharedContainer):
            return True
        return cell.value_in(self._machine, before) != cell.value_in(self._machine, after)

    def _looks(self, thread: int, doings: dict[int, _Doing]) -> list[Look]:
        """What a thread that does not work looks at, but for locks that others take and give back.

        In the order of the lines.
        """
        passed_on = {
            place for other, doing in doings.items() if other != thread for place in doing.writes
        }
        found = {
            look
            for look, place, content in doings[thread].looks
            if content or place not in passed_on
        }
        return sorted(found, key=_order)

    def _constants(self, doing: _Doing) -> list[Look]:
        """Looks at what no thread ever writes, which are no accesses."""
        heap = self._machine.program.heap
        return sorted(
            [
                (place, AccessKind("read", location))
                for location in heap.locations
                if location.constant and not isinstance(heap.values[location.initial], Shared)
                for place in doing.constants.get(location.name, ())
            ],
            key=_order,
        )

    def _blocked(self, state: State, doings: dict[int, _Doing]) -> list[Blocked]:
        """What the others wait for, that have not ended and need to."""
        others = [
            thread.number
            for thread in self._machine.program.threads
            if not thread.daemon and thread.number not in doings
        ]
        moves = [self._learnt.step(state, each) for each in others]
        return [each.blocked for each in moves if each.blocked is not None]

    def _has_way_out(self, local: int) -> bool:
        """Whether a thread may come to its end without an exception, as far as its code shows."""
        if local in (FINISHED, FAILED):
            return True
        frames, codes = self._machine.locals[local][0], self._machine.locals.codes
        return all(self._may_end(codes[number], at) for number, at, _ in frames)

    def _may_end(self, code: Code, begin: int) -> bool:
        """Whether a function may return from a block on."""
        known = self._ways_out.get((code, begin))
        if known is None:
            seen, left = {begin}, [begin]
            while left:
                at = left.pop()
                more = {*code.blocks[at].ways_on()} - seen if at < len(code.blocks) else set()
                seen |= more
                left += more
            known = any(at >= len(code.blocks) or code.blocks[at].returns for at in seen)
            self._ways_out[code, begin] = known
        return known

    def _describe(self, state: State, livelock: Livelock, path: Path, trace: Trace) -> Violation:
        names = [thread.name for thread in self._machine.program.threads]
        polls = tuple(
            Poll(
                names[thread],
                tuple(dict.fromkeys(Access(kind.name, kind.where) for _, kind in looks)),
                _source(livelock.places[thread]),
            )
            for thread, looks in livelock.waiting.items()
        )
        waits, length = waits_in(self._machine, state, livelock.blocked, path)
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
            waits=waits,
            cycle=length > 1,
            polls=polls,
            hint=HINT,
        )


class _Doing:
    """What one thread does in a component: what it reads, changes, and only looks at."""

    def __init__(self, machine: Machine, contents: Contents) -> None:
        self._machine = machine
        self._contents = contents
        self.locals: set[int] = set()
        """The local states that it is in."""
        self.ends = False
        """Whether it comes to its end, and to begin anew."""
        self.places: set[Place] = set()
        """Where it is."""
        self.constants: dict[str, set[Place]] = {}
        """Names of what it looks at that nobody writes, each with where it does so."""
        self.reads: set[Cell] = set()
        """What it reads of what may have content."""
        self.changes: set[Change] = set()
        """Changes of content."""
        self.writes: set[int] = set()
        """The places at which it changes anything."""
        self.looks: set[tuple[Look, int, bool]] = set()
        """The accesses that only look, each with the place, and whether there is content."""

    def add(self, state: State, step: Step) -> None:
        """Note what a step from a state does."""
        self.locals.add(self._machine.local(state, step.thread))
        self.places.add(step.place)
        self.ends |= step.local in (FINISHED, FAILED)
        for name in step.constants:
            self.constants.setdefault(name, set()).add(step.place)
        for place, value in step.writes:
            if value != state[place]:
                self.writes.add(place)
                if self._contents.differ(place, state[place], value):
                    self.changes.add((place, state[place], value))
        for access in step.accesses:
            for location, part, _, _ in access.reads:
                place = location.index
                if place < 0 or not access.kind.name:
                    continue
                content = self._contents.of(place, state[place]) != NOTHING
                if content:
                    self.reads.add(Cell(location, part))
                if content or (location is access.kind.location and _is_in_vain(access)):
                    self.looks.add(((access.place, access.kind), place, content))


def _is_in_vain(access: AccessRecord) -> bool:
    """Whether an access to a lock, or the like, has not got what it was for."""
    location = access.kind.location
    return access.result is False or all(it.location is not location for it in access.writes)


def _source(place: Place) -> Source:
    code, block = place
    return code.source(block)


def _line(place: Place) -> tuple[str, int, str]:
    source = _source(place)
    return source.file, source.line, source.text


def _order(look: Look) -> tuple[tuple[str, int, str], str, str]:
    place, kind = look
    return _line(place), kind.where or "", kind.name


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
