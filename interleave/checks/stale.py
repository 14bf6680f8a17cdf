"""Following what a thread has read of one location, and whether it is still true.

A thread holds what it read in carriers: locals, results within a statement, the outcomes of
conditions (see `machine.step.Flow`). What it holds is stale while the location has another value
than the one that was read, because another thread has changed it. A stale condition counts unless
the thread, had it read the value that is there now, would have come by the same way to the same
write (`checks.again`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from interleave.checks.again import NOWHERE, RunsAgain
from interleave.checks.cells import Cell, reads_of
from interleave.checks.suspects import Suspect
from interleave.compiler import Code
from interleave.machine import Machine, State, Step
from interleave.machine.step import Carrier, Sources

Moment = tuple[str, int, int]
"""File and line of an access, and its number in a trace (0 where no trace is followed)."""


Line = tuple[str, int]
Cause = tuple[str, Line, Line, Line]
"""Location, and file and line of the read, of the lost write, and of the write that lost it."""


class Reading(NamedTuple):
    """What a carrier derives from: a read that found `value`.

    `by_condition`: by way of a condition, not of a value. `changed` is the moment of the change
    that made it stale; None while it is not. `otherwise`: where the thread would be now had it
    found another value (`again.RunsAgain`).
    """

    carrier: Carrier
    by_condition: bool
    read: Moment
    value: int
    changed: Moment | None = None
    otherwise: int = NOWHERE


class Held(NamedTuple):
    """Everything that a suspect holds of its cell."""

    suspect: Suspect
    readings: frozenset[Reading] = frozenset()

    @property
    def any_stale(self) -> bool:
        return any(reading.changed is not None for reading in self.readings)


class Lost(NamedTuple):
    """Why a write loses what another thread wrote."""

    read: Moment
    changed: Moment
    by_condition: bool


class Following:
    """Follows what suspects hold, step by step."""

    def __init__(self, machine: Machine, again: RunsAgain) -> None:
        self._machine = machine
        self._again = again

    def follow(self, held: Held, before: State, step: Step, after: State, number: int = 0) -> Held:
        """What the suspect holds after a step of any thread, which is step `number` of a trace."""
        if step.thread == held.suspect.thread:
            return self._after_own_step(held, before, step, number)
        if not held.readings:
            return held
        if _begins_or_ends(step, held.suspect.thread):
            return Held(held.suspect)
        cell = held.suspect.cell
        if before[cell.location.index] == after[cell.location.index]:
            return held
        now = cell.value(self._machine, after)
        if now == cell.value(self._machine, before):
            return held
        moment = _moment(step.place, number)
        return Held(
            held.suspect,
            frozenset(
                reading._replace(changed=None if reading.value == now else moment)
                for reading in held.readings
            ),
        )

    def _after_own_step(self, held: Held, before: State, step: Step, number: int) -> Held:
        suspect = held.suspect
        found = _reads(suspect.cell, step, number)
        if not (found or held.readings):
            return held
        assert step.flow is not None
        value = suspect.cell.value(self._machine, before)
        begun: dict[int, int] = {}
        gone_on: dict[int, int] = {}
        readings: set[Reading] = set()
        before_it = held.readings
        if _writes_blindly(held, step, list(found)):
            before_it = _overwritten(before_it)
        for carrier, sources in step.flow.carriers.items():
            for source, by_condition in sources:
                if isinstance(source, int):
                    if source in found and suspect.needs(step.local, carrier, by_condition):
                        if source not in begun and suspect.conditional:
                            location = suspect.cell.location
                            begun[source] = self._again.begin(before, step, source, location)
                        otherwise = begun.get(source, NOWHERE)
                        reading = Reading(carrier, by_condition, found[source], value)
                        readings.add(reading._replace(otherwise=otherwise))
                    continue
                for reading in before_it:
                    conditional = by_condition or reading.by_condition
                    if reading.carrier == source and suspect.needs(
                        step.local, carrier, conditional
                    ):
                        known = reading.otherwise
                        if known not in gone_on:
                            gone_on[known] = self._again.go_on(known, before, step)
                        readings.add(
                            reading._replace(
                                carrier=carrier,
                                by_condition=conditional,
                                otherwise=gone_on[known],
                            )
                        )
        return Held(suspect, frozenset(readings))

    def lost(self, held: Held, before: State, step: Step) -> list[Lost]:
        """What is lost by a step of the suspect, before which it holds `held`; in a fixed order.

        A value that comes from a stale read loses what was written since. So does a condition that
        comes from one, unless the thread has looked again: then it has seen what was written; or
        would have done the same had it looked again; or writes what is there already.
        """
        if not held.any_stale:
            return []
        cell = held.suspect.cell
        found = reads_of(cell, step)
        assert step.flow is not None
        causes: set[Lost] = set()
        readings = held.readings
        present = before[cell.location.index]
        for number, (access, sources) in enumerate(
            zip(step.accesses, step.flow.writes, strict=True)
        ):
            there, wrote = present, access.wrote(cell.location)
            present = there if wrote is None else wrote
            if not any(cell.is_in(touch) and not touch.fresh for touch in access.writes):
                continue
            by_value: list[Lost] = []
            on_condition: list[Reading] = []
            looked_again = any(isinstance(source, int) and source in found for source, _ in sources)
            for source, by_condition in sources:
                for reading in readings:
                    if reading.carrier != source:
                        continue
                    if reading.changed is None:
                        looked_again = True
                    elif by_condition or reading.by_condition:
                        on_condition.append(reading)
                    else:
                        by_value.append(Lost(reading.read, reading.changed, by_condition=False))
            causes.update(by_value)
            if not (by_value or looked_again or self._are_equal(cell, there, present)):
                causes.update(
                    Lost(reading.read, reading.changed, by_condition=True)
                    for reading in on_condition
                    if reading.changed is not None
                    and not self._comes_again(reading, cell, there, before, step, number)
                )
            if _is_blind(readings, sources, found):
                readings = _overwritten(readings)
        return sorted(causes, key=lambda each: (each.by_condition, each.read, each.changed))

    def _comes_again(
        self, reading: Reading, cell: Cell, value: int, before: State, step: Step, access: int
    ) -> bool:
        """Whether the thread would come to an access of a step, had a read found a value."""
        return reading.value == cell.value_in(self._machine, value) or self._again.comes_to(
            reading.otherwise, value, before, step, access
        )

    def _are_equal(self, cell: Cell, one: int, other: int) -> bool:
        return cell.value_in(self._machine, one) == cell.value_in(self._machine, other)


class Histories:
    """What suspects hold, by number, and what steps make of it, worked out once.

    Steps are known by identity (see `engine.steps`).
    """

    def __init__(self, following: Following) -> None:
        self.following = following
        self._numbers: dict[Held, int] = {}
        self._held: list[Held] = []
        self._followed: dict[tuple[int, int, int, int], int] = {}
        self._lost: dict[tuple[int, int, int], list[Lost]] = {}

    def number(self, held: Held) -> int:
        """The number of what a suspect holds."""
        found = self._numbers.get(held)
        if found is None:
            found = self._numbers[held] = len(self._held)
            self._held.append(held)
        return found

    def __getitem__(self, number: int) -> Held:
        return self._held[number]

    def follow(self, number: int, before: State, step: Step, after: State) -> int:
        """`Following.follow`, by number."""
        suspect = self._held[number].suspect
        index = suspect.cell.location.index
        was, now = before[index], after[index]
        is_another = step.thread != suspect.thread
        if is_another and was == now and not _begins_or_ends(step, suspect.thread):
            return number
        key = (number, id(step), was, now)
        found = self._followed.get(key)
        if found is None:
            held = self.following.follow(self._held[number], before, step, after)
            found = self._followed[key] = self.number(held)
        return found

    def lost(self, number: int, before: State, step: Step) -> list[Lost]:
        """`Following.lost`, by number; nothing for steps of other threads."""
        suspect = self._held[number].suspect
        if step.thread != suspect.thread:
            return []
        key = (number, id(step), before[suspect.cell.location.index])
        found = self._lost.get(key)
        if found is None:
            found = self._lost[key] = self.following.lost(self._held[number], before, step)
        return found

    def causes(self, number: int, before: State, step: Step) -> list[Cause]:
        """The causes of what is lost."""
        suspect = self._held[number].suspect
        return [cause_of(suspect, each, step) for each in self.lost(number, before, step)]


def cause_of(suspect: Suspect, found: Lost, step: Step) -> Cause:
    """What a lost update is reported as: once for each cause."""
    name = suspect.cell.location.name
    return (name, found.read[:2], found.changed[:2], line_of(step.place))


def _writes_blindly(held: Held, step: Step, found: Sequence[int]) -> bool:
    """Whether a step of the suspect overwrites the cell, and takes nothing from what is there.

    `found` has the accesses of the step that read the cell.
    """
    cell = held.suspect.cell
    assert step.flow is not None
    return any(
        _is_blind(held.readings, sources, found)
        for access, sources in zip(step.accesses, step.flow.writes, strict=True)
        if any(cell.is_in(touch) and not touch.fresh for touch in access.writes)
    )


def _is_blind(readings: Iterable[Reading], sources: Sources, found: Sequence[int]) -> bool:
    """Whether the value of a write derives from no read of the cell that is up to date."""
    values = {source for source, by_condition in sources if not by_condition}
    return values.isdisjoint(found) and not any(
        reading.carrier in values and reading.changed is None and not reading.by_condition
        for reading in readings
    )


def _overwritten(readings: Iterable[Reading]) -> frozenset[Reading]:
    """Readings when the thread itself has overwritten what the others wrote: none is stale."""
    return frozenset(reading._replace(changed=None) for reading in readings)


def _reads(cell: Cell, step: Step, number: int) -> dict[int, Moment]:
    """The accesses of a step that read a cell, by index, with their moments."""
    return {each: _moment(step.accesses[each].place, number) for each in reads_of(cell, step)}


def _begins_or_ends(step: Step, thread: int) -> bool:
    """Whether a thread begins, or ends, in a step of another one."""
    return any(each == thread for each, _ in step.starts)


def _moment(place: tuple[Code, int], number: int) -> Moment:
    return (*line_of(place), number)


def line_of(place: tuple[Code, int]) -> tuple[str, int]:
    """File and line of a block."""
    code, block = place
    source = code.source(block)
    return (source.file, source.line)
