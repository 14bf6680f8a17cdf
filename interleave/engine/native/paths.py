"""Counting paths in a state graph, compiled by numba.

Every case must be known to the trees. Counts are taken modulo primes: as many as it takes to tell
what the count is.
"""

from __future__ import annotations

import numpy as np

from interleave.engine.native.intrinsics import entry, inlined
from interleave.engine.native.kernel import DROPPED, _stops, _succeed, _walk
from interleave.engine.native.table import number_of


@inlined
def _targets(space, trees, source, made, targets):
    """Put the states that a state leads to into `targets`, in order. Gives how many they are."""
    words = space.words
    at = source * words
    found = 0
    if _stops(space.states, at, trees, words):
        return found
    for thread in range(len(trees.local_words)):
        child = _walk(space.states, at, trees, trees.roots[thread])
        first = trees.leaf_first[-child - 1]
        for step in range(first, first + trees.leaf_count[-child - 1]):
            if _succeed(space.states, at, trees, step, words, made, found * words) != DROPPED:
                found += 1
    for each in range(found):
        targets[each] = number_of(space, made, each * words)
    return found


@entry
def count_paths(space, trees, order, begin, end, made, targets, ways, primes, about):
    """Add up the paths that lead to states, going through some of them in topological order.

    `order` has the states in that order; empty, it is that of their numbers. `ways` has a row for
    each state, modulo each of `primes`; `about` is the same in floating point. `made` and `targets`
    are room for the transitions from one state.
    """
    for place in range(begin, end):
        source = order[place] if len(order) else place
        for each in range(_targets(space, trees, source, made, targets)):
            target = targets[each]
            about[target] += about[source]
            for which in range(len(primes)):
                total = ways[target, which] + ways[source, which]
                ways[target, which] = total - primes[which] if total >= primes[which] else total


@entry
def add_logarithms(space, trees, order, begin, end, made, targets, logs):
    """Likewise, with the logarithm to base 2 of each number of paths, about."""
    for place in range(begin, end):
        source = order[place] if len(order) else place
        for each in range(_targets(space, trees, source, made, targets)):
            target = targets[each]
            more, less = max(logs[target], logs[source]), min(logs[target], logs[source])
            if less > -np.inf:
                more += np.log2(1.0 + 2.0 ** (less - more))
            logs[target] = more


@entry
def count_incoming(space, trees, begin, end, made, targets, incoming):
    """Add up the transitions that lead to each state from states `begin` to `end`."""
    for source in range(begin, end):
        for each in range(_targets(space, trees, source, made, targets)):
            incoming[targets[each]] += 1


@entry
def put_in_order(space, trees, order, done, ready, enough, made, targets, incoming):
    """Go on putting states in topological order: `order[:done]` are done with, up to `ready` wait.

    `incoming` are the transitions that lead to each state from those not done with. Gives `done`
    and `ready`, after `enough` states or when no more can be put in order.
    """
    while done < ready and enough > 0:
        for each in range(_targets(space, trees, order[done], made, targets)):
            target = targets[each]
            incoming[target] -= 1
            if incoming[target] == 0:
                order[ready] = target
                ready += 1
        done += 1
        enough -= 1
    return done, ready
