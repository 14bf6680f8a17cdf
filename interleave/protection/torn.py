"""Whether others come between a read and a write that derives from it.

Where one thread runs at a time, an access is over before the next one begins. What can go wrong is
that a thread reads a variable, another one writes it, and the first one then writes it with a
value, or on a condition, that comes from that read. Unlike for a lost update, it does not matter
which values are written.
"""

from __future__ import annotations

from typing import NamedTuple

from interleave.checks.cells import Cell
from interleave.checks.nowhere import Place
from interleave.checks.stale import line_of
from interleave.engine.graph import SearchGraph
from interleave.engine.stopping import Guard
from interleave.machine import Step
from interleave.machine.step import Carrier
from interleave.protection.uses import POLL_EVERY, is_expanded


class Between(NamedTuple):
    """A thread reads, another one writes, and then the first one writes: the block of each."""

    thread: int
    read: Place
    other: int
    between: Place
    write: Place


class Reading(NamedTuple):
    """What a carrier derives from: a read; and who has written since, and where."""

    carrier: Carrier
    read: Place
    by_condition: bool
    other: int = -1
    between: Place | None = None


Readings = frozenset[Reading]
"""What a thread holds of a cell that it has read."""


def torn(graph: SearchGraph, cell: Cell, thread: int, guard: Guard) -> Between | None:
    """The first way that others come between a read of a cell by a thread and its write; None where
    there is none. Raises `Stopped`.
    """
    nothing: Readings = frozenset()
    waiting = [(graph.state(number), nothing) for number in range(graph.initial)]
    seen = dict.fromkeys(waiting)
    for count, (state, held) in enumerate(waiting):  # which grows
        if count % POLL_EVERY == 0:
            guard.poll()
        if not is_expanded(graph, state):
            continue
        for step, after in graph.successors(state):
            if step.thread == thread:
                if held and (found := _found(cell, held, step)) is not None:
                    return found
                now = _after_own(cell, held, step)
            else:
                now = _after_other(cell, thread, held, step)
            node = (after, now)
            if node not in seen:
                seen[node] = None
                waiting.append(node)
    return None


def _found(cell: Cell, held: Readings, step: Step) -> Between | None:
    assert step.flow is not None
    for access, sources in zip(step.accesses, step.flow.writes, strict=True):
        written = [touch for touch in access.writes if cell.common(touch)]
        if not written:
            continue
        # An operation such as `append` takes what is there: but whether to do it was decided.
        decides = all(touch.fresh for touch in written)
        found = [
            reading
            for source, by_condition in sources
            for reading in held
            if reading.carrier == source
            and reading.between is not None
            and (by_condition or reading.by_condition or not decides)
        ]
        for reading in sorted(found, key=_in_order):
            assert reading.between is not None
            return Between(step.thread, reading.read, reading.other, reading.between, access.place)
    return None


def _in_order(reading: Reading) -> tuple[object, ...]:
    assert reading.between is not None
    read, between = line_of(reading.read), line_of(reading.between)
    return (*read, reading.other, *between, reading.by_condition)


def _after_own(cell: Cell, held: Readings, step: Step) -> Readings:
    assert step.flow is not None
    found = {*_reads_in(cell, step)}
    if not (held or found):
        return held
    readings: set[Reading] = set()
    for carrier, sources in step.flow.carriers.items():
        for source, by_condition in sources:
            if isinstance(source, int):
                if source in found:
                    readings.add(Reading(carrier, step.accesses[source].place, by_condition))
            else:
                readings.update(
                    each._replace(carrier=carrier, by_condition=by_condition or each.by_condition)
                    for each in held
                    if each.carrier == source
                )
    return frozenset(readings)


def _reads_in(cell: Cell, step: Step) -> list[int]:
    """The accesses of a step that read something of a cell, by index."""
    return [
        number
        for number, access in enumerate(step.accesses)
        if any(cell.common(touch) for touch in access.reads)
    ]


def _after_other(cell: Cell, thread: int, held: Readings, step: Step) -> Readings:
    if any(each == thread for each, _ in step.starts):
        return frozenset()
    if not held:
        return held
    for access in step.accesses:
        if any(cell.common(touch) for touch in access.writes):
            return frozenset(
                each if each.between is not None
                else each._replace(other=step.thread, between=access.place)
                for each in held
            )  # fmt: skip
    return held
