"""Whether a thread would have come by the same way, had one of its reads found something else.

The thread that read something else is followed beside the one that there is, step by step, for each
value that it might have found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from interleave.engine.trees import LearntSteps
from interleave.machine import Machine, State, Step
from interleave.machine.again import Instead, take_again
from interleave.machine.step import AccessRecord
from interleave.memory.port import Location

Otherwise = tuple[tuple[int, int], ...]
"""Values that a read might have found, each with the local state that the thread would be in now;
those only with which it would have come by the same way.
"""


class RunsAgain:
    """Steps taken again, each worked out once. `values` has what may be at places of a state.

    Steps must be those of `learnt`, which keeps them: they are known by identity.
    """

    def __init__(
        self, machine: Machine, learnt: LearntSteps, values: Mapping[int, Iterable[int]]
    ) -> None:
        self._machine = machine
        self._learnt = learnt
        self._values = values
        self._taken: dict[object, tuple[Step, tuple[int, ...]] | None] = {}

    def begin(self, before: State, step: Step, access: int, location: Location) -> Otherwise:
        """What comes of a step if an access of it finds other values at a location."""
        local = self._machine.local(before, step.thread)
        found = []
        for value in self._values.get(location.index, ()):
            if not self._is_alike(location, value, before[location.index]):
                continue
            instead = Instead(access, location.index, value)
            again = self._take(before, step, local, instead)
            if again is not None and _is_same(step, again):
                found.append((value, again.local))
        return tuple(found)

    def go_on(self, otherwise: Otherwise, before: State, step: Step) -> Otherwise:
        """What comes of it after one more step of the thread."""
        found = []
        for value, local in otherwise:
            again = self._take(before, step, local)
            if again is not None and _is_same(step, again):
                found.append((value, again.local))
        return tuple(found)

    def comes_to(
        self, otherwise: Otherwise, value: int, before: State, step: Step, access: int
    ) -> bool:
        """Whether the thread would have come to an access of a step, had it found a value."""
        local = dict(otherwise).get(value)
        if local is None:
            return False
        again = self._take(before, step, local)
        return again is not None and _is_same(step, again, access)

    def _is_alike(self, location: Location, value: int, other: int) -> bool:
        """Whether two values can be at a location while a thread refers to the object there."""
        if not location.is_room:
            return True
        values = self._machine.program.heap.values
        one, two = values[value], values[other]
        return one is not None and two is not None and one.kind == two.kind

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
        looked_at = self._learnt.step(before, step.thread).looked_at
        if len(step.accesses) > 1:
            key: object = (id(step), local, instead)
        else:
            if instead is not None:
                state[instead.place] = instead.value
            key = (step.thread, local, step.choices, *((at, state[at]) for at in looked_at))
        if key not in self._taken:
            self._taken[key] = take_again(machine, tuple(state), step, instead)
        found = self._taken[key]
        return found[0] if found is not None and {*looked_at}.issuperset(found[1]) else None


def _is_same(one: Step, other: Step, access: int | None = None) -> bool:
    """Whether two steps go the same way: as far as an access, or to the end."""
    assert one.flow is not None
    assert other.flow is not None
    way, others = one.flow.way, other.flow.way
    accesses = len(one.accesses)
    if access is not None:
        way, others = (
            each[: each.index(access) + 1] if access in each else () for each in (way, others)
        )
        accesses = access + 1
    return way == others and [_what(each) for each in one.accesses[:accesses]] == [
        _what(each) for each in other.accesses[:accesses]
    ]


def _what(access: AccessRecord) -> tuple[object, ...]:
    kind = access.kind
    return (kind.name, kind.location, kind.part, access.order)
