"""The native engine: the kernel explores, and Python teaches it what it does not know.

The numbering is that of the reference engine. Where the search stops in the middle of a round, at a
limit, at the first violation, or at an error in the model, that round is taken back and done again
by the reference engine, which stops at the right place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

import interleave.engine.native.passes  # noqa: F401 (so that graphs are asked by these)
from interleave.engine.advancing import advance
from interleave.engine.graph import SearchGraph
from interleave.engine.native import kernel, table
from interleave.engine.native.blocks import make_block
from interleave.engine.native.compiling import announced
from interleave.engine.native.forest import Forest
from interleave.engine.native.graph import NativeGraph
from interleave.engine.native.layout import Layout
from interleave.engine.native.space import Sizes
from interleave.engine.native.workers import Pace, Workers
from interleave.engine.observing import Limits, Observer
from interleave.engine.stopping import FIRST_VIOLATION, held_back
from interleave.interrupts import poll

PAUSE_AFTER = 1_500_000
"""Transitions after which the kernel comes back, so that progress can be shown: a fraction of a
second.
"""

LARGEST_SHARE = 1 << 13
"""States of a round for each worker at most."""

NO_LIMIT = 2**62

MOST_WORKERS = 32


class NativeSearch:
    """One search, from where the reference engine has come to."""

    def __init__(
        self,
        graph: SearchGraph,
        observers: Sequence[Observer],
        limits: Limits,
    ) -> None:
        self._observers = observers
        self._limits = limits
        self._sizes = graph.engine.sizes or Sizes()
        cores = os.cpu_count() or 1
        # Each has its own room; more than these would only wait for each other.
        self._workers = Workers(min(graph.engine.workers or cores, max(MOST_WORKERS, cores)))
        program = graph.machine.program
        first = graph.machine.locations
        self._threads = [first + thread.number for thread in program.threads]
        groups: list[object] = [location.key for location in program.heap.changing]
        groups += [(thread.method,) for thread in program.threads]
        if graph.product is not None:
            groups += ["held"] * len(graph.product.followers)
        self._layout = Layout(groups, self._threads)
        self._predicates = [each for observer in observers for each in observer.predicates]
        if graph.product is not None:
            self._predicates += graph.product.predicates
        asked = [each.pairs for each in (*observers, graph.product) if each and each.pairs]
        self._forest = Forest(
            self._layout,
            self._threads,
            program.awaited,
            self._predicates,
            lambda step: chain.from_iterable(each.watched(step) for each in observers),
            graph.product,
            asked[0] if asked else None,
        )
        self.graph = NativeGraph(
            graph, self._layout, self._forest, self._workers.count, self._sizes, self._workers
        )
        # What was told, and what is still to tell: marks with the state and the step that met them
        # first; states without a transition; properties with the first state they fail in.
        self._told: set[int] = set()
        self._met: dict[int, tuple[int, int]] = {}
        self._dead: set[tuple[int, ...]] = set()
        self._ended: Any = np.empty(0, np.int64)
        self._failed: set[int] = set()
        self._failing: dict[int, int] = {}
        self._progress: Any = np.zeros(5, np.int64)
        """As `kernel.rounds` has it."""
        self._take_over()
        self._pace = Pace(self._workers.count)
        self._seen = 0
        """Rounds that were looked at."""
        self._counts: Any = np.zeros(self._workers.count * kernel.TALLY, np.int64)
        self._block: Any = None
        self._found: Any = None
        self._shape: tuple[int, ...] = ()
        self._by_python = [(0, graph.expanded)]
        """States that the kernel has not expanded: from one to another."""
        self._prepare()
        with announced():
            self._look_at(0, 0)  # has the kernel compiled, or loaded

    def _look_at(self, begin: int, size: int) -> int:
        """See whether all cases of some states are known: LEARN or DONE."""
        space, trees = self.graph.packed.space, self._forest.trees
        progress = np.array([begin, 0, 0, 0, 0], np.int64)
        limits = (size, 0, 0, 0, 0, 0, False)
        return int(
            kernel.rounds(kernel.ALL, space, trees, self._block, self._found, progress, *limits)
        )

    # The loop

    def run(self) -> None:
        """Search to the end, or to a limit. Raises what `Machine.step` raises."""
        guard = self.graph.guard
        try:
            with guard.phase() as phase:
                while self.graph.stop is None and self._go_on():
                    pass
                self._tell_changes()
                if self.graph.stop is None:
                    self._learn_rest()
            if phase.stop is not None:
                # Whatever was under way is taken back.
                with guard.finishing():
                    self.graph.truncate(int(self._progress[2]))
                    self._prepare()
                    self._tell()
                    self._tell_changes()
        finally:
            self._workers.close()

    def _go_on(self) -> bool:
        """Rounds until Python is needed, and what it is needed for. False at the end."""
        limits = self._limits
        by_level = limits.by_level or limits.first_violation
        begin, _, _, _, rounds = self._progress.tolist()
        if by_level and begin == self.graph.level_end and rounds == self._seen:
            self._tell()
            self._tell_changes()
            if any([o.on_level(self.graph) for o in self._observers]):  # noqa: C419 (ask them all)
                self.graph.stop = FIRST_VIOLATION
                return False
            self.graph.guard.poll()  # what they do may have been cut short
            self.graph.level_end = len(self.graph)
        reason = self._rounds(self.graph.level_end if by_level else NO_LIMIT)
        if self.graph.engine.progress is not None:
            self.graph.engine.progress(self.graph)
        if reason == kernel.LEARN:
            self._learn()
        elif reason == kernel.GROW:
            self._make_room()
        elif reason == kernel.FULL or (limits.first_violation and self._may_have_violations()):
            self._replay()
        else:
            self._seen = int(self._progress[4])
            self._tell()
        if reason == kernel.DONE:
            return False
        if self.graph.stop is None:
            self.graph.guard.poll()
        return True

    def _rounds(self, until: int) -> int:
        """Rounds until Python is needed, or state `until` would be expanded. Gives the reason."""
        begin, _, count, transitions, _ = self._progress.tolist()
        chunk = self._share() * self._workers.count
        enough = transitions + PAUSE_AFTER
        # One at a time where it may be the last.
        most_rounds = self._seen + 1 if self._limits.first_violation else NO_LIMIT
        limit = min(self._limits.states or NO_LIMIT, NO_LIMIT)
        started = time.perf_counter()
        parallel = (
            transitions >= self._sizes.shared_from
            and min(until, count) - begin >= chunk
            and self._pace.parallel()
        )
        arguments = (
            self.graph.packed.space,
            self._forest.trees,
            self._block,
            self._found,
            self._progress,
            chunk,
            until,
            enough,
            most_rounds,
            limit,
            self.graph.packed.most_entered,
            True,
        )
        with held_back():  # workers wait for each other
            if parallel:
                self._found.meeting[:] = 0
                reason, *_ = self._workers(kernel.rounds, *arguments)
            else:
                reason = kernel.rounds(kernel.ALL, *arguments)
        seconds = time.perf_counter() - started
        self.graph.spent.kernel += seconds
        self._follow()
        self._pace.note(parallel, self.graph.transitions - transitions, seconds)
        return int(reason)

    # Learning

    def _learn(self) -> None:
        """Run the Python code of the cases that the last round missed."""
        self._forget_events()
        threads = len(self._threads)
        rows = self._found.missed.reshape(self._workers.count, -1, 4)
        missed = [
            case
            for row, count in zip(rows, self._tally(kernel.MISSED).tolist(), strict=True)
            for case in row[:count].tolist()
        ]
        for number, tree, step, follower in sorted(missed):
            poll()
            state = self.graph.state(number)
            if self._forest.knows(state, tree, step, follower):
                continue
            try:
                if step >= 0:
                    self._forest.learn_follower(follower, step, state)
                elif tree < threads:
                    self._forest.learn_moves(tree, state, self.graph.step(state, tree))
                else:
                    fails, looked_at = self._predicates[tree - threads].look(state)
                    self._forest.learn_property(tree - threads, state, looked_at, fails=fails)
            except Exception:
                # The reference engine comes by the same case, unless something stops it before.
                if tree < threads:
                    self._by_reference(until=number + 1)
                else:
                    self._replay()
                if self.graph.stop is not None:
                    return
                raise
        self._tally(kernel.MISSED)[:] = 0
        self._found.asked[:] = 0
        if not self._forest.fits:
            self._tell_changes()
            self.graph.packed.repack(len(self.graph), self._workers)
        self._prepare()

    def _forget_events(self) -> None:
        """Forget what was noted in a round that is done again.

        A pair may be met in it sooner, in a state of which not all was known.
        """
        found, begin = self._found, int(self._progress[0])
        events = found.events.reshape(self._workers.count, -1, 3)
        seen = found.seen.reshape(self._workers.count, -1)
        counts = self._tally(kernel.EVENTS)
        for worker, count in enumerate(counts.tolist()):
            noted = events[worker, :count]
            stay = noted[:, 1] < begin
            seen[worker, noted[~stay, 0]] = 0
            counts[worker] = stay.sum()
            events[worker, : counts[worker]] = noted[stay]

    def _learn_rest(self) -> None:
        """Teach the trees what only the reference engine has come by, so that they know it all."""
        for begin, end in self._by_python:
            while begin < end:
                size = min(end - begin, self._share())
                if self._look_at(begin, size) == kernel.LEARN:
                    self._learn()
                else:
                    begin += size
        self._tally(kernel.EVENTS)[:] = 0  # they were told

    def _make_room(self) -> None:
        self._follow()
        more = self._workers.count * self._found.room
        self.graph.packed.make_room(self.graph.count, more, self._workers)
        self._prepare()

    # Taking back

    def _replay(self) -> None:
        """Take the last round back, and have the reference engine do it."""
        end = int(self._progress[0])
        begin, count, transitions = self._found.last.tolist()
        self._progress[:4] = begin, count, count, transitions
        self.graph.truncate(count)
        self._by_reference(until=end)

    def _by_reference(self, *, until: int) -> None:
        """Go on to some state by the reference engine, from where no round is under way."""
        self._tell()
        self._tell_changes()
        try:
            advance(self.graph, self._observers, self._limits, until=until)
        finally:  # also where it is cut short: it has told of what it has come by
            self._by_python.append((int(self._progress[0]), self.graph.expanded))
            self._take_over()
            self._seen = int(self._progress[4])
        self._prepare()

    def _take_over(self) -> None:
        """Go on from where the reference engine has come to."""
        graph = self.graph
        # It told of what fails; but where paths end at what fails, trees must know that as well.
        clean = graph.product is not None and graph.product.clean
        judged = int(self._progress[1]) if clean else len(graph)
        self._progress[:4] = graph.expanded, judged, len(graph), graph.transitions

    # Telling

    def _follow(self) -> None:
        """Bring the graph up to what the kernel has done."""
        graph = self.graph
        graph.expanded, _, graph.count, graph.transitions, _ = self._progress.tolist()
        graph.leads_back |= bool(self._tally(kernel.BACKWARD).any())
        graph.cyclic |= bool(self._tally(kernel.CYCLIC).any())

    def _collect(self) -> None:
        """Empty the rows in which the workers note what is new."""
        found = self._found
        count = self._workers.count
        events = found.events.reshape(count, -1, 3)
        for row, length in zip(events, self._tally(kernel.EVENTS).tolist(), strict=True):
            for mark, number, step in row[:length].tolist():
                if mark not in self._told:
                    known = self._met.get(mark, (number, step))
                    self._met[mark] = min(known, (number, step))
        ends = found.ends.reshape(count, -1)
        parts = [
            row[:length]
            for row, length in zip(ends, self._tally(kernel.ENDS).tolist(), strict=True)
        ]
        self._ended = np.sort(np.concatenate([self._ended, *parts]))
        failed = found.failed.reshape(count, -1)
        for each in range(len(self._predicates)):
            numbers = failed[:, each][failed[:, each] >= 0].tolist()
            if numbers and each not in self._failing:
                self._failing[each] = min(numbers)
        found.failed[:] = -1
        self._tally(kernel.EVENTS)[:] = 0
        self._tally(kernel.ENDS)[:] = 0

    def _tell(self) -> None:
        """Tell the observers what is new, of what is not taken back."""
        self._follow()
        self._collect()
        graph, steps = self.graph, self._forest.steps
        begin, count = graph.expanded, len(graph)
        for each in sorted(set(self._failing.values())):
            if each < count:
                state = graph.state(each)
                for observer in self._observers:
                    observer.on_state(each, state)
        self._failed |= {each for each, number in self._failing.items() if number < count}
        self._failing = {}
        met = sorted(
            (number, *self._order_of(step), mark, step)
            for mark, (number, step) in self._met.items()
            if number < begin
        )
        for number, *_, mark, step in met:
            self._told.add(mark)
            state = graph.state(number)
            for observer in self._observers:
                if step >= 0:
                    observer.on_transition(number, state, steps[step])
                elif observer.pairs is not None:
                    observer.on_expanded(number, state)
        self._met = {}
        ended = self._ended[self._ended < begin]
        graph.ended.frombytes(ended.tobytes())
        for number in self._dead_ends(ended):
            state = graph.state(number)
            for observer in self._observers:
                observer.on_end(number, state)
        self._ended = np.empty(0, np.int64)

    def _order_of(self, step: int) -> tuple[int, int]:
        """When a step is told of among all that is of its state; -1 for a pair, the last."""
        if step < 0:
            return len(self._threads), 0
        return self._forest.steps[step].thread, self._forest.ranks[step]

    def _dead_ends(self, ended: Any) -> list[int]:
        """Those of some ends that are not final, and wait for what none before them waited for."""
        packed = self.graph.packed
        words = packed.words_of(ended)
        dead = ended[(words & self._forest.unfinished).any(axis=1)]
        leaves = np.empty((len(dead), len(self._threads)), np.int64)
        kernel.leaves(packed.space, self._forest.trees, dead, leaves)
        new = []
        for number, signature in zip(dead.tolist(), map(tuple, leaves.tolist()), strict=True):
            if signature not in self._dead:
                self._dead.add(signature)
                new.append(number)
        return new

    def _may_have_violations(self) -> bool:
        """Whether the last round may have seen a violation. (Some may have been seen before.)"""
        self._collect()
        steps = self._forest.steps
        if any(each not in self._failed for each in self._failing):
            return True
        if any(step < 0 or steps[step].failure is not None for _, step in self._met.values()):
            return True
        dead = set(self._dead)
        try:
            return bool(self._dead_ends(self._ended))
        finally:
            self._dead = dead

    def _tell_changes(self) -> None:
        """Tell the observers what they watched and under which local states it changed."""
        rows = self._found.under.reshape(self._workers.count, -1)
        found = self._forest.changed_under(rows.any(axis=0))
        rows[:] = 0
        for observer in self._observers:
            observer.on_changed_under(found)

    # Room

    def _tally(self, what: int) -> Any:
        """What the workers counted of something, by worker."""
        return self._counts.reshape(-1, kernel.TALLY)[:, what]

    def _share(self) -> int:
        """States of a round for each worker."""
        if self._sizes.chunk is not None:
            return self._sizes.chunk
        return max(1, min(LARGEST_SHARE, self._found.room // self._forest.most_steps))

    @held_back()
    def _prepare(self) -> None:
        """Make room for rounds, as layout and trees are now."""
        if self._forest.version != self._layout.version:
            self._forest.build()
        workers = self._workers.count
        words = self.graph.packed.words
        share = self._sizes.chunk or 1
        room = max(self._sizes.room, self._forest.most_steps * share)
        events_room = 64
        while events_room < self._forest.marks:
            events_room *= 2
        under_room = self._forest.under_room + table.LINE  # no two workers write into one line
        shape = (workers, words, room, self._forest.most_steps, events_room, under_room)
        if shape == self._shape:
            return
        if self._shape:
            self._collect()
            self._tell_changes()
        self._shape = shape
        block = make_block(workers, words, len(self._threads), self._forest.most_steps, room)
        properties = len(self._predicates)
        missed_room = max(LARGEST_SHARE, share) * len(self._threads) + 1024 * properties
        ends_room = 4 * workers * max(LARGEST_SHARE, share)
        seen = np.zeros((workers, events_room), np.uint8)
        seen[:, list(self._told | self._met.keys())] = 1
        self._block = block
        self._found = kernel.Round(
            room=room,
            watched=np.empty(workers * block.room, np.int32),
            tally=self._counts,
            missed=np.empty(workers * missed_room * 4, np.int64),
            missed_room=missed_room,
            asked=np.zeros(workers * kernel.ASKED, np.uint64),
            ends=np.empty(workers * ends_room, np.int64),
            ends_room=ends_room,
            events=np.empty(workers * events_room * 3, np.int64),
            seen=seen.reshape(-1),
            events_room=events_room,
            new_states=np.empty(workers * room * words, np.uint64),
            new_entries=np.empty(workers * room, np.int64),
            finders=np.empty(workers * room, np.int64),
            claims=np.empty(workers * room, np.int64),
            claim_sources=np.empty(workers * room, np.int64),
            about=np.zeros(workers * (len(self._threads) + table.LINE // 8), np.int64),
            about_room=len(self._threads) + table.LINE // 8,
            under=np.zeros(workers * under_room, np.uint8),
            under_room=under_room,
            failed=np.full(workers * properties, -1, np.int64),
            last=np.zeros(3, np.int64),
            meeting=np.zeros(1, np.int64),
        )
        rooms = [each for each in (*block, *self._found) if isinstance(each, np.ndarray)]
        self.graph.other_bytes = self._forest.bytes + sum(each.nbytes for each in rooms)
