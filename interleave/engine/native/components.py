"""Threads that can never move again although others can, compiled by numba.

For each state a bit says of each thread whether it is settled there: it has ended, or may still
move, now or later. What is settled in a state is so in all that lead to it. A state is full when
everybody is settled in it, and most states lead to a full one by their first successor. So:

* States are visited depth-first, the last one first. As soon as a state is full, so are all those
  on the way to it, and their other successors are not looked at.
* What is settled in a state is handed to the one that it was found from, which comes later. That
  one is known to lead to it, so nothing has to be looked up.
* Where threads are stuck no state is full, and the visit is that of D. Pearce, A space-efficient
  algorithm for finding strongly connected components, 2016: all states of a component have settled
  what any of them has, or what they lead to has. Beside, it turns out from where there is a path
  without an end.

Every case must be known to the trees.
"""

from __future__ import annotations

from numba import int64, uint8

from interleave.engine.native.intrinsics import bare, entry, inlined
from interleave.engine.native.table import hash_of, number_of
from interleave.engine.native.walking import local_of, succeed, walk

ENDED = 1
"""The greatest local state of a thread that has ended."""


@inlined
def _is_full(settled, state, full):
    """Whether all threads are settled in a state."""
    at = state * len(full)
    for each in range(len(full)):  # noqa: SIM110 (compiled as it stands)
        if settled[at + each] != full[each]:
            return False
    return True


@inlined
def _hand(settled, source, target, full):
    """Have settled in a state what is settled in another one."""
    for each in range(len(full)):
        settled[target * len(full) + each] |= settled[source * len(full) + each]


@inlined
def _settle(settled, state, bit, full):
    """Have a thread settled in a state. `bit` is -1 for a daemon."""
    if bit >= 0:
        settled[state * len(full) + (bit >> 3)] |= uint8(1 << (bit & 7))


@inlined
def _next_target(space, trees, source, place, made):
    """The next state that a state leads to, and the place after it; -1 where there is none.

    A place is a thread, and which of its steps: in the upper and lower 32 bits. It begins with 0.
    """
    at = source * space.words
    target = int64(-1)
    thread = place >> 32
    which = place & 0xFFFFFFFF
    while target < 0 and thread < trees.threads:
        leaf = -walk(space.states, at, trees, trees.roots[thread]) - 1
        if which < trees.leaf_count[leaf]:
            succeed(space.states, at, trees, trees.leaf_first[leaf] + which, space.words, made, 0)
            target = number_of(space, made, 0, hash_of(made, 0, space.words))
            which += 1
        else:
            thread += 1
            which = 0
    return target, (thread << 32) | which


@entry
def visit(
    space,
    trees,
    bits,
    full,
    settled,
    endless,
    visits,
    path,
    orders,
    places,
    open_states,
    made,
    progress,
    enough,
):
    """Go on visiting states depth-first. True when there is more to do.

    `bits` says which bit a thread has in `settled`, -1 for none; `full` has all that there are.
    `endless` tells from which of the states that are not full there is a path without an end.

    `visits` has 0 for a state that was not visited; else, counting visits from 1, that of the first
    state known to be in the same component; and for a state that is done with, more than there can
    be. `path` has the states that are being visited, `orders` their visits, and `places` how far
    one is with its successors. `open_states` were visited, and are in the component of a state that
    still is. `made` is room for a state. `progress` has the state to begin with when the path is at
    its end, and how many visits, states on the path, and open states there are. It comes back after
    `enough` transitions.
    """
    space, trees = bare(space), bare(trees)
    begin, visited, depth, height = progress[0], progress[1], progress[2], progress[3]
    done = len(visits) + 1
    while enough > 0:
        enough -= 1
        if depth == 0:
            while begin >= 0 and (visits[begin] != 0 or _is_full(settled, begin, full)):
                _hand(settled, begin, int64(space.parents[begin]), full)
                begin -= 1
            if begin < 0:
                return False
            visited += 1
            visits[begin] = visited
            path[0], orders[0], places[0] = begin, visited, 0
            depth = 1
        state = int64(path[depth - 1])
        target, place = _next_target(space, trees, state, places[depth - 1], made)
        places[depth - 1] = place
        seen = int64(0)
        if target >= 0:
            seen = int64(visits[target])
            _settle(settled, state, bits[place >> 32], full)
            _hand(settled, target, state, full)
        else:
            for thread in range(len(bits)):
                if local_of(space.states, state * space.words, trees, thread) <= ENDED:
                    _settle(settled, state, bits[thread], full)
        if _is_full(settled, state, full):
            # So are those on the path, and the open ones: they lead to those.
            while depth > 0:
                depth -= 1
                _hand(settled, state, int64(path[depth]), full)
                visits[path[depth]] = done
            while height > 0:
                height -= 1
                _hand(settled, state, int64(open_states[height]), full)
                visits[open_states[height]] = done
        elif target >= 0 and seen == 0:
            visited += 1
            visits[target] = visited
            path[depth], orders[depth], places[depth] = target, visited, 0
            depth += 1
        elif target >= 0 and seen == done:
            endless[state] |= endless[target]
        elif target >= 0:
            endless[state] = 1
            visits[state] = min(int64(visits[state]), seen)
        else:
            depth -= 1
            if int64(visits[state]) == int64(orders[depth]):
                # It is the first of its component, and the others of that are open. From these
                # there is a path without an end, which they know.
                while height > 0 and visits[open_states[height - 1]] >= visits[state]:
                    height -= 1
                    member = int64(open_states[height])
                    _hand(settled, state, member, full)
                    visits[member] = done
                visits[state] = done
            else:
                open_states[height] = state
                height += 1
            if depth > 0:
                before = int64(path[depth - 1])
                _hand(settled, state, before, full)
                endless[before] |= endless[state]
                if int64(visits[state]) != done:
                    visits[before] = min(int64(visits[before]), int64(visits[state]))
    progress[0], progress[1], progress[2], progress[3] = begin, visited, depth, height
    return True


@entry
def first_waits(space, trees, bits, begin, end, settled, endless, seen, first, found):
    """Put into `first` those of states `begin` to `end` in which a thread is stuck like in no other
    one before: at a leaf of its tree that is not in `seen`. Gives how many there are, with the
    `found` ones that were there before.
    """
    space, trees = bare(space), bare(trees)
    width = len(settled) // len(endless)
    for state in range(begin, end):
        if not endless[state]:
            continue
        new = False
        for thread in range(len(bits)):
            byte = state * width + (bits[thread] >> 3)
            if bits[thread] >= 0 and not settled[byte] & uint8(1 << (bits[thread] & 7)):
                leaf = -walk(space.states, state * space.words, trees, trees.roots[thread]) - 1
                new |= seen[leaf] == 0
                seen[leaf] = 1
        if new:
            first[found] = state
            found += 1
    return found
