"""Decision trees as the kernel is given them."""

from __future__ import annotations

from typing import NamedTuple

from interleave.engine.native.entries import Entry
from interleave.engine.native.store.table import Array

# Instead of a mark, which is 0 or more.
UNMARKED = -1
DROPPED = -2  # the step is not followed
UNKNOWN = -3  # and below: the step is not known, for one of the followers

UNASKED = 1
"""Instead of a leaf or 0, of a property that is not asked in a state."""


class Trees(NamedTuple):
    """Decision trees. A child is a node (its index + 1), a leaf (-index - 1), or not known (0).

    A leaf of a thread's tree stands for some steps. A leaf of a property has a count of 1 where the
    property fails, and of 0 where it holds. A leaf of a follower has what it holds after a step
    instead of a first step, and a mark instead of a count.
    """

    threads: int
    properties: int
    followers: int
    watches: int  # whether any changes are watched
    nodes: Array  # int64, four for each: word, shift and mask of the place that it looks at, and
    # where its branches begin; -1 for those in `wide`
    branches: Array  # int32: children by what is at the place
    wide_mask: int  # length of the two that follow, less 1
    wide_keys: Array  # uint64: node and what is at its place; 0 where free
    wide_children: Array  # int32
    roots: Array  # int32: the child to begin with for each thread, then for each property
    leaf_first: Array  # int64: the first of the steps that a leaf stands for
    leaf_count: Array  # int64: how many they are
    keep: Array  # uint64, `words` for each step: bits of the state that it leaves alone
    put: Array  # uint64, likewise: bits that it sets
    marks: Array  # int64: for each step, the number under which its first transition is reported
    watch_first: Array  # int64: for each step, the first of its watched changes
    watch_count: Array  # int64
    watch_words: Array  # int64: word and mask of the place that changes, and where its flags begin
    watch_masks: Array  # uint64
    watch_flags: Array  # int64
    local_words: Array  # int64: word, shift and mask of each thread's local state
    local_shifts: Array  # uint64
    local_masks: Array  # uint64
    local_bases: Array  # int64: among the flags of a change, where those of a thread begin
    follower_words: Array  # int64: word, shift and mask of what each follower holds
    follower_shifts: Array  # uint64
    follower_masks: Array  # uint64
    follow_roots: Array  # int32, one for each step and follower: 0 where it goes on holding that
    unfinished: Array  # uint64: bits of which none is set where all threads but daemons have ended
    when_final: Array  # int64: for each property, whether it is asked in final states only
    stop_at_failures: int  # whether only states are expanded in which no property fails and no pair
    # is pending
    asks_pairs: int  # whether pairs of pending actions are looked for
    leaf_about: Array  # int64: for each leaf, the thread's pending action; 0 for one in no pair
    pair_mask: int  # length of the two that follow, less 1
    pair_keys: Array  # uint64: two pending actions, the smaller number first; 0 where free
    pair_marks: Array  # int32: the mark of a pair, plus 1


put_all = Entry("walking.put_all")
