"""Whether a thread would have come by the same way, had one of its reads found something else.

The thread that read something else is followed beside the one that there is, step by step, for each
value that it might have found. Values with which it would be in the same place are taken together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from interleave.engine.steps import Steps
from interleave.machine import Machine, State, Step
from interleave.machine.again import Instead, take_again
from interleave.memory.port import Location

NOWHERE = 0
"""The number for a thread that would have come by this way with no other value."""

_Otherwise = tuple[tuple[int, frozenset[int]], ...]
"""Local states that the thread would be in now, each with the values that it might have found:
those only with which it would have come by the same way.
"""

_Way = tuple[object, ...]


class RunsAgain:
    """Steps taken again, each worked out once. `values` has what may be at places of a state.

    Where a thread would be is known by a number. Steps are known by identity (see `engine.steps`).
    """

    def __init__(self, machine: Machine, steps: Steps, values: Mapping[int, Iterable[int]]) -> None:
        self._machine = machine
        self._steps = steps
        self._values = values
        self._known: list[_Otherwise] = [()]
        self._numbers: dict[_Otherwise, int] = {(): NOWHERE}
        self._begun: dict[object, dict[_Way, dict[int, set[int]]]] = {}
        self._taken: dict[object, tuple[Step, tuple[int, ...]] | None] = {}
        self._looked_at: dict[int, tuple[int, ...]] = {}
        """By the id of a step, the places that decided that it is taken."""

    def begin(self, before: State, step: Step, access: int, location: Location) -> int:
        """Where the thread would be after a step an access of which finds another value.

        Another than the one that it has found: with that, it is where it is.
        """
        key: object = (id(step), access)
        if len(step.accesses) == 1:
            looked_at = self._places_of(before, step)
            others = [(place, before[place]) for place in looked_at if place != location.index]
            local = self._machine.local(before, step.thread)
            kind = self._kind(location, before[location.index])
            key = (step.thread, local, step.choices, kind, *others)
        if key not in self._begun:
            self._begun[key] = self._begin(before, step, access, location)
        begun = self._begun[key].get(_way(step), {})
        was = before[location.index]
        return self._number({local: values - {was} for local, values in begun.items()})

    def _begin(
        self, before: State, step: Step, access: int, location: Location
    ) -> dict[_Way, dict[int, set[int]]]:
        """For each way that it might go, where it would be, and with which values."""
        local = self._machine.local(before, step.thread)
        kind = self._kind(location, before[location.index])
        found: dict[_Way, dict[int, set[int]]] = {}
        for value in self._values.get(location.index, ()):
            if self._kind(location, value) == kind:
                again = self._take(before, step, local, Instead(access, location.index, value))
                if again is not None:
                    here = found.setdefault(_way(again), {})
                    here.setdefault(again.local, set()).add(value)
        return found

    def go_on(self, number: int, before: State, step: Step) -> int:
        """Where it would be after one more step."""
        found: dict[int, set[int]] = {}
        for local, values in self._known[number]:
            again = self._take(before, step, local)
            if again is not None and _way(again) == _way(step):
                found.setdefault(again.local, set()).update(values)
        return self._number(found)

    def comes_to(self, number: int, value: int, before: State, step: Step, access: int) -> bool:
        """Whether it would come to an access of a step, had it found a value."""
        for local, values in self._known[number]:
            if value in values:
                again = self._take(before, step, local)
                return again is not None and _way(again, access) == _way(step, access)
        return False

    def _number(self, found: Mapping[int, set[int]]) -> int:
        otherwise = tuple(
            (local, frozenset(found[local])) for local in sorted(found) if found[local]
        )
        if otherwise not in self._numbers:
            self._numbers[otherwise] = len(self._known)
            self._known.append(otherwise)
        return self._numbers[otherwise]

    def _kind(self, location: Location, value: int) -> object:
        """What must not change at a location while a thread refers to an object there."""
        held = self._machine.program.heap.values[value] if location.is_room else None
        return held.kind if held is not None else None

    def _places_of(self, before: State, step: Step) -> tuple[int, ...]:
        found = self._looked_at.get(id(step))
        if found is None:
            found = self._looked_at[id(step)] = self._steps.step(before, step.thread).looked_at
        return found

    def _take(
        self, before: State, step: Step, local: int, instead: Instead | None = None
    ) -> Step | None:
        """What the thread does in the place of a step, from another local state.

        None where it cannot go on, or looks at anything but what it looked at.
        """
        machine = self._machine
        if local == machine.local(before, step.thread) and instead is None:
            return step
        state = list(before)
        state[machine.locations + step.thread] = local
        looked_at = self._places_of(before, step)
        key: object = (id(step), local, instead)
        if len(step.accesses) == 1:
            if instead is not None:
                state[instead.place] = instead.value
            key = (
                step.thread,
                local,
                step.choices,
                *[(place, state[place]) for place in looked_at],
            )
        if key not in self._taken:
            self._taken[key] = take_again(machine, tuple(state), step, instead)
        found = self._taken[key]
        return found[0] if found is not None and {*looked_at}.issuperset(found[1]) else None


def _way(step: Step, access: int | None = None) -> _Way:
    """Which way a step goes: to an access, or to its end; () where it does not come there.

    The blocks and the accesses in order, and what is accessed.
    """
    assert step.flow is not None
    way, accesses = step.flow.way, step.accesses
    if access is not None:
        if access >= len(accesses):
            return ()
        way, accesses = way[: way.index(access) + 1], accesses[: access + 1]
    kinds = [(each.kind.name, each.kind.location, each.kind.part, each.order) for each in accesses]
    return (*way, *kinds)
