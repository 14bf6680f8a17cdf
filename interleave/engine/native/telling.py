"""Telling the observers what the kernel has noted: what is new, in the order of a search by one.

What is told is never taken back. So of a round that may still be taken back, nothing is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from interleave.engine.native import kernel
from interleave.engine.native.forest import Forest
from interleave.engine.native.graph import NativeGraph
from interleave.engine.native.round import ENDS, EVENTS, Room
from interleave.engine.observing import Observer


class Telling:
    """What was told, and what is still to be told."""

    def __init__(
        self, graph: NativeGraph, forest: Forest, observers: Sequence[Observer], room: Room
    ) -> None:
        self._graph = graph
        self._forest = forest
        self._observers = observers
        self._room = room
        self._told: set[int] = set()
        """Marks."""
        self._met: dict[int, tuple[int, int]] = {}
        """Marks that are still to be told of: the state and the step that first met each."""
        self._ended: Any = np.empty(0, np.int64)
        """States without a transition, still to be told of."""
        self._waiting: set[tuple[int, ...]] = set()
        """What the threads do in those that were told of, by the leaves of their trees."""
        self._failed: set[int] = set()
        """Properties."""
        self._failing: dict[int, int] = {}
        """Properties that are still to be told of: the first state that each fails in."""

    @property
    def marks(self) -> list[int]:
        """Those that the kernel need not note any more."""
        return [*self._told, *self._met]

    def collect(self) -> None:
        """Empty the rows in which the workers note what is new."""
        room, found = self._room, self._room.found
        for row in room.rows(found.events, EVENTS, 3):
            for mark, number, step in row.tolist():
                if mark not in self._told:
                    self._met[mark] = min(self._met.get(mark, (number, step)), (number, step))
        ends = [row.reshape(-1) for row in room.rows(found.ends, ENDS, 1)]
        self._ended = np.sort(np.concatenate([self._ended, *ends]))
        failed = found.failed.reshape(room.workers, -1)
        for each in range(failed.shape[1]):
            numbers = failed[:, each][failed[:, each] >= 0].tolist()
            if numbers and each not in self._failing:
                self._failing[each] = min(numbers)
        found.failed[:] = -1
        room.tally(EVENTS)[:] = 0
        room.tally(ENDS)[:] = 0

    def tell(self) -> None:
        """Tell the observers what is new in the graph as it is."""
        self.collect()
        self._tell_failures()
        self._tell_marks()
        self._tell_ends()

    def _tell_failures(self) -> None:
        count = len(self._graph)
        for number in sorted(set(self._failing.values())):
            if number < count:
                state = self._graph.state(number)
                for observer in self._observers:
                    observer.on_state(number, state)
        self._failed |= {each for each, number in self._failing.items() if number < count}
        self._failing = {}

    def _tell_marks(self) -> None:
        met = sorted(
            (number, *self._order_of(step), mark, step)
            for mark, (number, step) in self._met.items()
            if number < self._graph.expanded
        )
        for number, *_, mark, step in met:
            self._told.add(mark)
            state = self._graph.state(number)
            for observer in self._observers:
                if step >= 0:
                    observer.on_transition(number, state, self._forest.steps[step])
                elif observer.pairs is not None:
                    observer.on_expanded(number, state)
        self._met = {}

    def _order_of(self, step: int) -> tuple[int, int]:
        """When a step is told of among all that is of its state; -1 for a pair, the last."""
        if step < 0:
            return len(self._forest.threads), 0
        return self._forest.steps[step].thread, self._forest.ranks[step]

    def _tell_ends(self) -> None:
        ended = self._ended[self._ended < self._graph.expanded]
        self._graph.ended.frombytes(ended.tobytes())
        new, self._waiting = self._deadlocks(ended)
        for number in new:
            state = self._graph.state(number)
            for observer in self._observers:
                observer.on_end(number, state)
        self._ended = np.empty(0, np.int64)

    def _deadlocks(self, ended: Any) -> tuple[list[int], set[tuple[int, ...]]]:
        """Those of some ends that are not final, and wait for what none before them waited for.

        With it, what was waited for by then.
        """
        words = self._graph.packed.words_of(ended)
        unfinished = (words & self._forest.unfinished).any(axis=1)
        dead, words = ended[unfinished], np.ascontiguousarray(words[unfinished])
        leaves = np.empty((len(dead), len(self._forest.threads)), np.int64)
        kernel.leaves(self._forest.trees, words.reshape(-1), words.shape[1], leaves.reshape(-1))
        new, known = [], set(self._waiting)
        for number, signature in zip(dead.tolist(), map(tuple, leaves.tolist()), strict=True):
            if signature not in known:
                known.add(signature)
                new.append(number)
        return new, known

    def may_have_violations(self) -> bool:
        """Whether the last round may have seen a violation. (Some may have been seen before.)"""
        self.collect()
        steps = self._forest.steps
        if any(each not in self._failed for each in self._failing):
            return True
        if any(step < 0 or steps[step].failure is not None for _, step in self._met.values()):
            return True
        return bool(self._deadlocks(self._ended)[0])

    def forget_from(self, begin: int) -> None:
        """Forget what was noted of the states from one on, as they are expanded again.

        A pair may be met sooner then: in a state of which not all was known.
        """
        room, found = self._room, self._room.found
        events = found.events.reshape(room.workers, -1, 3)
        seen = found.seen.reshape(room.workers, -1)
        counts = room.tally(EVENTS)
        for worker, noted in enumerate(room.rows(found.events, EVENTS, 3)):
            stay = noted[:, 1] < begin
            seen[worker, noted[~stay, 0]] = 0
            counts[worker] = stay.sum()
            events[worker, : counts[worker]] = noted[stay]

    def forget_events(self) -> None:
        """Forget marks that were noted again."""
        self._room.tally(EVENTS)[:] = 0

    def tell_changes(self) -> None:
        """Tell the observers what they watched and under which local states it changed."""
        rows = self._room.found.under.reshape(self._room.workers, -1)
        found = self._forest.changed_under(rows.any(axis=0))
        rows[:] = 0
        for observer in self._observers:
            observer.on_changed_under(found)
