"""Threads that can never move again although others can, compiled by numba.

For each state a bit says of each thread whether it is settled there: it has ended, or may still
move, now or later. Another one says, of some threads, that they may still get somewhere: change
content (see `engine.contents`), or come to an end with all others. What is settled in a state is so
in all that lead to it. A state is full when everything is settled in it, and most states lead to a
full one by their first successor. So:

* States are visited depth-first, the last one first. As soon as a state is full, so are all those
  on the way to it, and their other successors are not looked at.
* What is settled in a state is handed to the one that it was found from, which comes later. That
  one is known to lead to it, so nothing has to be looked up.
* Where threads are stuck no state is full, and the visit is that of D. Pearce, A space-efficient
  algorithm for finding strongly connected components, 2016: all states of a component have settled
  what any of them has, or what they lead to has. When it is done with a component it knows whether
  that is left, and whether one can stay in it for ever and be fair.

Every case must be known to the trees.
"""

from __future__ import annotations

from numba import int64, uint8, uint64

from interleave.engine.native.compiled.intrinsics import bare, entry, inlined, part
from interleave.engine.native.compiled.store import find, hash_of, load, parent_of
from interleave.engine.native.compiled.walking import expand, local_of, succeed, walk
from interleave.engine.native.passes.components import (
    BEGIN,
    CIRCLES,
    COMPONENTS,
    DEPTH,
    ENDLESS,
    HEIGHT,
    LEAVES,
    VISITED,
)

ENDED = 1
"""The greatest local state of a thread that has ended."""


@inlined
def _is_full(settled, state, full):
    """Whether all bits are set in a state."""
    at = state * len(full)
    for each in range(len(full)):  # noqa: SIM110 (compiled as it stands)
        if settled[at + each] != full[each]:
            return False
    return True


@inlined
def _hand(bits, source, target, width):
    """Have set in a state what is set in another one."""
    for each in range(width):
        bits[target * width + each] |= bits[source * width + each]


@inlined
def _set(bits, state, bit, width):
    """Have a bit set in a state. -1 is none."""
    if bit >= 0:
        bits[state * width + (bit >> 3)] |= uint8(1 << (bit & 7))


@inlined
def _has(bits, state, bit, width):
    """Whether a bit is set in a state."""
    return bits[state * width + (bit >> 3)] & uint8(1 << (bit & 7)) != 0


@inlined
def _next_target(space, trees, here, place, made):
    """The next state that the state `here` leads to, which is put into `made`, and the place after
    it; -1 where there is none.

    A place is a thread, and which of its steps: in the upper and lower 32 bits. It begins with 0.
    """
    target = int64(-1)
    thread = place >> 32
    which = place & 0xFFFFFFFF
    while target < 0 and thread < trees.threads:
        step, choices = expand(trees, walk(here, 0, trees, trees.roots[thread]))
        if which < choices:
            succeed(here, 0, trees, step + which, space.words, made, 0)
            target = find(space, made, 0, hash_of(made, 0, space.words))
            which += 1
        else:
            thread += 1
            which = 0
    return target, (thread << 32) | which


@part
def _changes_content(space, here, made, question):
    """Whether the content of a state is not that of the one that a step leads to."""
    for word in range(space.words):
        if (here[word] ^ made[word]) & question.variables[word]:
            return True
    for each in range(0, len(question.places), 4):
        word, shift = question.places[each], uint64(question.places[each + 1])
        mask, base = uint64(question.places[each + 2]), question.places[each + 3]
        before = question.contents[base + int64((here[word] >> shift) & mask)]
        after = question.contents[base + int64((made[word] >> shift) & mask)]
        if before != after and before >= 0 and after >= 0:
            return True
    return False


@part
def _look_around(trees, state, here, question, answer):
    """Settle what a state, the one `here`, shows when all that it leads to was looked at."""
    width = len(question.full)
    able = False
    for thread in range(trees.threads):
        leaf = -walk(here, 0, trees, trees.roots[thread]) - 1
        if trees.leaf_count[leaf]:  # whether or not the search follows it
            able = True
        else:
            _set(answer.active, state, thread, len(question.everybody))
        if local_of(here, 0, trees, thread) <= ENDED:
            _set(answer.settled, state, question.moving[thread], width)
            _set(answer.settled, state, question.working[thread], width)
    if not able:
        for thread in range(trees.threads):
            _set(answer.settled, state, question.working[thread], width)


@part
def _close(state, height, question, answer, visiting):
    """Be done with the component of a state, the first that was visited of it.

    Gives how many states are still open. Those of this component are.
    """
    wide, width = len(question.full), len(question.everybody)
    still_open, visits, done = visiting.still_open, visiting.visits, len(visiting.visits) + 1
    below = height
    while below > 0 and visits[still_open[below - 1]] >= visits[state]:
        below -= 1
        member = int64(still_open[below])
        answer.marks[state] |= answer.marks[member]
        _hand(answer.active, member, state, width)
    fair = answer.marks[state] & CIRCLES != 0 and answer.ends[state] == 0
    for each in range(width):
        known = answer.active[state * width + each] | question.unhurried[each]
        fair &= known == question.everybody[each]
    if fair:
        answer.marks[state] |= uint8(ENDLESS)
    number = int64(0)
    if answer.marks[state] & (CIRCLES | LEAVES) == CIRCLES:
        for thread in range(len(question.working)):
            bit = question.working[thread]
            if bit >= 0 and not _has(answer.settled, state, bit, wide):
                # It waits for others, unless it cannot move.
                if _has(answer.settled, state, question.moving[thread], wide):
                    number = visiting.counts[COMPONENTS] + 1
    if number:
        visiting.counts[COMPONENTS] = number
    for at in range(below, height):
        member = int64(still_open[at])
        _hand(answer.settled, state, member, wide)
        answer.marks[member] = answer.marks[state]
        visits[member] = done
        if number:
            answer.component[member] = number
    visits[state] = done
    if number:
        answer.component[state] = number
    return below


@entry
def visit(space, trees, question, answer, visiting, enough):
    """Go on visiting states depth-first. True when there is more to do.

    It comes back after `enough` transitions.
    """
    space, trees = bare(space), bare(trees)
    settled, marks, full, wide = answer.settled, answer.marks, question.full, len(question.full)
    everybody = len(question.everybody)
    visits, path, orders, places = visiting.visits, visiting.path, visiting.orders, visiting.places
    still_open, here, made = visiting.still_open, visiting.here, visiting.made
    counts = visiting.counts
    begin, visited, depth, height = counts[BEGIN], counts[VISITED], counts[DEPTH], counts[HEIGHT]
    done = len(visits) + 1
    asks_for_work = False
    for thread in range(len(question.working)):
        asks_for_work |= question.working[thread] >= 0
    more = True
    while enough > 0 and more:
        enough -= 1
        if depth == 0:
            while begin >= 0 and (visits[begin] != 0 or _is_full(settled, begin, full)):
                _hand(settled, begin, parent_of(space, begin), wide)
                begin -= 1
            if begin < 0:
                more = False
                continue
            visited += 1
            visits[begin] = visited
            path[0], orders[0], places[0] = begin, visited, 0
            depth = 1
        state = int64(path[depth - 1])
        load(space, state, here, 0)
        target, place = _next_target(space, trees, here, places[depth - 1], made)
        places[depth - 1] = place
        thread = place >> 32
        seen = int64(0)
        if target >= 0:
            seen = int64(visits[target])
            _set(settled, state, question.moving[thread], wide)
            if asks_for_work and question.working[thread] >= 0:
                if not _has(settled, state, question.working[thread], wide):
                    if _changes_content(space, here, made, question):
                        _set(settled, state, question.working[thread], wide)
            _hand(settled, target, state, wide)
        else:
            _look_around(trees, state, here, question, answer)
        if _is_full(settled, state, full):
            # So are those on the path, and the open ones: they lead to those.
            while depth > 0:
                depth -= 1
                _hand(settled, state, int64(path[depth]), wide)
                visits[path[depth]] = done
            while height > 0:
                height -= 1
                _hand(settled, state, int64(still_open[height]), wide)
                visits[still_open[height]] = done
        elif target >= 0 and seen == 0:
            visited += 1
            visits[target] = visited
            path[depth], orders[depth], places[depth] = target, visited, 0
            depth += 1
        elif target >= 0 and seen == done:
            marks[state] |= uint8(LEAVES | (marks[target] & ENDLESS))
        elif target >= 0:
            _set(answer.active, state, thread, everybody)
            marks[state] |= uint8(CIRCLES)
            visits[state] = min(int64(visits[state]), seen)
        else:
            depth -= 1
            is_first = int64(visits[state]) == int64(orders[depth])
            if is_first:
                height = _close(state, height, question, answer, visiting)
            else:
                still_open[height] = state
                height += 1
            if depth > 0:
                before = int64(path[depth - 1])
                _hand(settled, state, before, wide)
                if is_first:
                    marks[before] |= uint8(LEAVES | (marks[state] & ENDLESS))
                else:
                    _set(answer.active, before, places[depth - 1] >> 32, everybody)
                    marks[before] |= uint8(CIRCLES)
                    visits[before] = min(int64(visits[before]), int64(visits[state]))
    counts[BEGIN], counts[VISITED], counts[DEPTH], counts[HEIGHT] = begin, visited, depth, height
    return more


@entry
def find_deeds(space, trees, numbers, begin, most, seen, here, made, states, steps):
    """The steps from some states, from number `begin` on, each with states that it is taken from.

    These are few, but show all that the step changes: each bit that it changes in any of the
    states, it changes in one of these. `seen` has, for each step, the bits that it was seen to
    change, and one more, for having been seen. Gives where to go on, and how many were put into
    `states` and `steps`: it ends where there is no room in them for the `most` of one state.
    """
    space, trees = bare(space), bare(trees)
    found = 0
    while begin < len(numbers) and found + most <= len(steps):
        state = int64(numbers[begin])
        load(space, state, here, 0)
        for thread in range(trees.threads):
            first, choices = expand(trees, walk(here, 0, trees, trees.roots[thread]))
            for step in range(first, first + choices):
                succeed(here, 0, trees, step, space.words, made, 0)
                base = step * (space.words + 1)
                new = seen[base + space.words] == 0
                seen[base + space.words] = 1
                for word in range(space.words):
                    differs = here[word] ^ made[word]
                    new |= differs & ~seen[base + word] != 0
                    seen[base + word] |= differs
                if new:
                    states[found], steps[found] = state, step
                    found += 1
        begin += 1
    return begin, found


@entry
def first_waits(space, trees, bits, begin, end, width, settled, marks, seen, first, found, here):
    """Put into `first` those of states `begin` to `end` in which a thread is stuck like in no other
    one before: at a leaf of its tree that is not in `seen`. Gives how many there are, with the
    `found` ones that were there before.
    """
    space, trees = bare(space), bare(trees)
    for state in range(begin, end):
        if marks[state] & ENDLESS == 0:
            continue
        new = False
        load(space, state, here, 0)
        for thread in range(len(bits)):
            byte = state * width + (bits[thread] >> 3)
            if bits[thread] >= 0 and not settled[byte] & uint8(1 << (bits[thread] & 7)):
                leaf = -walk(here, 0, trees, trees.roots[thread]) - 1
                new |= seen[leaf] == 0
                seen[leaf] = 1
        if new:
            first[found] = state
            found += 1
    return found
