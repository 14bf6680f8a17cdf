"""Room for a block of states and what they lead to: see `compiled.blocks`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from interleave.engine.native.store.table import LINE, Array

MOST_STATES = 64
"""States of a block: enough to have asked for memory in time."""

MOST_STEPS = 1 << 12
"""Steps of a block, unless one state alone has more."""

RECENT = 1 << 12
"""Successors that are remembered: many are met again soon, and nothing is as slow as memory."""


class Block(NamedTuple):
    """Room for the states of a block and what they lead to. The arrays have a row for each worker.

    A successor that was met not long ago has its place among all that were met, and is not looked
    up again.
    """

    size: int  # states, at most
    states: Array  # int64: their numbers
    loaded: Array  # uint64: their words
    leaves: Array  # int32: for each of them and each thread, where its tree leads
    leaves_room: int
    walking: Array  # int32: those that are not yet at a leaf
    ended: Array  # int64: those without a step
    room: int  # steps, at most
    steps: Array  # int64, in order of states, threads and choices
    rows: Array  # int64: the states that they start from, by their place in `states`
    movers: Array  # int64: the threads
    marks: Array  # int64: as `walking.succeed` gives them
    origins: Array  # int64: the numbers of the states that those that are followed start from
    targets: Array  # int32: the place of what they lead to among all that were met
    hashes: Array  # uint64, of those that this block has met first
    firsts: Array  # int64: the numbers of the states that they were met from
    most_met: int  # that many are met at most, until counting begins anew
    successors: Array  # uint64, words for each that was met
    numbers: Array  # int64, of each that was met
    recent: Array  # int32, RECENT for each worker: places of those met last, by hash


def make_block(workers: int, words: int, threads: int, most_steps: int, most_met: int) -> Block:
    """Room for blocks of states of some words, none of which has more than so many steps."""
    size = max(1, min(MOST_STATES, MOST_STEPS // most_steps))
    leaves_room = size * threads
    # These rows end with what is written before it is known whether it counts.
    room = size * most_steps + LINE // 8
    met_room = max(most_met, room) + LINE // 8
    return Block(
        size=size,
        states=np.empty(workers * size, np.int64),
        loaded=np.empty(workers * size * words, np.uint64),
        leaves=np.empty(workers * leaves_room, np.int32),
        leaves_room=leaves_room,
        walking=np.empty(workers * size, np.int32),
        ended=np.empty(workers * size, np.int64),
        room=room,
        steps=np.empty(workers * room, np.int64),
        rows=np.empty(workers * room, np.int64),
        movers=np.empty(workers * room, np.int64),
        marks=np.empty(workers * room, np.int64),
        origins=np.empty(workers * room, np.int64),
        targets=np.empty(workers * room, np.int32),
        hashes=np.empty(workers * room, np.uint64),
        firsts=np.empty(workers * room, np.int64),
        most_met=met_room,
        successors=np.empty(workers * met_room * words, np.uint64),
        numbers=np.empty(workers * met_room, np.int64),
        recent=np.zeros(workers * RECENT, np.int32),
    )
