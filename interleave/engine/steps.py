"""What threads can do in a state: run each time, or learnt once and then looked up.

Steps that are equal are one object, whoever gives them, so that what is made of a step can be kept
by its identity. All of them have their `flow`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol

from interleave.machine import Machine, Moves, State, Step
from interleave.machine.trees import DecisionTree


class Steps(Protocol):
    """All steps of all threads of a machine."""

    learns: bool
    """Whether what was run once is looked up from then on; what properties say, too."""

    @property
    def learnt(self) -> int:
        """How many cases were learnt by running Python."""
        ...

    @property
    def every(self) -> Steps:
        """The same, where these are only some of the steps there are; else these."""
        ...

    def step(self, state: State, thread: int) -> Moves:
        """Every way in which a thread can go on. Raises what `Machine.step` raises."""
        ...


class RunSteps:
    """`Machine.step`, run for each state: those of the reference engine.

    What was run is looked up for a state that is the same in full, never for one that looks the
    same to a thread. A tree says which cases were run before, so that the net looks at what runs
    once for each case; what a step does is not taken from it.
    """

    learns = False
    learnt = 0

    @property
    def every(self) -> Steps:
        return self

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._width = machine.locations + len(machine.program.threads)
        self._run: list[dict[State, Moves]] = [{} for _ in machine.program.threads]
        self._seen: dict[tuple[int, int], DecisionTree[bool]] = {}
        self._known: dict[Hashable, Moves] = {}
        """The first of equal moves."""

    def step(self, state: State, thread: int) -> Moves:
        """Every way in which a thread can go on. Raises what `Machine.step` raises."""
        run, state = self._run[thread], state[: self._width]  # what is held in it decides nothing
        found = run.get(state)
        if found is None:
            found = run[state] = self._first_of_equal(state, thread)
        return found

    def _first_of_equal(self, state: State, thread: int) -> Moves:
        local = self._machine.local(state, thread)
        tree = self._seen.setdefault((thread, local), DecisionTree())
        is_new = tree.find(state) is None
        found = self._machine.step(state, thread, explain=is_new, watched=is_new)
        if is_new:
            tree.learn(state, found.looked_at, True)
        looked_at = tuple([(place, state[place]) for place in found.looked_at])
        key = (thread, local, looked_at, found.blocked, tuple(map(_result, found.steps)))
        known = self._known.get(key)
        if known is None:
            if not is_new:  # it does not do what it did in the same case before
                found = self._machine.step(state, thread, explain=True)
            known = self._known[key] = found
        return known


def _result(step: Step) -> Hashable:
    """What two steps of one case have in common where they are equal."""
    failed = step.failure and step.failure.said
    return (step.writes, step.starts, step.local, failed)


class LearntSteps:
    """`Machine.step`, remembered: those of all other engines."""

    learns = True

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._trees: list[dict[int, DecisionTree[Moves]]] = [{} for _ in machine.program.threads]
        self.learnt = 0

    @property
    def every(self) -> Steps:
        return self

    def step(self, state: State, thread: int) -> Moves:
        """Every way in which a thread can go on. Raises what `Machine.step` raises."""
        trees = self._trees[thread]
        local = self._machine.local(state, thread)
        tree = trees.get(local)
        if tree is None:
            tree = trees[local] = DecisionTree()
        found = tree.find(state)
        if found is None:
            found = self._machine.learn(state, thread)
            tree.learn(state, found.looked_at, found)
            self.learnt += 1
        return found
