"""What the kernel is given of the store of states: an array of them, and a hash table to find them.

How it works is in `compiled.store`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from interleave.engine.native.entries import Entry

Array = Any
"""A numpy array."""

BUCKET = 12
"""Numbers in a bucket."""

STRIDE = 16
"""Entries of a table that a bucket takes: its numbers, and their tags."""

LINE = 64
"""Bytes of a cache line."""

ENTERED_STRIDE = LINE // 8
"""Places from one worker's count to the next: no two workers write into one cache line."""

PADDING = np.uint64(0xFFFFFFFF00000000)
"""The second word of the tags of an empty bucket: four of its eight bytes belong to no entry."""


def aligned(length: int, kind: Any) -> Array:
    """An array of zeros that begins with a cache line."""
    spare = LINE // np.dtype(kind).itemsize
    zeros = np.zeros(length + spare, kind)
    begin = -zeros.ctypes.data % LINE // zeros.itemsize
    return zeros[begin : begin + length]


class Space(NamedTuple):
    """The states and the hash table that finds them."""

    words: int  # words of a state
    workers: int
    buckets: int
    room: int  # states that there is room for
    states: Array  # uint64, `words` for each state
    parents: Array  # numbers
    table: Array  # numbers + 1, STRIDE for each bucket; 0 where free
    tags: Array  # the same memory in words of 64 bits; the tags of a bucket are two of them,
    tags_stride: int  # so many from one bucket to the next,
    tags_at: int  # the first of them here
    tag_bytes: Array  # the same memory in bytes
    useless: Array  # int64: how many entries each worker has made useless
    most_entered: int  # entries that may be in use, the useless ones among them


class Fresh(NamedTuple):
    """States that were entered in a round, and have no number yet: `room` of them for each worker.

    In place of a number they have how many states there were before, and their place here.
    """

    room: int
    states: Array  # uint64, `words` for each
    entries: Array  # int64: places in the table
    finders: Array  # int64: the first of the workers that found it
    entered: Array  # int64, ENTERED_STRIDE for each worker: how many it has entered


number_of = Entry("store.number_of")
enter = Entry("store.enter")
rebuild = Entry("store.rebuild")
repack = Entry("store.repack")
depth_of = Entry("store.depth_of")
