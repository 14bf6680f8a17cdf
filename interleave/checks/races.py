"""`data-race`: two threads are about to access one plain location, and one of them writes.

Nothing keeps the two apart: they can happen in either order, or at the same time. Plain is what is
no primitive: a variable, an attribute, an element of an array, a container. Such a pair are also
operations of a primitive that must not be concurrent (`Exclusive`).

Two accesses that are both atomic are no race: operations that the library promises to be so
(`append`, `pop`: docs.python.org/3.15/library/threadsafety.html), and those in `atomic()` blocks,
by which a model says that the language makes one operation of them. An atomic one and a plain one
are a race, as in Go (go.dev/ref/mem: "unless all the accesses involved are atomic").
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from interleave.checks.base import Check, Found
from interleave.compiler import Code
from interleave.engine.graph import SearchGraph
from interleave.engine.passes.shortest import Path
from interleave.engine.steps import Steps
from interleave.machine import Machine, Moves, State
from interleave.machine.step import AccessRecord, Touch
from interleave.memory.port import WHOLE, AccessKind, Location
from interleave.memory.primitive import Primitive
from interleave.result import Access, DataRace, PendingAccess, Source, Trace, Violation

Cause = tuple[str, tuple[tuple[str, int], ...]]
"""The name of a location, and the two lines, in order."""


class Site(NamedTuple):
    """Something that a thread is about to do to a plain location, or to a part of it."""

    location: Location
    part: object
    writes: bool
    atomic: bool
    kind: AccessKind
    place: tuple[Code, int]
    rule: str = ""
    """What is to be kept apart, where this is an operation of a primitive."""

    @property
    def source(self) -> Source:
        code, block = self.place
        return code.source(block)

    def overlaps(self, part: object) -> bool:
        """Whether it concerns something of a part of its location."""
        return WHOLE in (self.part, part) or self.part == part

    def races_with(self, other: Site) -> bool:
        """Whether this and what another thread is about to do are a data race."""
        return (
            self.location is other.location
            and (self.writes or other.writes)
            and not (self.atomic and other.atomic)
            and self.overlaps(other.part)
        )


class Race(NamedTuple):
    """A data race: two threads and what each is about to do."""

    threads: tuple[int, int]
    sites: tuple[Site, Site]

    @property
    def cause(self) -> Cause:
        lines = sorted((site.source.file, site.source.line) for site in self.sites)
        return (self.sites[0].location.name, tuple(lines))


class RaceCheck(Check):
    """One violation for each (location, line, other line).

    What a thread is about to do is numbered, so that it is asked once for each two numbers whether
    they are a race.
    """

    sees_all = False
    kinds = ("data-race",)
    when_asked = True
    needs = "every state"

    def __init__(self, machine: Machine, steps: Steps) -> None:
        super().__init__(machine, steps)
        self.pairs = self
        rules = machine.program.runtime.races
        assert rules is not None
        self._rules = rules
        self._found: dict[Cause, tuple[int, Race]] = {}
        self._about: dict[int, int] = {}
        """By the id of moves."""
        self._numbers: dict[tuple[Site, ...], int] = {(): 0}
        self._sites: list[tuple[Site, ...]] = [()]
        self._at: dict[Location, dict[tuple[object, bool], list[int]]] = {}
        """The numbers of what concerns a part of a location, atomic or not."""
        self._races: dict[tuple[int, int], list[tuple[Site, Site]]] = {}

    # What threads are about to do

    def about(self, moves: Moves) -> int:
        """The number of what a thread is about to do to plain locations; 0 for nothing."""
        found = self._about.get(id(moves))
        if found is None:
            found = self._about[id(moves)] = self._number(tuple(dict.fromkeys(self._look(moves))))
        return found

    def _number(self, sites: tuple[Site, ...]) -> int:
        found = self._numbers.get(sites)
        if found is None:
            found = self._numbers[sites] = len(self._sites)
            self._sites.append(sites)
            for site in sites:
                at = self._at.setdefault(site.location, {})
                numbers = at.setdefault((site.part, site.atomic), [])
                if found not in numbers[-1:]:
                    numbers.append(found)
        return found

    def _look(self, moves: Moves) -> Iterator[Site]:
        """Every access that a thread may perform in its next step: an `atomic()` block has many."""
        for step in moves.steps:
            for access in step.accesses:
                for each in access.exclusive:
                    # Those that write are no race among themselves.
                    yield Site(
                        each.location,
                        WHOLE,
                        each.writes,
                        each.writes,
                        access.kind,
                        access.place,
                        each.rule,
                    )
                written = {(touch.location, touch.part) for touch in access.writes}
                for touch in (*access.writes, *access.reads):
                    if self._is_plain(touch):
                        writes = (touch.location, touch.part) in written
                        yield self._site(access, touch, writes=writes)

    def _is_plain(self, touch: Touch) -> bool:
        return not isinstance(self.machine.program.heap.owner(touch.location), Primitive)

    def _site(self, access: AccessRecord, touch: Touch, *, writes: bool) -> Site:
        kind, place, part, atomic = access.kind, access.place, touch.part, access.atomic
        if kind.container in self._rules.undivided:
            part = WHOLE
        if not self._rules.guarded:
            atomic = atomic and not kind.atomic
        return Site(touch.location, part, writes, atomic, kind, place)

    def rivals(self, about: int) -> Iterable[int]:
        # There can be as many atomic blocks as there are cases, with something else in each. Among
        # themselves they are no race, so they are not even looked at.
        near: set[int] = set()
        for site in self._sites[about]:
            at = self._at[site.location]
            parts = {part for part, _ in at} if site.part is WHOLE else {WHOLE, site.part}
            for atomic in (False,) if site.atomic else (False, True):
                near.update(number for part in parts for number in at.get((part, atomic), ()))
        return [number for number in sorted(near) if self._races_of(about, number)]

    def _races_of(self, one: int, other: int) -> list[tuple[Site, Site]]:
        """The data races between what one thread is about to do and what another one is."""
        found = self._races.get((one, other))
        if found is None:
            pairs = itertools.product(self._sites[one], self._sites[other])
            found = [(first, second) for first, second in pairs if first.races_with(second)]
            self._races[one, other] = found
        return found

    def _races_in(self, state: State) -> Iterator[Race]:
        """Every data race of a state, threads in order."""
        about = [
            (thread.number, number)
            for thread in self.machine.program.threads
            if (number := self.about(self.steps.step(state, thread.number)))
        ]
        for (first, one), (second, other) in itertools.combinations(about, 2):
            for sites in self._races_of(one, other):
                yield Race((first, second), sites)

    def met_in(self, state: State) -> bool:
        return any(True for _ in self._races_in(state))

    # What is found

    def on_expanded(self, number: int, state: State) -> bool:
        seen = False
        for race in self._races_in(state):
            if race.cause not in self._found:
                self._found[race.cause] = (number, race)
                seen = True
        return seen

    def found(self, graph: SearchGraph) -> list[Found]:
        return [
            Found(partial(self._describe, race), (number, None))
            for number, race in self._found.values()
        ]

    def _describe(self, race: Race, path: Path, trace: Trace) -> Violation:
        # At the start, everything has the name that it was captured by.
        objects = self.machine.names_in(self.machine.after(*path.steps[-1])) if path.steps else None
        names = [self.machine.program.threads[thread].name for thread in race.threads]
        pending = [
            PendingAccess(
                name,
                Access(site.kind.name, objects.where(site.kind) if objects else site.kind.where),
                site.source,
                site.writes,
            )
            for name, site in zip(names, race.sites, strict=True)
        ]
        pending.sort(key=lambda each: not each.writes)  # one that writes comes first
        where = {each.access.location for each in pending}
        location = where.pop() if len(where) == 1 else None
        first = race.sites[0].location
        location = location or (objects.of_location(first) if objects else first.name)
        return Violation(
            "data-race",
            _in_words(location, pending),
            location,
            tuple(each.thread for each in pending),
            trace,
            source=pending[0].source,
            detail=DataRace(tuple(pending)),
            hint=race.sites[0].rule,
        )


def _in_words(location: str, pending: list[PendingAccess]) -> str:
    files = {each.source.file for each in pending}
    sides = []
    for what, each in zip((location, "it"), pending, strict=True):
        line = f"line {each.source.line}"
        if len(files) > 1:
            line = f"{each.source.file}:{each.source.line}"
        does = "write" if each.writes else "read"
        how = "" if each.access.kind == does else f" ({each.access.kind})"
        sides.append(f"{each.thread} is about to {does} {what}{how} at {line}")
    return " while ".join(sides)
