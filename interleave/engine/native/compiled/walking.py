"""Walking decision trees, compiled by numba."""

from __future__ import annotations

from numba import int64, uint64

from interleave.engine.native.compiled.intrinsics import entry, inlined, part
from interleave.engine.native.compiled.store import mix
from interleave.engine.native.walking import DROPPED, UNASKED, UNKNOWN, UNMARKED


@part
def _found_at(keys, values, mask, key):
    """What a hash table has for a key; 0 where it has none."""
    place = int64(mix(key)) & mask
    while keys[place] != 0:
        if keys[place] == key:
            return int64(values[place])
        place = (place + 1) & mask
    return int64(0)


@inlined
def seen_by(states, at, trees, node):
    """What is at the place that a node looks at."""
    word = states[at + trees.nodes[4 * node]]
    return (word >> uint64(trees.nodes[4 * node + 1])) & uint64(trees.nodes[4 * node + 2])


@inlined
def child_of(trees, node, code):
    """Where a branch of a node leads to."""
    base = trees.nodes[4 * node + 3]
    if base >= 0:
        return int64(trees.branches[base + int64(code)])
    key = (uint64(node + 1) << uint64(32)) | code
    return _found_at(trees.wide_keys, trees.wide_children, trees.wide_mask, key)


@entry
def put_all(keys, values, new_keys, new_values):
    """Add to a hash table: of the branches of wide nodes, or of pairs."""
    mask = len(keys) - 1
    for each in range(len(new_keys)):
        place = int64(mix(new_keys[each])) & mask
        while keys[place] != 0 and keys[place] != new_keys[each]:
            place = (place + 1) & mask
        keys[place] = new_keys[each]
        values[place] = new_values[each]


@inlined
def step_down(states, at, trees, node):
    """The child of a node that the way of a state leads to."""
    return child_of(trees, node, seen_by(states, at, trees, node))


@inlined
def walk(states, at, trees, start):
    """Follow a tree from a child to a leaf, or to 0 where it ends without one."""
    child = int64(start)
    while child > 0:
        child = step_down(states, at, trees, child - 1)
    return child


@inlined
def expand(trees, leaf):
    """The steps that the search follows where a thread's tree leads to a leaf: the first of them,
    and how many there are.

    What leaves out some of them does so here, and nowhere else.
    """
    return trees.leaf_first[-leaf - 1], trees.leaf_count[-leaf - 1]


@inlined
def local_of(states, at, trees, thread):
    """The code of a thread's local state."""
    return (states[at + trees.local_words[thread]] >> trees.local_shifts[thread]) & (
        trees.local_masks[thread]
    )


@inlined
def succeed(states, at, trees, step, words, into, to):
    """Put what a step leads to from a state at `into[to]`. Gives what marks it (see `UNMARKED`)."""
    first = step * words
    into[to] = (states[at] & trees.keep[first]) | trees.put[first]
    for word in range(1, words):
        into[to + word] = (states[at + word] & trees.keep[first + word]) | trees.put[first + word]
    mark = trees.marks[step]
    followers = trees.followers
    for follower in range(followers):
        child = int64(trees.follow_roots[step * followers + follower])
        if child == 0:
            continue
        child = walk(states, at, trees, child)
        if child == 0:
            return int64(UNKNOWN - follower)
        word = to + trees.follower_words[follower]
        shift = trees.follower_shifts[follower]
        into[word] = (into[word] & ~(trees.follower_masks[follower] << shift)) | (
            uint64(trees.leaf_first[-child - 1]) << shift
        )
        if trees.leaf_count[-child - 1] != UNMARKED and mark != DROPPED:
            mark = trees.leaf_count[-child - 1]
    return mark


@part
def leaf_of_property(states, at, trees, words, each):
    """The leaf of a property in a state; 0 where it is not known, or UNASKED."""
    threads = trees.threads
    if trees.when_final[each]:
        for word in range(words):
            if states[at + word] & trees.unfinished[word]:
                return int64(UNASKED)
        for thread in range(threads):
            if local_of(states, at, trees, thread) == uint64(1):  # FAILED
                return int64(UNASKED)
    return walk(states, at, trees, trees.roots[threads + each])


@inlined
def pair_of(trees, one, other):
    """The mark + 1 of what two threads are about to do; 0 where nobody asks about that."""
    key = (uint64(min(one, other)) << uint64(32)) | uint64(max(one, other))
    return _found_at(trees.pair_keys, trees.pair_marks, trees.pair_mask, key)


@part
def _about(states, at, trees, thread):
    """What a thread is about to do in a state; 0 where nobody asks, or it is not known."""
    child = walk(states, at, trees, trees.roots[thread])
    return trees.leaf_about[-child - 1] if child < 0 else int64(0)


@part
def _meets_pair(states, at, trees):
    """Whether two threads are about to do something that is asked about."""
    for thread in range(trees.threads):
        about = _about(states, at, trees, thread)
        if about:
            for other in range(thread):
                before = _about(states, at, trees, other)
                if before and pair_of(trees, before, about):
                    return True
    return False


@inlined
def stops(states, at, trees, words):
    """Whether a state is not expanded, for a property fails there, or two threads are a pair."""
    if trees.stop_at_failures:
        for each in range(trees.properties):
            child = leaf_of_property(states, at, trees, words, each)
            if child < 0 and trees.leaf_count[-child - 1]:
                return True
        if trees.asks_pairs:
            return _meets_pair(states, at, trees)
    return False
