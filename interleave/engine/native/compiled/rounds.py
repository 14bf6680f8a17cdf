"""The kernel: the inner loops of the native engine, compiled by numba.

One round takes a chunk of states in order. Workers share each of its parts:

1. `_explore`: walk the decision trees of the threads, and look the successors up. A new one is
   entered into the table by whoever comes by it first, without a number. A case that no tree knows
   is noted: then the round ends before it, and Python learns the case. What was entered for later
   states is taken back.
2. `_number`: new states get their numbers, in the order of the transitions that found them.
3. `_judge`: walk the decision trees of the properties in the new states.

A worker's share is a run of states, so that of two workers who found a state the first one counts:
its `finder`. Each worker keeps a list of the states that it was the finder of when it came by them;
put one after the other, without those that a worker before it has found as well, these lists are in
the order of breadth-first search, whatever the chunks and the workers. `rounds` does this over and
over for as long as Python is not needed. Workers that run at the same time each call it, and meet
between the parts: what one writes in a part, others read after the meeting only, but for the table
and the finders, which they change by atomic operations.
"""

from __future__ import annotations

from numba import int64, uint64

from interleave.engine.native.compiled.blocks import list_steps, list_targets
from interleave.engine.native.compiled.intrinsics import (
    add_to,
    bare,
    entry,
    inlined,
    let_others_run,
    lower_to,
    now_in,
    part,
)
from interleave.engine.native.compiled.store import (
    AHEAD,
    ask_for_state,
    find_or_enter,
    give_number,
    has_room,
    load,
    mix,
    parent_of,
    take_out,
)
from interleave.engine.native.compiled.walking import (
    child_of,
    leaf_of_property,
    local_of,
    pair_of,
    seen_by,
    stops,
    walk,
)
from interleave.engine.native.kernel import ALL, DONE, DRAIN, FULL, GROW, LEARN, PAUSE
from interleave.engine.native.round import (
    ASKED,
    BACKWARD,
    BACKWARD_NOW,
    CLAIMED,
    CYCLIC,
    CYCLIC_NOW,
    DONE_WITH,
    ENDED,
    ENDS,
    EVENTS,
    LOST,
    MISSED,
    TALLY,
    TRANSITIONS,
)
from interleave.engine.native.store.table import ENTERED_STRIDE
from interleave.engine.native.walking import UNKNOWN

NOT_PLANTED = 2**63
"""Instead of a place in a tree that has none yet."""

PATIENCE = 1_000
"""How often a worker looks whether the others have come before it lets others run."""

MOST_ANCESTORS = 10_000
"""States that are looked through for a cycle, for one transition."""


@inlined
def _tell(found, worker, mark, source, step):
    """Note that a mark was met, with the state and the step, unless it was met before."""
    if found.seen[worker * found.events_room + mark] == 0:
        found.seen[worker * found.events_room + mark] = 1
        tally = worker * TALLY
        entry = 3 * (worker * found.events_room + found.tally[tally + EVENTS])
        found.events[entry] = mark
        found.events[entry + 1] = source
        found.events[entry + 2] = step
        found.tally[tally + EVENTS] += 1


@inlined
def _miss(found, worker, missed, source, tree, step, follower):
    """Note a case that no tree knows, if there is room; without, it is met again once others are
    learnt. Gives how many are noted by now.
    """
    if missed < found.missed_room:
        entry = 4 * (worker * found.missed_room + missed)
        found.missed[entry] = source
        found.missed[entry + 1] = tree
        found.missed[entry + 2] = step
        found.missed[entry + 3] = follower
        missed += 1
    return missed


@part
def _is_new(states, at, trees, tree, root, found, worker):
    """Whether a branch that a walk from a root finds missing was not noted in this round.

    One case is enough for all states that come to the same missing branch.
    """
    child = int64(root)
    key = uint64(NOT_PLANTED + tree)
    while child > 0:
        node = child - 1
        code = seen_by(states, at, trees, node)
        key = (uint64(child) << uint64(32)) | code
        child = child_of(trees, node, code)
    place = worker * ASKED + int64(mix(key) & uint64(ASKED - 1))
    if found.asked[place] == key:
        return False
    found.asked[place] = key
    return True


@part
def _miss_moves(worker, space, trees, block, found, size, missed):
    """Note the cases of threads that are not known in a block's states. Gives how many by now."""
    leaves = worker * block.leaves_room
    words = space.words
    for each in range(size):
        place = worker * block.size + each
        at = place * words
        if stops(block.loaded, at, trees, words):
            continue  # nothing is asked of it
        for thread in range(trees.threads):
            if block.leaves[leaves + each * trees.threads + thread] == 0:
                root = trees.roots[thread]
                if _is_new(block.loaded, at, trees, thread, root, found, worker):
                    missed = _miss(found, worker, missed, block.states[place], thread, -1, -1)
    return missed


@part
def _note_marks(worker, space, trees, block, found, steps, missed):
    """Note the marks of a block's steps, and the cases of followers that are not known. Gives how
    many cases there are by now.
    """
    row = worker * block.room
    for slot in range(row, row + steps):
        mark = block.marks[slot]
        if mark >= 0:
            source = block.states[block.rows[slot]]
            _tell(found, worker, mark, source, block.steps[slot])
        elif mark <= UNKNOWN:
            step, source = block.steps[slot], block.states[block.rows[slot]]
            follower = UNKNOWN - mark
            tree = step * trees.followers + follower
            at, root = block.rows[slot] * space.words, trees.follow_roots[tree]
            if _is_new(block.loaded, at, trees, tree, root, found, worker):
                thread = block.movers[slot]
                missed = _miss(found, worker, missed, source, thread, step, follower)
    return missed


@part
def _note_pairs(worker, trees, block, found, size):
    """Note the pairs of actions that are pending in a block's states."""
    abouts = worker * found.about_room
    for each in range(size):
        row = worker * block.leaves_room + each * trees.threads
        for thread in range(trees.threads):
            leaf = int64(block.leaves[row + thread])
            about = trees.leaf_about[-leaf - 1] if leaf else int64(0)
            found.about[abouts + thread] = about
            if about:
                for other in range(abouts, abouts + thread):
                    if found.about[other]:
                        mark = pair_of(trees, found.about[other], about) - 1
                        if mark >= 0:
                            _tell(found, worker, mark, block.states[worker * block.size + each], -1)


@part
def _note_changes(worker, space, trees, block, found, steps):
    """Note under which local states of other threads a block's steps change what is watched."""
    words = space.words
    row = worker * block.room
    watched = 0
    for slot in range(row, row + steps):
        found.watched[row + watched] = slot
        watched += trees.watch_count[block.steps[slot]] > 0
    for place in range(row, row + watched):
        slot = int64(found.watched[place])
        step = block.steps[slot]
        at = block.rows[slot] * words
        first = trees.watch_first[step]
        for each in range(first, first + trees.watch_count[step]):
            word = trees.watch_words[each]
            before = block.loaded[at + word]
            after = (before & trees.keep[step * words + word]) | trees.put[step * words + word]
            if (before ^ after) & trees.watch_masks[each]:
                flags = worker * found.under_room + trees.watch_flags[each]
                for thread in range(trees.threads):
                    local = int64(local_of(block.loaded, at, trees, thread))
                    found.under[flags + trees.local_bases[thread] + local] |= (
                        thread != block.movers[slot]
                    )


@part
def _note_leads(worker, space, block, found, transitions):
    """Note whether one of a block's transitions leads back, and maybe round a cycle."""
    row = worker * block.room
    tally = worker * TALLY
    for each in range(row, row + transitions):
        source = block.origins[each]
        number = int64(block.numbers[worker * block.most_met + block.targets[each]])
        if number <= source:
            found.tally[tally + BACKWARD_NOW] += 1
            if found.tally[tally + CYCLIC_NOW] == 0 and _came_by(space, source, number):
                found.tally[tally + CYCLIC_NOW] = 1


@part
def _explore(worker, space, fresh, trees, block, found, begin, size, count, enters):
    """Expand a worker's share of `size` states from `begin` on.

    `count` is the number of states before the round. Unless it `enters` them, successors are not
    looked up; nor are they after a case that no tree knows, when only other such cases matter.
    """
    tally = worker * TALLY
    for what in (CLAIMED, LOST, BACKWARD_NOW, CYCLIC_NOW, DONE_WITH):
        found.tally[tally + what] = 0
    fresh.entered[worker * ENTERED_STRIDE] = 0
    transitions = 0
    met = 0
    missed = 0
    ends = found.tally[tally + ENDS]
    share = (size + space.workers - 1) // space.workers
    first = begin + min(size, worker * share)
    end = begin + min(size, worker * share + share)
    while first < end:
        states = min(block.size, end - first)
        for each in range(states):
            block.states[worker * block.size + each] = first + each
        first += states
        steps, ended, knows = list_steps(worker, space, trees, block, states)
        if not knows:
            missed = _miss_moves(worker, space, trees, block, found, states, missed)
        if missed and not trees.followers:
            continue
        followed, new = list_targets(worker, space, trees, block, steps, met)
        missed = _note_marks(worker, space, trees, block, found, steps, missed)
        if missed or not enters:
            continue
        if trees.asks_pairs and not trees.stop_at_failures:
            _note_pairs(worker, trees, block, found, states)
        if trees.watches:
            _note_changes(worker, space, trees, block, found, steps)
        for each in range(ended):
            found.ends[worker * found.ends_room + ends] = block.ended[worker * block.size + each]
            ends += 1
        _enter(worker, space, fresh, block, found, met, new, count)
        if found.tally[tally + CYCLIC] == 0:
            _note_leads(worker, space, block, found, followed)
        met = new
        transitions += followed
        found.tally[tally + DONE_WITH] += states
    found.tally[tally + TRANSITIONS] = transitions
    found.tally[tally + MISSED] = missed
    found.tally[tally + ENDED] = ends - found.tally[tally + ENDS]


@part
def _enter(worker, space, fresh, block, found, begin, end, count):
    """Look successors up, from `begin` to `end` of those met in this round; enter the new ones."""
    row = worker * block.room - begin
    met = worker * block.most_met
    words = space.words
    for slot in range(begin, end):
        if slot + AHEAD < end:
            ask_for_state(space, block.hashes[row + slot + AHEAD], count)
        entered = fresh.entered[worker * ENTERED_STRIDE]
        hashed, at = block.hashes[row + slot], (met + slot) * words
        number = find_or_enter(worker, space, fresh, block.successors, at, hashed, count)
        block.numbers[met + slot] = number
        if number >= count:
            place = number - count
            if fresh.entered[worker * ENTERED_STRIDE] > entered:
                _claim(worker, fresh, found, place, block.firsts[row + slot])
            elif fresh.finders[place] > worker:
                # It was entered in this round by a worker after this one.
                before = lower_to(fresh.finders, place, worker)
                if before > worker:
                    add_to(found.tally, before * TALLY + LOST, 1)
                    _claim(worker, fresh, found, place, block.firsts[row + slot])


@inlined
def _claim(worker, fresh, found, place, source):
    """Note that a worker is the finder of a new state."""
    claim = worker * fresh.room + found.tally[worker * TALLY + CLAIMED]
    found.claims[claim] = place
    found.claim_sources[claim] = source
    found.tally[worker * TALLY + CLAIMED] += 1


@part
def _take_back(worker, space, fresh, last):
    """Take what a worker has entered in this round out of the store, unless `last`, or a worker
    before that, has found it as well.
    """
    first = worker * fresh.room
    for place in range(first, first + fresh.entered[worker * ENTERED_STRIDE]):
        if fresh.finders[place] > last:
            take_out(worker, space, fresh, place)


@part
def _judge(worker, space, trees, block, found, begin, size):
    """Ask the properties in a worker's share of `size` states from `begin` on."""
    words = space.words
    at = worker * block.size * words
    threads = trees.threads
    properties = trees.properties
    missed = 0
    share = (size + space.workers - 1) // space.workers
    first = begin + min(size, worker * share)
    for number in range(first, begin + min(size, worker * share + share)):
        load(space, number, block.loaded, at)
        for each in range(properties):
            child = leaf_of_property(block.loaded, at, trees, words, each)
            if child == 0:
                tree = threads + each
                if _is_new(block.loaded, at, trees, tree, trees.roots[tree], found, worker):
                    missed = _miss(found, worker, missed, number, tree, -1, -1)
            elif child < 0 and trees.leaf_count[-child - 1]:
                if found.failed[worker * properties + each] < 0:
                    found.failed[worker * properties + each] = number
    found.tally[worker * TALLY + MISSED] = missed


@part
def _came_by(space, number, ancestor):
    """Whether the search came to a state by way of another one, not too long ago."""
    for _ in range(MOST_ANCESTORS):
        if number <= ancestor:
            break
        before = parent_of(space, number)
        if before == number:
            break
        number = before
    return number == ancestor


@inlined
def _found_by(found, worker):
    """How many new states have this worker as their finder."""
    return found.tally[worker * TALLY + CLAIMED] - found.tally[worker * TALLY + LOST]


@part
def _number(worker, space, fresh, found, count):
    """Give the states that a worker is the finder of their numbers."""
    tally = worker * TALLY
    found.tally[tally + ENDS] += found.tally[tally + ENDED]
    found.tally[tally + BACKWARD] += found.tally[tally + BACKWARD_NOW]
    found.tally[tally + CYCLIC] |= found.tally[tally + CYCLIC_NOW]
    number = count
    for before in range(worker):
        number += _found_by(found, before)
    first = worker * fresh.room
    for claim in range(first, first + found.tally[tally + CLAIMED]):
        place = found.claims[claim]
        if fresh.finders[place] == worker:
            give_number(space, fresh, place, number, found.claim_sources[claim], count)
            number += 1


@inlined
def _meet(found, parties, meetings):
    """Wait for the other workers."""
    if parties > 1:
        add_to(found.meeting, 0, 1)
        looks = 0
        while now_in(found.meeting, 0) < meetings * parties:
            looks += 1
            if looks > PATIENCE:
                let_others_run()


@part
def _sum(found, workers, what):
    """What all workers counted of something."""
    total = 0
    for worker in range(workers):
        total += found.tally[worker * TALLY + what]
    return total


@entry
def rounds(mine, space, fresh, trees, block, found, progress, bounds, enters):
    """Rounds, one after the other, until Python is needed.

    `mine` is the worker whose share is done, at the same time as all others do theirs, or ALL.
    Gives the reason to come back, and the `Progress` by then. Unless it `enters` states, it only
    looks whether all cases of the first `bounds.chunk` states are known: LEARN or DONE.
    """
    space, fresh, trees = bare(space), bare(fresh), bare(trees)
    block, found = bare(block), bare(found)
    workers = space.workers
    parties = 1 if mine == ALL else workers
    first = 0 if mine == ALL else mine
    last = workers if mine == ALL else mine + 1
    meetings = 0
    begin, judged, count = progress.expanded, progress.judged, progress.states
    transitions, done = progress.transitions, progress.rounds
    begin_before, count_before = progress.expanded_before, progress.states_before
    transitions_before = progress.transitions_before
    # All come to the same decisions, from what nobody changes before the next meeting.
    while True:
        if not enters:
            for worker in range(workers):
                _explore(
                    worker, space, fresh, trees, block, found, begin, bounds.chunk, count, False
                )
            reason = LEARN if _sum(found, workers, MISSED) else DONE
            break
        if judged < count and trees.properties:
            size = min(count - judged, found.missed_room // trees.properties)
            for worker in range(first, last):
                _judge(worker, space, trees, block, found, judged, size)
            meetings += 1
            _meet(found, parties, meetings)
            if _sum(found, workers, MISSED):
                reason = LEARN
                break
            judged += size
            meetings += 1
            _meet(found, parties, meetings)
            continue
        if begin == count:
            reason = DONE
            break
        if transitions >= bounds.transitions or begin >= bounds.until or done >= bounds.rounds:
            reason = PAUSE
            break
        size = min(bounds.chunk, min(count, bounds.until) - begin)
        if not has_room(space, count + workers * fresh.room):
            reason = GROW
            break
        full = False
        for worker in range(workers):
            full = full or found.tally[worker * TALLY + ENDS] + size > found.ends_room
        if full:
            reason = DRAIN
            break
        for worker in range(first, last):
            _explore(worker, space, fresh, trees, block, found, begin, size, count, True)
        meetings += 1
        _meet(found, parties, meetings)
        # Where a case is missed, what comes before it stays.
        active = 1
        while active < workers and found.tally[(active - 1) * TALLY + MISSED] == 0:
            active += 1
        misses = _sum(found, workers, MISSED) > 0
        if misses:
            size = _sum(found, active, DONE_WITH)
            for worker in range(max(first, active), last):
                _take_back(worker, space, fresh, active - 1)
        begin_before, count_before, transitions_before = begin, count, transitions
        for worker in range(first, min(last, active)):
            _number(worker, space, fresh, found, count)
        begin += size
        for worker in range(active):
            count += _found_by(found, worker)
        transitions += _sum(found, active, TRANSITIONS)
        done += 1
        meetings += 1
        _meet(found, parties, meetings)
        if count > bounds.states:
            reason = FULL
            break
        if misses:
            reason = LEARN
            break
    return (
        reason,
        begin,
        judged,
        count,
        transitions,
        done,
        begin_before,
        count_before,
        transitions_before,
    )


@entry
def leaves(trees, states, width, found):
    """Put the leaves that the threads' trees lead to in some states, of so many words each, into
    the rows of `found`.
    """
    trees = bare(trees)
    for row in range(len(found) // trees.threads):
        for thread in range(trees.threads):
            found[row * trees.threads + thread] = walk(
                states, row * width, trees, trees.roots[thread]
            )
