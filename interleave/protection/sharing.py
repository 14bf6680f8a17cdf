"""`sharing`: who reads and writes each shared variable, and what protects it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from interleave.asked import Asked, taking
from interleave.checking import Checked, checked_model
from interleave.checks.cells import Cell
from interleave.checks.nowhere import source_of
from interleave.compiler import Code
from interleave.engine.graph import SearchGraph
from interleave.engine.stopping import INTERRUPTED, Guard
from interleave.go.goroutines import Goroutine
from interleave.interrupts import AT_POLLS, leaving, listening, take
from interleave.loading import own_options, parameters_of
from interleave.machine import Machine
from interleave.memory.output import Output
from interleave.memory.port import WHOLE, Location
from interleave.memory.primitive import Primitive
from interleave.memory.values import Shared
from interleave.model import Model
from interleave.notes import notes_of
from interleave.options import CheckOptions, Options
from interleave.protection.alike import alike, by_name, container_of, without_containers
from interleave.protection.holding import Locking, NoMutex, common
from interleave.protection.order import order_of
from interleave.protection.results import (
    OF_VARIABLES,
    PROTECTIONS,
    ModelSharing,
    Ordered,
    Protection,
    SharedAccess,
    SharedVariable,
    Sharing,
    Whole,
)
from interleave.protection.torn import torn
from interleave.protection.uses import Pair, Use, Uses
from interleave.runtimes import runtimes_of
from interleave.selecting import Errors, Target, with_each_model
from interleave.stdlib.asyncio.loop import EventLoop
from interleave.stdlib.asyncio.tasks import Task
from interleave.stdlib.threads import Thread
from interleave.world.policy import Assumed, assuming


@taking(CheckOptions)
def sharing(target: Target | Iterable[Target], asked: Asked[CheckOptions]) -> Sharing:
    """Tell of each shared variable who reads and writes it, and what protects it.

    `target` is as for `check`, and so are the options. Without a `runtime`, a model is searched
    under each that its threads can mean.

    Raises `InterleaveError` for a target, an option or a model that is at fault; where `on_error`
    is given, it is told of the error of a file or of a model instead, and the others are gone on
    with.
    """
    options = asked.options
    found: list[ModelSharing] = []
    errors = Errors(options.on_error)
    guard = Guard()

    def one(model: type[Model], file: str) -> None:
        near = asked.near(file, own_options(model))
        parameters = parameters_of(model, options.parameters or {})
        found.extend(_under_each(model, file, parameters, near, guard))

    with listening(), leaving(AT_POLLS):
        with_each_model(target, asked, errors, guard, one)
    stopped = guard.stop is not None
    return Sharing(tuple(found), interrupted=stopped, errors=tuple(errors.found))


def _under_each(
    model: type[Model], file: str, parameters: dict[str, Any], near: Options, guard: Guard
) -> list[ModelSharing]:
    """A model under each of its runtimes, or under the one that is asked for."""
    kinds = {note.kind for note in notes_of(model).threads.values()}
    names = [each.name for each in runtimes_of(kinds)] if near.runtime is None else [near.runtime]
    found: list[ModelSharing] = []
    for name in names:
        if guard.stop is None:
            found.append(_of_model(model, file, parameters, replace(near, runtime=name)))
            guard.note(take())
            if found[-1].result.interrupted:
                guard.note(INTERRUPTED)
    in_loop = all(kind.in_loop for kind in kinds)
    if in_loop and len({(each.variables, each.limit) for each in found}) == 1:
        del found[1:]  # its tasks have begun no threads
    return found


def _of_model(
    model: type[Model], file: str, parameters: dict[str, Any], options: Options
) -> ModelSharing:
    checked = checked_model(model, file, parameters, options)
    if checked.searched is None:
        return ModelSharing(checked.result, (), checked.result.limit)
    guard = Guard(options.max_seconds, options.bytes)
    found: list[SharedVariable] = []
    with assuming(Assumed(tuple(options.pure))), guard.phase():
        found = _Classes(checked, guard).variables()
    stop = checked.searched.graph.stop or guard.stop
    if stop is not None:
        found = [_as_far_as_known(each) for each in found]
    return ModelSharing(checked.result, tuple(found), "" if stop is None else str(stop))


def _as_far_as_known(variable: SharedVariable) -> SharedVariable:
    """What a part of the interleavings shows."""
    if variable.protection == "unprotected":
        return variable
    return replace(variable, protection="unknown", locks=(), sides=(), whole=(), apart=(), order=())


class _Classes:
    """Says of the variables of a search what protects them."""

    def __init__(self, checked: Checked, guard: Guard) -> None:
        assert checked.searched is not None
        self._result = checked.result
        self._machine: Machine = checked.searched.machine
        self._graph: SearchGraph = checked.searched.graph
        self._guard = guard
        self._uses = Uses(self._machine, Locking(self._machine))
        self._by_location: dict[Location, list[Use]] = {}
        self._pairs_of: dict[Location, list[Pair]] = {}
        loops = sum(isinstance(each, EventLoop) for each in self._machine.program.heap.stand_ins)
        self._one_loop = loops <= 1 or not self._machine.program.has_threads

    def variables(self) -> list[SharedVariable]:
        """All variables. Raises `Stopped`."""
        with self._guard.phase():
            self._walk()
        for use in self._uses.first:
            self._by_location.setdefault(use.location, []).append(use)
        for pair in self._uses.pairs:
            self._pairs_of.setdefault(pair[0].location, []).append(pair)
        found = [self._variable(cell) for cell in self._cells()] + self._constants()
        shown = without_containers(alike(by_name(found)))
        with_found = [replace(each, found=self._found(each)) for each in shown]
        return sorted(with_found, key=lambda each: PROTECTIONS.index(each.protection))

    def _walk(self) -> None:
        """Find all uses: those so far, where it is cut short."""
        without: frozenset[int] = frozenset()
        while True:
            try:
                self._uses.walk(self._graph, self._guard)
                return
            except NoMutex as found:
                without |= {found.index}
                self._uses = Uses(self._machine, Locking(self._machine, without))

    def _cells(self) -> list[Cell]:
        """What is told of: the parts of locations that are accessed, or the whole of one."""
        found: dict[Cell, None] = {}
        for location in sorted(self._by_location, key=lambda each: each.number):
            parts = dict.fromkeys(use.part for use in self._by_location[location])
            smaller = [part for part in parts if part is not WHOLE]
            for part in smaller or [WHOLE]:
                cell = Cell(location, part)
                kind = self._uses.kinds.get(cell)
                if kind is None or not _is_left_out(kind):
                    found[cell] = None
        return [*found]

    def _variable(self, cell: Cell) -> SharedVariable:
        uses = [use for use in self._by_location[cell.location] if use.overlaps(cell.part)]
        pairs = [
            pair
            for pair in self._pairs_of.get(cell.location, ())
            if all(use.overlaps(cell.part) for use in pair)
        ]
        kind = self._uses.kinds.get(cell)
        known = SharedVariable(
            self._uses.names[cell],
            "primitive",
            self._accesses([use for use in uses if not use.rule]),
            "" if kind is None else kind.__name__,
        )
        if kind is not None:
            pairs = [pair for pair in pairs if pair[0].rule]
            return self._unprotected(known, pairs[0]) if pairs else known
        home = cell.location.home
        if not any(use.writes for use in uses):
            return replace(known, protection="never-written")
        if len({use.thread for use in uses}) == 1:
            if home is cell.location:
                return replace(known, protection="one-thread")
            inside = known.name.removeprefix(cell.location.name)
            return replace(known, name=home.name + inside, protection="private")
        if open_pairs := [pair for pair in pairs if not self._by_runtime(pair)]:
            return self._unprotected(known, open_pairs[0])
        in_turn = self._in_turn(uses)
        if pairs or in_turn:
            if (found := self._torn(known, cell, uses)) is not None:
                return found
            if pairs := pairs or [pair for pair in in_turn if self._is_of_loop(pair)]:
                return self._by_runtime_only(known, cell, pairs)
        return self._protected(known, uses)

    def _in_turn(self, uses: Sequence[Use]) -> list[Pair]:
        """The pairs that no lock keeps apart, of threads of which one has to wait in the midst of
        what the other one does: tasks beside which threads run, and a thread that a handler
        interrupts. They are not ahead in one state, and yet one can come between two of the other.
        """
        threads = self._machine.program.threads
        return [
            pair
            for pair in _conflicts(uses)
            if not pair[0].is_kept_from(pair[1])
            and (
                any(threads[use.thread].kind.interrupts for use in pair)
                or (self._is_of_loop(pair) and self._machine.program.has_threads)
            )
        ]

    def _is_of_loop(self, pair: Pair) -> bool:
        return all(self._machine.program.threads[use.thread].kind.in_loop for use in pair)

    def _by_runtime(self, pair: Pair) -> bool:
        """Whether the runtime runs one of two threads at a time."""
        one, other = (self._machine.program.threads[use.thread] for use in pair)
        if one.kind.in_loop and other.kind.in_loop:
            return self._one_loop
        return self._machine.program.runtime.global_lock and one.process == other.process

    def _unprotected(self, known: SharedVariable, pair: Pair) -> SharedVariable:
        return replace(known, protection="unprotected", sides=self._sides(pair), rule=pair[0].rule)

    def _sides(self, pair: Pair) -> tuple[SharedAccess, ...]:
        """The accesses of a pair, a write first."""
        return tuple(map(self._access, sorted(pair, key=lambda use: not use.writes)))

    def _torn(
        self, known: SharedVariable, cell: Cell, uses: Sequence[Use]
    ) -> SharedVariable | None:
        """A variable of which a thread writes what comes of an old read; None where none does."""
        for thread in sorted({use.thread for use in uses}):
            found = torn(self._graph, cell, thread, self._guard)
            if found is not None:
                blocks = [
                    (thread, found.read, False),
                    (found.other, found.between, True),
                    (thread, found.write, True),
                ]
                sides = tuple(self._at(*each, uses) for each in blocks)
                return replace(known, protection="unprotected", sides=sides)
        return None

    def _by_runtime_only(
        self, known: SharedVariable, cell: Cell, pairs: Sequence[Pair]
    ) -> SharedVariable:
        in_loop = all(map(self._is_of_loop, pairs))
        whole = dict.fromkeys(
            Whole(source_of(read), source_of(write))
            for _, other, read, write in self._uses.whole
            if other.location is cell.location
            and (other.part == cell.part or WHOLE in (other.part, cell.part))
        )
        return replace(
            known,
            protection="event-loop" if in_loop else "gil",
            sides=self._sides(pairs[0]),
            whole=tuple(sorted(whole, key=lambda each: (each.read.line, each.write.line))),
        )

    def _protected(self, known: SharedVariable, uses: Sequence[Use]) -> SharedVariable:
        """What keeps conflicting accesses apart that never happen at the same time."""
        locks, rest = _fewest_locks(_conflicts(uses))
        atomic = [pair for pair in rest if all(use.atomic for use in pair)]
        rest = [pair for pair in rest if pair not in atomic]
        apart = _in_most(rest)
        protection: Protection = "lock" if locks else "atomic" if atomic else "ordered"
        return replace(
            known,
            protection=protection,
            locks=tuple(self._uses.name_of_lock(index) for index in locks),
            apart=self._accesses(apart),
            order=self._orders(rest),
        )

    def _orders(self, pairs: Iterable[Pair]) -> tuple[Ordered, ...]:
        """What of pairs comes after the other, each line of a thread once."""
        uses: dict[str, list[Use]] = {}
        for pair in pairs:
            if (found := order_of(self._machine, self._uses, pair)) is not None:
                uses.setdefault(found[1], []).append(found[0])
        return tuple(
            Ordered(access, after) for after in uses for access in self._accesses(uses[after])
        )

    def _constants(self) -> list[SharedVariable]:
        """What threads look at and nothing writes."""
        told = {cell.location for cell in self._uses.names}
        found: list[SharedVariable] = []
        for location, looks in self._uses.constants.items():
            value = self._machine.program.heap.values[location.initial]
            if location in told or not location.name or isinstance(value, Shared):
                continue
            accesses = dict.fromkeys(
                self._access_at(*look, "read", reads=True, writes=False) for look in looks
            )
            found.append(SharedVariable(location.name, "never-written", tuple(accesses)))
        return found

    def _found(self, variable: SharedVariable) -> tuple[str, ...]:
        """The kinds of violation that the check has found of a variable."""
        names = {variable.name, *variable.elements, *container_of(variable.name)}
        kinds = (
            each.kind
            for each in self._result.violations
            if each.location in names and each.kind in OF_VARIABLES
        )
        return tuple(dict.fromkeys(kinds))

    # In the words of reports

    def _accesses(self, uses: Iterable[Use]) -> tuple[SharedAccess, ...]:
        """Those of a thread at a line are one: it holds what it holds every time."""
        found: dict[tuple[str, str, int], SharedAccess] = {}
        for use in uses:
            new = self._access(use)
            key = (new.thread, new.source.file, new.source.line)
            old = found.get(key, new)
            found[key] = replace(
                old,
                kind=old.kind if old.kind == new.kind else "read, write",
                reads=old.reads or new.reads,
                writes=old.writes or new.writes,
                locks=tuple(lock for lock in old.locks if lock in new.locks),
            )
        return tuple(found.values())

    def _access(self, use: Use) -> SharedAccess:
        locks = tuple(sorted(self._uses.name_of_lock(index) for index, _ in use.locks))
        return self._access_at(
            use.thread, use.place, use.kind.name, reads=use.reads, writes=use.writes, locks=locks
        )

    def _access_at(
        self,
        number: int,
        place: tuple[Code, int],
        kind: str,
        *,
        reads: bool,
        writes: bool,
        locks: tuple[str, ...] = (),
    ) -> SharedAccess:
        thread = self._machine.program.threads[number]
        return SharedAccess(
            thread.name, thread.method, kind, source_of(place), reads, writes, locks
        )

    def _at(
        self, thread: int, place: tuple[Code, int], writes: bool, uses: Sequence[Use]
    ) -> SharedAccess:
        """The access of a thread in a block."""
        use = next(
            use
            for use in uses
            if use.thread == thread and use.place == place and (use.writes or not writes)
        )
        return self._access(use)


_LEFT_OUT = (Output, Thread, Goroutine, EventLoop, Task)


def _is_left_out(kind: type[Primitive]) -> bool:
    """Whether a primitive is no variable: a thread, a part of the library, what is printed."""
    return issubclass(kind, _LEFT_OUT) or kind.is_internal


def _conflicts(uses: Sequence[Use]) -> list[Pair]:
    pairs = itertools.combinations(uses, 2)
    return [(one, other) for one, other in pairs if one.conflicts(other)]


def _fewest_locks(pairs: Sequence[Pair]) -> tuple[list[int], list[Pair]]:
    """The locks that keep pairs apart, those of most pairs first; and the other pairs."""
    rest, locks = [*pairs], list[int]()
    while True:
        shared: dict[int, int] = {}
        for one, other in rest:
            for index in common(one.locks, other.locks):
                shared[index] = shared.get(index, 0) + 1
        if not shared:
            return locks, rest
        best = min(shared, key=lambda index: (-shared[index], index))
        locks.append(best)
        rest = [pair for pair in rest if best not in common(pair[0].locks, pair[1].locks)]


def _in_most(pairs: Sequence[Pair]) -> list[Use]:
    """The fewest uses of which each pair has one, those in most pairs first."""
    rest, found = [*pairs], list[Use]()
    while rest:
        counts: dict[Use, int] = {}
        for use in (use for pair in rest for use in pair):
            counts[use] = counts.get(use, 0) + 1
        best = max(counts, key=lambda use: counts[use])
        found.append(best)
        rest = [pair for pair in rest if best not in pair]
    return found
