"""Rounds of the kernel: how far they have come, how far they may go, and the arrays they work in.

In a round the workers share a run of states (see `kernel`). The arrays are as large as layout and
trees ask for, and are made anew when these have grown.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from interleave.engine.native.blocks import Block, make_block
from interleave.engine.native.forest import Forest
from interleave.engine.native.store.states import Sizes
from interleave.engine.native.store.table import ENTERED_STRIDE, LINE, Array, Fresh

# What a worker counts, in its row of `tally`.
(
    TRANSITIONS,  # found in this round
    MISSED,  # cases of this round that no tree knows
    ENDED,  # states of this round without a transition
    ENDS,  # those before this round, in `ends`
    EVENTS,  # marks met for the first time, in `events`
    CLAIMED,  # states that it was the finder of in this round
    LOST,  # those of them that a worker before it has found as well
    BACKWARD,  # transitions to a state with no higher number
    CYCLIC,  # whether one of them leads to where the search came from
    BACKWARD_NOW,  # the same in this round
    CYCLIC_NOW,
    DONE_WITH,  # states of its share that come before all cases of it that no tree knows
) = range(12)
TALLY = 24
"""Length of a row of `tally`: three cache lines, so that workers do not share one."""

ASKED = 1 << 12
"""Cases that a worker remembers having noted in a round, at most."""

LARGEST_SHARE = 1 << 13
"""States of a round for each worker at most."""

FEWEST_EVENTS = 64
"""Marks that there is room for in the beginning."""

NO_LIMIT = 2**62


class Progress(NamedTuple):
    """How far rounds have come."""

    expanded: int  # states, which are the first
    judged: int  # states of which the properties are known, likewise
    states: int
    transitions: int
    rounds: int
    # What they were before the last round.
    expanded_before: int = 0
    states_before: int = 0
    transitions_before: int = 0


class Bounds(NamedTuple):
    """When to come back."""

    chunk: int  # states of a round, at most
    until: int = NO_LIMIT  # the first state that is not to be expanded
    transitions: int = NO_LIMIT  # to come back after
    rounds: int = NO_LIMIT  # to come back after
    states: int = NO_LIMIT  # that there may be


class Round(NamedTuple):
    """Room for what rounds find. Most arrays have a row for each worker."""

    watched: Array  # int32: the steps of a block that have watched changes
    tally: Array  # int64, TALLY for each worker
    missed: Array  # int64, four for each case: state, tree, step and follower (-1 for none)
    missed_room: int
    asked: Array  # uint64, ASKED for each worker: missing branches that were noted in this round
    ends: Array  # int64: states without a transition
    ends_room: int
    events: Array  # int64, three for each: mark, state, step (-1 for a pair)
    seen: Array  # uint8: whether a mark was met before
    events_room: int
    # Fresh states, in the order in which a worker was the finder of them: `Fresh.room` for each.
    claims: Array  # int64: their places among those
    claim_sources: Array  # int64: the states that they were found from
    about: Array  # int64, for each thread: its pending action in the state that is looked at
    about_room: int
    under: Array  # uint8: for each watched change and each local state of each thread, whether the
    # change was made by another thread while it was in that local state
    under_room: int
    failed: Array  # int64, one for each property: the first state in which it fails; -1 for none
    meeting: Array  # int64: how often workers have come to a barrier in this call


class Shape(NamedTuple):
    """What the sizes of the arrays follow from."""

    words: int  # of a state
    most_steps: int  # from a state
    room: int  # states that a worker enters in a round
    events: int  # marks
    under: int  # flags for changes under local states


class Room:
    """The arrays of rounds."""

    block: Block
    found: Round
    fresh: Fresh

    def __init__(self, workers: int, sizes: Sizes, threads: int, properties: int) -> None:
        self.workers = workers
        self.shape: Shape | None = None
        self._sizes = sizes
        self._threads = threads
        self._properties = properties
        self._counts: Any = np.zeros(workers * TALLY, np.int64)

    def shape_for(self, words: int, forest: Forest) -> Shape:
        """What the arrays must be like for states of some words, and for trees as they are now."""
        room = max(self._sizes.room, forest.most_steps * (self._sizes.chunk or 1))
        events = FEWEST_EVENTS
        while events < forest.marks:
            events *= 2
        under = forest.under_room + LINE  # no two workers write into one line
        return Shape(words, forest.most_steps, room, events, under)

    def make(self, shape: Shape, known_marks: list[int]) -> None:
        """Make the arrays. What is noted in those that there were is lost."""
        workers, threads, properties = self.workers, self._threads, self._properties
        words, most_steps, room, events, under = self.shape = shape
        share = max(LARGEST_SHARE, self._sizes.chunk or 1)
        missed = share * threads + 1024 * properties
        ends = 4 * workers * share
        about = threads + LINE // 8
        seen = np.zeros((workers, events), np.uint8)
        seen[:, known_marks] = 1
        self.block = make_block(workers, words, threads, most_steps, room)
        self.fresh = Fresh(
            room=room,
            states=np.empty(workers * room * words, np.uint64),
            entries=np.empty(workers * room, np.int64),
            finders=np.empty(workers * room, np.int64),
            entered=np.zeros(workers * ENTERED_STRIDE, np.int64),
        )
        self.found = Round(
            watched=np.empty(workers * self.block.room, np.int32),
            tally=self._counts,
            missed=np.empty(workers * missed * 4, np.int64),
            missed_room=missed,
            asked=np.zeros(workers * ASKED, np.uint64),
            ends=np.empty(workers * ends, np.int64),
            ends_room=ends,
            events=np.empty(workers * events * 3, np.int64),
            seen=seen.reshape(-1),
            events_room=events,
            claims=np.empty(workers * room, np.int64),
            claim_sources=np.empty(workers * room, np.int64),
            about=np.zeros(workers * about, np.int64),
            about_room=about,
            under=np.zeros(workers * under, np.uint8),
            under_room=under,
            failed=np.full(workers * properties, -1, np.int64),
            meeting=np.zeros(1, np.int64),
        )

    @property
    def share(self) -> int:
        """States of a round for each worker."""
        if self._sizes.chunk is not None:
            return self._sizes.chunk
        assert self.shape is not None
        return max(1, min(LARGEST_SHARE, self.shape.room // self.shape.most_steps))

    @property
    def bytes(self) -> int:
        """What the arrays take."""
        arrays = (*self.block, *self.found, *self.fresh)
        return sum(int(each.nbytes) for each in arrays if isinstance(each, np.ndarray))

    # What the workers have noted

    def tally(self, what: int) -> Any:
        """What the workers counted of something, by worker."""
        return self._counts.reshape(-1, TALLY)[:, what]

    def rows(self, array: Any, counted: int, width: int) -> list[Any]:
        """What each worker has put into its row of an array, so many numbers for each."""
        rows = array.reshape(self.workers, -1, width)
        counts = self.tally(counted).tolist()
        return [row[:count] for row, count in zip(rows, counts, strict=True)]

    def missed(self) -> list[tuple[int, int, int, int]]:
        """The cases that were missed, in order: state, tree, step and follower (-1 for none)."""
        rows = self.rows(self.found.missed, MISSED, 4)
        return sorted(tuple(case) for row in rows for case in row.tolist())

    def forget_missed(self) -> None:
        """The cases that were missed are learnt."""
        self.tally(MISSED)[:] = 0
        self.found.asked[:] = 0
