"""What a block of states leads to, compiled by numba.

Each part of the work is done for all states of a block before the next one begins. So what one
state waits for, be it memory or the outcome of a comparison, does not hold up the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import int64, uint64

from interleave.engine.native.intrinsics import part
from interleave.engine.native.store.table import LINE, Array, ask_for, hash_of, load, same_words
from interleave.engine.native.walking import DROPPED, expand, step_down, stops, succeed

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


@part
def _walk(worker, words, trees, block, size):
    """Put the leaves of all threads in the block's states into `leaves`.

    Where the way is not known, there is 0.
    """
    threads = trees.threads
    first = worker * block.size
    rows = worker * block.leaves_room
    for thread in range(threads):
        root = int64(trees.roots[thread])
        count = 0
        for each in range(size):
            leaf = root
            if root > 0:
                leaf = step_down(block.loaded, (first + each) * words, trees, root - 1)
            block.leaves[rows + each * threads + thread] = leaf
            block.walking[first + count] = each
            count += leaf > 0
        while count > 0:
            before = count
            count = 0
            for place in range(first, first + before):
                each = int64(block.walking[place])
                row = rows + each * threads + thread
                at = (first + each) * words
                leaf = step_down(block.loaded, at, trees, int64(block.leaves[row]) - 1)
                block.leaves[row] = leaf
                block.walking[first + count] = each
                count += leaf > 0


@part
def list_steps(worker, space, trees, block, size):
    """Load a block's states, of which there are `size`, and list the steps from them.

    Gives the number of steps; of states without any; and whether all that is asked for is known.
    """
    words = space.words
    first = worker * block.size
    for place in range(first, first + size):
        load(space, block.states[place], block.loaded, place * words)
    _walk(worker, words, trees, block, size)
    threads = trees.threads
    row = worker * block.room
    steps = 0
    ended = 0
    knows = True
    for each in range(size):
        if stops(block.loaded, (first + each) * words, trees, words):
            continue
        before = steps
        leaves = worker * block.leaves_room + each * threads
        for thread in range(threads):
            leaf = int64(block.leaves[leaves + thread])
            if leaf == 0:
                knows = False
                continue
            step, choices = expand(trees, leaf)
            # There are mostly none or one. It is written in any case: then nothing is guessed.
            block.steps[row + steps] = step
            block.rows[row + steps] = first + each
            block.movers[row + steps] = thread
            steps += choices > 0
            for other in range(step + 1, step + choices):
                block.steps[row + steps] = other
                block.rows[row + steps] = first + each
                block.movers[row + steps] = thread
                steps += 1
        block.ended[first + ended] = block.states[first + each]
        ended += steps == before
    return steps, ended, knows


@part
def list_targets(worker, space, trees, block, steps, met):
    """List what the steps of a block lead to, and ask for the memory to look it up.

    `met` successors were met before. Gives the number of steps that are followed, and of successors
    that are met by now.
    """
    words = space.words
    row = worker * block.room
    base = worker * block.most_met
    met_before = met
    followed = 0
    for slot in range(row, row + steps):
        at = block.rows[slot]
        to = (base + met) * words
        mark = succeed(
            block.loaded, at * words, trees, block.steps[slot], words, block.successors, to
        )
        block.marks[slot] = mark
        if mark <= DROPPED:
            continue
        hashed = hash_of(block.successors, to, words)
        place = worker * RECENT + int64(hashed & uint64(RECENT - 1))
        recent = int64(block.recent[place])
        there = (base + recent) * words
        # Whatever was left there by an earlier round: if it is the same, it is the same.
        again = (recent < met) & same_words(block.successors, there, block.successors, to, words)
        target = recent if again else met
        block.recent[place] = target
        source = block.states[at]
        block.origins[row + followed] = source
        block.targets[row + followed] = target
        followed += 1
        block.hashes[row + met - met_before] = hashed
        block.firsts[row + met - met_before] = source
        ask_for(space, uint64(0) if again else hashed)
        met += not again
    return followed, met
