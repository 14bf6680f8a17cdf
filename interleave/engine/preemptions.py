"""Only the interleavings with few preemptions: those that show most violations, and soonest.

A preemption is a context switch away from a thread that could have gone on; away from one that
waits, or has ended, it is none. Whose turn it is, and how many preemptions there were by then, is
kept in a location of its own, which each step writes. So whatever searches, and looks through what
was found, has states and steps as always; there are only fewer of them.

Musuvathi and Qadeer: Iterative context bounding for systematic testing of multithreaded programs,
PLDI 2007.
"""

from __future__ import annotations

from interleave.engine.steps import Steps
from interleave.engine.stopping import Stop
from interleave.machine import Machine, Moves, State, Step
from interleave.memory.identity import ThreadId
from interleave.memory.port import Location
from interleave.program import Program

Turn = tuple[ThreadId, int]
"""Which thread has taken the last step, and how many preemptions there were."""

FIRST: Turn = (ThreadId(-1), 0)


class FewPreemptions:
    """At most so many preemptions. It is for one search, whose programs it adds a location to."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.left_out = False
        """Whether there was a step that was left out."""
        self._turn: Location | None = None

    def add_to(self, program: Program) -> None:
        """Have a program know whose turn it is. No machine has been made of it yet."""
        self._turn = program.heap.add_location("", 0, FIRST)

    def among(self, steps: Steps, machine: Machine) -> Steps:
        """Of the steps of a machine, those that are no preemption too many."""
        assert self._turn is not None
        self.left_out = False
        return _Few(self, steps, machine, self._turn)

    @property
    def stop(self) -> Stop | None:
        """That there are others, which were not looked at; None where there are not."""
        if not self.left_out:
            return None
        few = f"at most {self.most}" if self.most else "no"
        noun = "preemption" if self.most == 1 else "preemptions"
        return Stop("preemptions", f"looked only at interleavings with {few} {noun}")


class _Few:
    """Some of the `steps` of a machine, each of which also writes whose turn it is after it."""

    def __init__(self, few: FewPreemptions, steps: Steps, machine: Machine, turn: Location) -> None:
        self.learns = steps.learns
        self._few = few
        self._steps = steps
        self._machine = machine
        self._values = machine.program.heap.values
        self._turn = turn.index
        self._known: dict[tuple[int, Turn], Step] = {}
        """By the id of a step, which `steps` keeps, and the turn after it."""

    @property
    def learnt(self) -> int:
        """How many cases were learnt by running Python."""
        return self._steps.learnt

    @property
    def every(self) -> Steps:
        """All steps; these leave the turn as it is."""
        return self._steps

    def step(self, state: State, thread: int) -> Moves:
        """Every way in which a thread can go on. Raises what `Machine.step` raises."""
        moves = self._steps.step(state, thread)
        if not moves.steps:
            return moves
        last, preemptions = self._values[state[self._turn]]
        looked_at = [*moves.looked_at, self._turn]
        if last not in (FIRST[0], thread):
            interrupted = self._steps.step(state, last)
            looked_at += [self._machine.locations + last, *interrupted.looked_at]
            preemptions += bool(interrupted.steps)
        places = tuple(dict.fromkeys(looked_at))
        if preemptions > self._few.most:
            self._few.left_out = True
            return Moves(looked_at=places)
        turn = (ThreadId(thread), preemptions)
        steps = tuple([self._before_turn(turn, step) for step in moves.steps])
        return moves._replace(steps=steps, looked_at=places)

    def _before_turn(self, turn: Turn, step: Step) -> Step:
        known = self._known.get((id(step), turn))
        if known is None:
            write = (self._turn, self._values.id_of(turn))
            known = step._replace(writes=(*step.writes, write))
            self._known[id(step), turn] = known
        return known
