"""What a block of states leads to, compiled by numba.

Each part of the work is done for all states of a block before the next one begins. So what one
state waits for, be it memory or the outcome of a comparison, does not hold up the others.
"""

from __future__ import annotations

from numba import int64, uint64

from interleave.engine.native.blocks import RECENT
from interleave.engine.native.compiled.intrinsics import part
from interleave.engine.native.compiled.store import ask_for, hash_of, load, same_words
from interleave.engine.native.compiled.walking import expand, step_down, stops, succeed
from interleave.engine.native.walking import DROPPED


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
