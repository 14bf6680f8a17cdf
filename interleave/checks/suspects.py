"""Which threads may lose an update, from the local states of each and nothing else.

Every local move that the search met is an edge of a graph of local states: what one reads travels
along it from carrier to carrier (see `machine.step.Flow`). Three analyses of that graph, each a
fixed point, leave few suspects:

* forwards, what a thread may hold of what it has read, and what of it may be stale;
* forwards, which carriers surely hold a read that is up to date: a write on a condition that comes
  from one of them loses nothing, as the thread has looked again;
* backwards, what a carrier must hold to come to a write that may lose something.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from interleave.checks.cells import Cell, in_order_of, reads_of
from interleave.engine.observing import Change
from interleave.engine.stopping import Guard
from interleave.machine import Machine, Step
from interleave.machine.step import Carrier, Sources, Touch
from interleave.memory.made import PrimitiveRoom

Carried = tuple[Carrier, bool]
"""A carrier of something read; True where it has come into it by way of a condition."""


@dataclass(frozen=True, eq=False)
class Suspect:
    """A thread and a cell that it may write from a stale read.

    `conditional`: it may do so on a condition that comes from the read. `needed` has for each local
    state what of the thread's reads can still come to such a write, or tell that it loses nothing.
    """

    thread: int
    cell: Cell
    conditional: bool
    needed: Mapping[int, frozenset[Carried]]

    def needs(self, local: int, carrier: Carrier, by_condition: bool) -> bool:
        """Whether it makes a difference what a carrier holds in a local state."""
        return (carrier, by_condition) in self.needed.get(local, ())


LocalNode = tuple[int, int]
"""A thread, and its local state."""

Part = tuple[Cell, bool]
"""Something read of a cell; True where it has come by way of a condition."""

Holding = dict[LocalNode, dict[Carrier, set[Part]]]
"""What something read may be in each carrier."""


class LocalMoves:
    """The graph of local states: each move from the local state before it, and where it begins.

    `changed_under` has the changes that a thread has seen others make, by its local state then.
    """

    def __init__(
        self,
        machine: Machine,
        moves: Sequence[tuple[int, Step]],
        entries: Iterable[LocalNode],
        changed_under: Iterable[tuple[Change, int, int]],
        guard: Guard,
    ) -> None:
        self.edges: dict[LocalNode, list[Step]] = {}
        self._machine = machine
        self._moves = moves
        self._by_thread: dict[int, list[tuple[int, Step]]] = {}
        self._entries = set(entries)
        self._changes: dict[LocalNode, list[Touch]] = {}
        self._guard = guard
        for before, step in moves:
            self.edges.setdefault((step.thread, before), []).append(step)
            self._by_thread.setdefault(step.thread, []).append((before, step))
            self._entries.update(step.starts)
        for (index, part), thread, local in changed_under:
            change = Touch(machine.program.heap.changing[index], part)
            self._changes.setdefault((thread, local), []).append(change)

    def suspects(self) -> list[Suspect]:
        """Threads that may hold what they read while somebody changes it, and then write it."""
        held = self._spread({}, with_reads=True)
        stale: Holding = {}
        for node, changes in self._changes.items():
            for carrier, parts in held.get(node, {}).items():
                found = {each for each in parts if _is_changed(each[0], changes)}
                if found:
                    stale.setdefault(node, {})[carrier] = found
        at_once = {node: {each: set(here[each]) for each in here} for node, here in stale.items()}
        self._spread(stale, with_reads=False)
        suspects = []
        for thread, cell in self._overwritten(stale):
            conditional, needed = self._needed(thread, cell)
            if any(
                (carrier, by_condition) in wanted and part.common(Touch(*cell)) is not None
                for local, wanted in needed.items()
                for carrier, parts in at_once.get((thread, local), {}).items()
                for part, by_condition in parts
            ):
                frozen = {local: frozenset(each) for local, each in needed.items()}
                suspects.append(Suspect(thread, cell, conditional, frozen))
        return sorted(suspects, key=lambda each: (each.thread, *in_order_of(each.cell)))

    def _spread(self, holding: Holding, *, with_reads: bool) -> Holding:
        """What may be held everywhere, given what is held somewhere, and what steps read if asked.

        `holding` grows.
        """
        waiting = deque(self.edges if with_reads else holding)
        are_waiting = {*waiting}
        while waiting:
            self._guard.poll()
            node = waiting.popleft()  # in order: most of what leads to it was gone through
            are_waiting.remove(node)
            here = holding.get(node, {})
            for step in self.edges.get(node, ()):
                assert step.flow is not None
                target = (node[0], step.local)
                there = holding.setdefault(target, {})
                for carrier, sources in step.flow.carriers.items():
                    parts = _held_in(here, sources)
                    for source, by in sources if with_reads else ():
                        if isinstance(source, int):
                            reads = step.accesses[source].reads
                            parts |= {(Cell(touch.location, touch.part), by) for touch in reads}
                    known = there.setdefault(carrier, set())
                    if not parts <= known:
                        known |= parts
                        if target not in are_waiting:
                            waiting.append(target)
                            are_waiting.add(target)
        return holding

    def _overwritten(self, stale: Holding) -> list[tuple[int, Cell]]:
        """Threads with the cells that they may write from something stale."""
        found: dict[tuple[int, Cell], None] = {}
        for before, step in self._moves:
            here = stale.get((step.thread, before), {})
            assert step.flow is not None
            for access, sources in zip(step.accesses, step.flow.writes, strict=True):
                for touch in access.writes:
                    for part, _ in _held_in(here, sources) if not touch.fresh else ():
                        cell = part.common(touch)
                        if cell is not None:
                            found[step.thread, cell] = None
        return list(found)

    def _needed(self, thread: int, cell: Cell) -> tuple[bool, dict[int, set[Carried]]]:
        """What each local state must hold of a cell for some write to lose something.

        With it, whether there is a write that loses something on a condition.
        """
        moves = self._by_thread[thread]
        up_to_date = self._up_to_date(thread, cell)
        needed: dict[int, set[Carried]] = {}
        conditional = False
        for before, step in moves:
            assert step.flow is not None
            reads = reads_of(cell, step)
            for access, sources in zip(step.accesses, step.flow.writes, strict=True):
                if not any(cell.is_in(touch) and not touch.fresh for touch in access.writes):
                    continue
                looked_again = _any_of(sources, up_to_date.get(before, _NOTHING), reads)
                conditional |= not looked_again
                for source, by_condition in sources:
                    if isinstance(source, int):
                        continue
                    here = needed.setdefault(before, set())
                    if not by_condition:
                        here.add((source, False))
                    if not looked_again:
                        here |= {(source, False), (source, True)}
        coming: dict[int, list[tuple[int, Step]]] = {}
        for before, step in moves:
            coming.setdefault(step.local, []).append((before, step))
        waiting = list(needed)
        while waiting:
            self._guard.poll()
            local = waiting.pop()
            for before, step in coming.get(local, ()):
                wanted = _wanted_before(needed[local], step)
                known = needed.setdefault(before, set())
                if not wanted <= known:
                    known |= wanted
                    waiting.append(before)
        return conditional, needed

    def _up_to_date(self, thread: int, cell: Cell) -> dict[int, frozenset[Carrier]]:
        """The carriers that hold an up-to-date read of a cell, on each path to a local state.

        The greatest fixed point: local states that are not in it have not been come to.
        """
        found: dict[int, frozenset[Carrier]] = {}
        if isinstance(self._machine.program.heap.owner(cell.location), PrimitiveRoom):
            return found  # not every change there is watched
        waiting = [local for each, local in self._entries if each == thread]
        found.update(dict.fromkeys(waiting, _NOTHING))
        while waiting:
            self._guard.poll()
            local = waiting.pop()
            for step in self.edges.get((thread, local), ()):
                assert step.flow is not None
                target = (thread, step.local)
                reads = reads_of(cell, step)
                there = _NOTHING
                if not _is_changed(cell, self._changes.get(target, ())):
                    there = frozenset(
                        carrier
                        for carrier, sources in step.flow.carriers.items()
                        if _any_of(sources, found[local], reads)
                    )
                known = found.get(step.local)
                now = there if known is None else known & there
                if now != known:
                    found[step.local] = now
                    waiting.append(step.local)
        return found


_NOTHING: frozenset[Carrier] = frozenset()


def _is_changed(cell: Cell, changes: Iterable[Touch]) -> bool:
    return any(cell.common(change) is not None for change in changes)


def _any_of(sources: Sources, carriers: frozenset[Carrier], reads: Iterable[int]) -> bool:
    """Whether one of some sources is one of these carriers, or of these accesses of the step."""
    return any(
        source in reads if isinstance(source, int) else source in carriers for source, _ in sources
    )


def _wanted_before(wanted: set[Carried], step: Step) -> set[Carried]:
    """What must be held before a step for something wanted to be held after it."""
    assert step.flow is not None
    found: set[Carried] = set()
    for carrier, sources in step.flow.carriers.items():
        for source, by in sources:
            if not isinstance(source, int):
                found |= {
                    (source, by_condition)
                    for by_condition in (False, True)
                    if (carrier, by or by_condition) in wanted
                }
    return found


def _held_in(here: Mapping[Carrier, set[Part]], sources: Sources) -> set[Part]:
    """What may be in what a step derives from."""
    return {
        (cell, by or by_condition)
        for source, by_condition in sources
        if not isinstance(source, int)
        for cell, by in here.get(source, ())
    }
