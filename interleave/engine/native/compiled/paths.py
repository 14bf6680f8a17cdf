"""Counting paths in a state graph, compiled by numba.

Every case must be known to the trees. Counts are taken modulo primes: as many as it takes to tell
what the count is.
"""

from __future__ import annotations

import numpy as np
from numba import int64

from interleave.engine.native.compiled.blocks import list_steps, list_targets
from interleave.engine.native.compiled.intrinsics import bare, entry, part, prefetch
from interleave.engine.native.compiled.store import AHEAD, ask_for_state, find
from interleave.engine.native.passes.paths import ABOUT, COLUMNS, PRIMES_AT_ONCE


@part
def _find_targets(space, trees, block, order, begin, end, met):
    """Find the numbers of what the next states of an order lead to: those at `begin`, before `end`.

    An empty order is that of the numbers. `met` successors were met before. Gives where to go on,
    how many transitions there are, and what `met` is next.
    """
    size = min(block.size, end - begin)
    for each in range(size):
        block.states[each] = order[begin + each] if len(order) else begin + each
    if met + block.room > block.most_met:
        met = int64(0)
    steps, _, _ = list_steps(0, space, trees, block, size)
    transitions, met_now = list_targets(0, space, trees, block, steps, met)
    for slot in range(met, met_now):
        if slot + AHEAD < met_now:
            ask_for_state(space, block.hashes[slot - met + AHEAD], space.room)
        at = slot * space.words
        block.numbers[slot] = find(space, block.successors, at, block.hashes[slot - met])
    return begin + size, transitions, met_now


@entry
def count_paths(space, trees, block, order, begin, end, counts, primes):
    """Add up the paths that lead to states, going through some of them in topological order.

    `order` has the states in that order; empty, it is that of their numbers. `counts` has COLUMNS
    for each state: how many there are, modulo each of `primes`, and at ABOUT, in floating point.
    """
    space, trees, block, counts = bare(space), bare(trees), bare(block), bare(counts)
    met = int64(0)
    while begin < end:
        begin, transitions, met = _find_targets(space, trees, block, order, begin, end, met)
        for each in range(transitions):
            prefetch(counts.exact, int64(block.numbers[block.targets[each]]) * COLUMNS)
        for each in range(transitions):
            source = block.origins[each] * COLUMNS
            target = int64(block.numbers[block.targets[each]]) * COLUMNS
            counts.about[target + ABOUT] += counts.about[source + ABOUT]
            for which in range(PRIMES_AT_ONCE):
                total = counts.exact[target + which] + counts.exact[source + which]
                prime = primes[which]
                counts.exact[target + which] = total - prime if total >= prime else total


@entry
def add_logarithms(space, trees, block, order, begin, end, logs):
    """Likewise, with the logarithm to base 2 of each number of paths, about."""
    space, trees, block = bare(space), bare(trees), bare(block)
    met = int64(0)
    while begin < end:
        begin, transitions, met = _find_targets(space, trees, block, order, begin, end, met)
        for each in range(transitions):
            source, target = block.origins[each], block.numbers[block.targets[each]]
            more, less = max(logs[target], logs[source]), min(logs[target], logs[source])
            if less > -np.inf:
                more += np.log2(1.0 + 2.0 ** (less - more))
            logs[target] = more


@entry
def count_incoming(space, trees, block, order, begin, end, incoming):
    """Add up the transitions that lead to each state from some of them."""
    space, trees, block = bare(space), bare(trees), bare(block)
    met = int64(0)
    while begin < end:
        begin, transitions, met = _find_targets(space, trees, block, order, begin, end, met)
        for each in range(transitions):
            incoming[block.numbers[block.targets[each]]] += 1


@entry
def put_in_order(space, trees, block, order, done, ready, enough, incoming):
    """Go on putting states in topological order: `order[:done]` are done with, up to `ready` wait.

    `incoming` are the transitions that lead to each state from those not done with. Gives `done`
    and `ready`, after `enough` states or when no more can be put in order.
    """
    space, trees, block = bare(space), bare(trees), bare(block)
    enough += done
    met = int64(0)
    while done < min(ready, enough):
        end = min(ready, enough)
        done, transitions, met = _find_targets(space, trees, block, order, done, end, met)
        for each in range(transitions):
            target = int64(block.numbers[block.targets[each]])
            incoming[target] -= 1
            if incoming[target] == 0:
                order[ready] = target
                ready += 1
    return done, ready
