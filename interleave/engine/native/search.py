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

import interleave.engine.native.passes  # noqa: F401 (so that graphs are asked by these)
from interleave.engine.advancing import advance
from interleave.engine.graph import SearchGraph
from interleave.engine.native import kernel
from interleave.engine.native.forest import Forest
from interleave.engine.native.graph import NativeGraph
from interleave.engine.native.round import BACKWARD, CYCLIC, NO_LIMIT, Bounds, Progress, Room
from interleave.engine.native.store.layout import Layout
from interleave.engine.native.store.states import Sizes
from interleave.engine.native.telling import Telling
from interleave.engine.native.workers import Pace, Workers
from interleave.engine.observing import Limits, Observer
from interleave.engine.stopping import FIRST_VIOLATION, held_back
from interleave.interrupts import poll

PAUSE_AFTER = 1_500_000
"""Transitions after which the kernel comes back, so that progress can be shown: a fraction of a
second.
"""

MOST_WORKERS = 32


class NativeSearch:
    """One search, from where the reference engine has come to."""

    def __init__(self, graph: SearchGraph, observers: Sequence[Observer], limits: Limits) -> None:
        self._observers = observers
        self._limits = limits
        self._sizes = graph.engine.sizes or Sizes()
        cores = os.cpu_count() or 1
        # Each has its own room; more than these would only wait for each other.
        self._workers = Workers(min(graph.engine.workers or cores, max(MOST_WORKERS, cores)))
        workers = self._workers.count
        program, product = graph.machine.program, graph.product
        self._threads = [graph.machine.locations + thread.number for thread in program.threads]
        groups: list[object] = [location.key for location in program.heap.changing]
        groups += [(thread.method,) for thread in program.threads]
        if product is not None:
            groups += ["held"] * len(product.followers)
        self._layout = Layout(groups, self._threads)
        self._predicates = [each for observer in observers for each in observer.predicates]
        if product is not None:
            self._predicates += product.predicates
        asked = [each.pairs for each in (*observers, product) if each and each.pairs]
        self._forest = Forest(
            self._layout,
            self._threads,
            program.awaited,
            self._predicates,
            lambda step: chain.from_iterable(each.watched(step) for each in observers),
            product,
            asked[0] if asked else None,
        )
        self.graph = NativeGraph(
            graph, self._layout, self._forest, workers, self._sizes, self._workers
        )
        self._room = Room(workers, self._sizes, len(self._threads), len(self._predicates))
        self._telling = Telling(self.graph, self._forest, observers, self._room)
        self._progress = Progress(0, 0, 0, 0, 0)
        self._seen = 0
        """Rounds of which the observers were told."""
        self._by_python = [(0, graph.expanded)]
        """States that the kernel has not expanded: from one to another."""
        self._pace = Pace(workers)
        self._take_over()
        self._prepare()
        self._look_at(0, 0)  # has the kernel loaded, or compiled

    # The loop

    def run(self) -> None:
        """Search to the end, or to a limit. Raises what `Machine.step` raises."""
        guard = self.graph.guard
        try:
            with guard.phase() as phase:
                while self.graph.stop is None and self._go_on():
                    pass
                self._telling.tell_changes()
                if self.graph.stop is None:
                    self._learn_rest()
            if phase.stop is not None:
                # Whatever was under way is taken back.
                with guard.finishing():
                    self.graph.truncate(self._progress.states)
                    self._prepare()
                    self._tell()
                    self._telling.tell_changes()
        finally:
            self._workers.close()

    def _go_on(self) -> bool:
        """Rounds until Python is needed, and what it is needed for. False at the end."""
        limits, graph = self._limits, self.graph
        by_level = limits.by_level or limits.first_violation
        at_level = self._progress.expanded == graph.level_end
        if by_level and at_level and self._progress.rounds == self._seen:
            self._tell()
            self._telling.tell_changes()
            if any([o.on_level(graph) for o in self._observers]):  # noqa: C419 (ask them all)
                graph.stop = FIRST_VIOLATION
                return False
            graph.guard.poll()  # what they do may have been cut short
            graph.level_end = len(graph)
        reason = self._rounds(graph.level_end if by_level else NO_LIMIT)
        if graph.engine.progress is not None:
            graph.engine.progress(graph)
        if reason == kernel.LEARN:
            self._learn()
        elif reason == kernel.GROW:
            self._make_room()
        elif reason == kernel.FULL or (
            limits.first_violation and self._telling.may_have_violations()
        ):
            self._replay()
        else:
            self._seen = self._progress.rounds
            self._tell()
        if reason == kernel.DONE:
            return False
        if graph.stop is None:
            graph.guard.poll()
        return True

    def _rounds(self, until: int) -> int:
        """Rounds until Python is needed, or state `until` would be expanded. Gives the reason."""
        before, limits = self._progress, self._limits
        bounds = Bounds(
            chunk=self._room.share * self._workers.count,
            until=until,
            transitions=before.transitions + PAUSE_AFTER,
            # One at a time where it may be the last.
            rounds=self._seen + 1 if limits.first_violation else NO_LIMIT,
            states=min(limits.states or NO_LIMIT, NO_LIMIT),
        )
        started = time.perf_counter()
        parallel = (
            before.transitions >= self._sizes.shared_from
            and min(until, before.states) - before.expanded >= bounds.chunk
            and self._pace.parallel()
        )
        room = self._room
        arguments = (
            *(self.graph.packed.space, room.fresh, self._forest.trees, room.block, room.found),
            *(before, bounds, True),
        )
        with held_back():  # workers wait for each other
            if parallel:
                room.found.meeting[:] = 0
                (reason, progress), *_ = self._workers(kernel.rounds, *arguments)
            else:
                reason, progress = kernel.rounds(kernel.ALL, *arguments)
            self._progress = progress
        seconds = time.perf_counter() - started
        self.graph.spent.kernel += seconds
        self._follow()
        self._pace.note(parallel, self.graph.transitions - before.transitions, seconds)
        return int(reason)

    def _look_at(self, begin: int, size: int) -> bool:
        """Whether all cases of some states are known."""
        room, progress = self._room, Progress(begin, 0, 0, 0, 0)
        reason, _ = kernel.rounds(
            kernel.ALL,
            self.graph.packed.space,
            room.fresh,
            self._forest.trees,
            room.block,
            room.found,
            progress,
            Bounds(size),
            False,
        )
        return bool(reason == kernel.DONE)

    def _follow(self) -> None:
        """Bring the graph up to what the kernel has done."""
        graph = self.graph
        graph.expanded, graph.count = self._progress.expanded, self._progress.states
        graph.transitions = self._progress.transitions
        graph.leads_back |= bool(self._room.tally(BACKWARD).any())
        graph.cyclic |= bool(self._room.tally(CYCLIC).any())

    def _tell(self) -> None:
        """Tell the observers what is new, of what is not taken back."""
        self._follow()
        self._telling.tell()

    def _make_room(self) -> None:
        """Make room in the store for what all workers may enter in one round."""
        more = self._workers.count * self._room.fresh.room
        self.graph.packed.make_room(self.graph.count, more, self._workers)
        self._prepare()

    @held_back()
    def _prepare(self) -> None:
        """Make arrays for rounds, as layout and trees are now."""
        if self._forest.version != self._layout.version:
            self._forest.build()
        shape = self._room.shape_for(self.graph.packed.words, self._forest)
        if shape == self._room.shape:
            return
        if self._room.shape is not None:
            self._telling.collect()
            self._telling.tell_changes()
        self._room.make(shape, self._telling.marks)
        self.graph.other_bytes = self._forest.bytes + self._room.bytes

    # Learning

    def _learn(self) -> None:
        """Run the Python code of the cases that the last round missed."""
        self._telling.forget_from(self._progress.expanded)
        threads = len(self._threads)
        for number, tree, step, follower in self._room.missed():
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
        self._room.forget_missed()
        if not self._forest.fits:
            self._telling.tell_changes()
            self.graph.packed.repack(len(self.graph), self._workers)
        self._prepare()

    def _learn_rest(self) -> None:
        """Teach the trees what only the reference engine has come by, so that they know it all."""
        for begin, end in self._by_python:
            while begin < end:
                size = min(end - begin, self._room.share)
                if self._look_at(begin, size):
                    begin += size
                else:
                    self._learn()
        self._telling.forget_events()  # they were told

    # Taking back

    def _replay(self) -> None:
        """Take the last round back, and have the reference engine do it."""
        last = self._progress
        self._progress = last._replace(
            expanded=last.expanded_before,
            judged=last.states_before,
            states=last.states_before,
            transitions=last.transitions_before,
        )
        self.graph.truncate(last.states_before)
        self._by_reference(until=last.expanded)

    def _by_reference(self, *, until: int) -> None:
        """Go on to some state by the reference engine, from where no round is under way."""
        self._tell()
        self._telling.tell_changes()
        try:
            advance(self.graph, self._observers, self._limits, until=until)
        finally:  # also where it is cut short: it has told of what it has come by
            self._by_python.append((self._progress.expanded, self.graph.expanded))
            self._take_over()
            self._seen = self._progress.rounds
        self._prepare()

    def _take_over(self) -> None:
        """Go on from where the reference engine has come to."""
        graph = self.graph
        # It told of what fails; but where paths end at what fails, trees must know that as well.
        clean = graph.product is not None and graph.product.clean
        self._progress = self._progress._replace(
            expanded=graph.expanded,
            judged=self._progress.judged if clean else len(graph),
            states=len(graph),
            transitions=graph.transitions,
        )
