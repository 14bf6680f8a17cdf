"""Looking ahead: what else a program lacks, as far as one interleaving shows it.

A search that finds its program lacking begins again, and all that it has learnt is gone. Where that
has happened more than once, it pays to let the threads run one after the other, with nothing looked
at but what they lack. Whatever such a run comes by, the search would come by too: it is one of the
interleavings, and a thread that lacks something is left where it is, as if it had no turn any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from interleave.errors import EndlessLoop, ModelError
from interleave.machine import Machine, State
from interleave.program import Discoveries, MoreRooms, Program, Restart, RoomOwner, Written

MOST_STEPS = 500
"""Steps of one interleaving that are taken at most."""

_MANY_ROOMS = 4
"""So many more objects than before there is room for, where there was too little: those that are
not needed are left out in the end.
"""


def look_ahead(make: Callable[[Discoveries], Program], known: Discoveries) -> None:
    """Add to `known` what more the program lacks, by way of one interleaving.

    `make` makes programs in which all variables change, so that one of them shows all that are
    written. Left out is what is kept in the order in which the search comes by it (see
    `Restart.is_ordered`), and what the threads lack once they have that.
    """
    ahead = known.with_written(frozenset())
    needed = Counter(known.rooms)
    while True:
        lacking: list[Restart] = []
        try:
            run = _Interleaving(Machine(make(ahead)))
            run.go_on()
            lacking += [*map(Written, run.written()), *run.lacking]
            needed |= run.rooms()
        except Restart as restart:
            lacking.append(restart)
        except ModelError:  # the search comes by it
            break
        new = [each for each in lacking if not each.is_ordered]
        for each in new:
            each.add_to(ahead)
            if isinstance(each, MoreRooms):
                ahead.rooms[each.key] = 2 * ahead.rooms[each.key] + _MANY_ROOMS
        if not new:
            break
    known.written, known.method_names = ahead.written, ahead.method_names
    known.attributes = ahead.attributes
    known.swallowing, known.rooms = ahead.swallowing, needed


class _Interleaving:
    """Threads that run one after the other, each for as long as it can go on."""

    def __init__(self, machine: Machine) -> None:
        self.lacking: list[Restart] = []
        """What threads lack, at most one thing for each of them."""
        self._machine = machine
        self._steps = 0

    def rooms(self) -> Counter[RoomOwner]:
        """How many objects there ever was need of room for."""
        heap = self._machine.program.heap
        numbers: Counter[RoomOwner] = Counter()
        needed: Counter[RoomOwner] = Counter()
        for room in heap.rooms:  # the first one that is free is taken
            numbers[room.key] += 1
            if room in heap.taken:
                needed[room.key] = numbers[room.key]
        return needed

    def written(self) -> list[str]:
        """The keys of locations that were written, and would have been taken for constants.

        What is in a variable that is written is known by another key in a program that knows that.
        """
        program = self._machine.program
        found = [each for each in program.findings.written if each in program.heap.supposed]
        beneath = tuple(f"{each}{mark}" for each in found for mark in ".[")
        return [each for each in found if not each.startswith(beneath)]

    def go_on(self) -> None:
        """Run them until none can go on. Raises `ModelError`."""
        state = self._machine.initial()[0]
        waiting = [*range(len(self._machine.program.threads))]
        moved = True
        while moved:
            moved = False
            for thread in [*waiting]:
                before = state
                try:
                    state = self._run(state, thread)
                except Restart as restart:
                    self.lacking.append(restart)
                    waiting.remove(thread)
                except EndlessLoop:  # it waits for what another one may write
                    waiting.remove(thread)
                moved |= state != before
            moved &= self._steps < MOST_STEPS

    def _run(self, state: State, thread: int) -> State:
        """The state in which a thread cannot go on."""
        seen = {state}
        while self._steps < MOST_STEPS:
            steps = self._machine.step(state, thread, twice=False).steps
            if not steps:
                break
            self._steps += 1
            state = self._machine.after(state, steps[0])
            if state in seen:
                break
            seen.add(state)
        return state
