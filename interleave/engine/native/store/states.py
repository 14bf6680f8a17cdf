"""The states that the kernel has found, and the hash table that finds them again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from interleave.engine.native.store import table
from interleave.engine.native.store.layout import Layout, slot_arrays
from interleave.engine.stopping import held_back
from interleave.machine import State

Number = np.uint32
"""The type of state numbers while there are fewer than `WIDE`."""

WideNumber = np.uint64

WIDE = 2**32 - 2**24
"""States from which on numbers are of the wide type. (A round finds fewer than 2^24 states.)"""

FIRST_STATES = 1 << 14
"""States that there is room for in the beginning."""

LOAD = 0.8
"""Part of the table's entries that is in use before it grows."""

MORE_STATES = 1.125
"""By how much the array of states grows, at least."""

MORE_BUCKETS = ((1_000_000, 3.0), (3_000_000, 2.0), (math.inf, 1.4))
"""By how much the table grows, up to so many states. Of few, the memory does not count."""

Parallel = Callable[..., Any]
"""Calls a function with the number of each worker, at the same time, and with what follows."""


@dataclass(frozen=True)
class Sizes:
    """How large things are in the beginning, and where they change. For tests."""

    states: int = FIRST_STATES
    room: int = 1 << 14
    """Transitions that a worker finds in one round."""
    chunk: int | None = None
    """States of a round; None: as many as there is room for."""
    wide: int = WIDE
    shared_from: int = 300_000
    """Transitions from which on workers run at the same time. Before, it is over too soon."""


class PackedStates:
    """All states in order of their numbers, each with the state that it was found from."""

    def __init__(self, layout: Layout, workers: int, sizes: Sizes) -> None:
        self.layout = layout
        self.workers = workers
        self.peak = 0
        """Bytes that the arrays took at most."""
        self._wide = sizes.wide
        self._type: Any = Number if sizes.states < sizes.wide else WideNumber
        self.words = layout.words
        """Words of a state."""
        self._states: Any = np.empty(sizes.states * layout.words, np.uint64)
        self._parents: Any = np.empty(sizes.states, self._type)
        self._make_table(int(sizes.states / table.BUCKET) + 1)

    def _make_table(self, buckets: int) -> None:
        self._buckets = buckets
        self._table: Any = None  # freed before the next one is made, as is
        self.space: Any = None
        self._table = table.aligned(buckets * table.STRIDE, self._type)
        tags = self._table.view(np.uint64)
        stride = len(tags) // buckets
        # Behind the numbers: 12 of 4 bytes take 6 words, 12 of 8 bytes take 12.
        at = table.BUCKET * self._table.itemsize // 8
        tags[at + 1 :: stride] = table.PADDING
        self.space = table.Space(
            words=self.words,
            workers=self.workers,
            buckets=buckets,
            room=self.room,
            states=self._states,
            parents=self._parents,
            table=self._table,
            tags=tags,
            tags_stride=stride,
            tags_at=at,
            tag_bytes=self._table.view(np.uint8),
            useless=np.zeros(self.workers, np.int64),
            most_entered=int(LOAD * buckets * table.BUCKET),
        )
        self.peak = max(self.peak, self.bytes)

    def begin(self, words: Any, parents: Any, parallel: Parallel) -> None:
        """Begin with some states: their words, a row each, and their parents."""
        count = len(words)
        self.make_room(0, count, parallel)
        self._states[: count * self.words] = words.reshape(-1)
        self._parents[:count] = parents
        self._enter_all(count, self._buckets, parallel)

    @property
    def bytes(self) -> int:
        """What the arrays take now."""
        return int(self._states.nbytes + self._parents.nbytes + self._table.nbytes)

    @property
    def number_type(self) -> Any:
        """The type of array that has room for all numbers of states."""
        return self._type

    @property
    def room(self) -> int:
        """States that there is room for."""
        return len(self._parents)

    def words_of(self, numbers: Any) -> Any:
        """The words of states: a uint64 array of one row for each number."""
        return self._states.reshape(-1, self.words)[numbers]

    def parents(self, count: int) -> Any:
        """The first `count` parents."""
        return self._parents[:count]

    def state(self, number: int) -> State:
        start = number * self.words
        return self.layout.unpack(self._states[start : start + self.words].tolist())

    def parent(self, number: int) -> int:
        return int(self._parents[number])

    def find(self, state: State) -> int | None:
        """The number of a state, or None."""
        words = self.layout.find(state)
        if words is None:
            return None
        found = table.number_of(self.space, np.array(words, np.uint64))
        return None if found < 0 else int(found)

    def append(self, state: State, parent: int, count: int, parallel: Parallel) -> None:
        """Make a state, which is new, number `count`. All of its values must have codes."""
        if not all(self.layout.fits(place) for place in range(len(state))):
            self.repack(count, parallel)
        self.make_room(count, 1, parallel)
        words = np.array(self.layout.pack(state), np.uint64)
        self._states[count * self.words : (count + 1) * self.words] = words
        self._parents[count] = parent
        table.enter(self.space, words, count)

    def make_room(self, count: int, more: int, parallel: Parallel) -> None:
        """Make room for `more` states after the first `count`."""
        needed = count + more
        if needed >= self._wide and self._type is Number:
            self._type = WideNumber
            self._parents = self._parents.astype(WideNumber)
            self._enter_all(count, self._buckets, parallel)
        if needed > self.room:
            size = max(needed, int(self.room * MORE_STATES))
            self._states.resize(size * self.words, refcheck=False)
            self._parents.resize(size, refcheck=False)
            self.space = self.space._replace(room=self.room)
            self.peak = max(self.peak, self.bytes)
        if needed + int(self.space.useless.sum()) > self.space.most_entered:
            factor = next(factor for most, factor in MORE_BUCKETS if needed <= most)
            buckets = max(int(self._buckets * factor), int(needed / LOAD / table.BUCKET)) + 1
            self._enter_all(count, buckets, parallel)

    def _enter_all(self, count: int, buckets: int, parallel: Parallel) -> None:
        self._make_table(buckets)
        parallel(table.rebuild, self.space, count)

    def truncate(self, count: int, parallel: Parallel) -> None:
        """Forget all states but the first `count`."""
        self._enter_all(count, self._buckets, parallel)

    @held_back()
    def repack(self, count: int, parallel: Parallel) -> None:
        """Arrange the layout anew, and all states with it."""
        places = range(len(self.layout.widths))
        before = slot_arrays(self.layout, places)
        self.layout.arrange()
        after = slot_arrays(self.layout, places)
        words = self.layout.words
        if words > self.words:
            self._states.resize(self.room * words, refcheck=False)
        made = np.empty(words, np.uint64)
        table.repack(self._states, count, self.words, *before, words, *after[:2], made)
        self.words = words
        self._enter_all(count, self._buckets, parallel)
