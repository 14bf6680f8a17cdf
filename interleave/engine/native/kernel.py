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

from typing import NamedTuple

from numba import int64, uint64

from interleave.engine.native.blocks import list_steps, list_targets
from interleave.engine.native.intrinsics import (
    add_to,
    bare,
    entry,
    inlined,
    let_others_run,
    lower_to,
    lowest_bit,
    now_in,
    part,
    put_if_zero,
)
from interleave.engine.native.table import (
    AHEAD,
    STRIDE,
    USELESS,
    Array,
    ask_for_state,
    bucket_of,
    copy_words,
    equal_bytes,
    is_full,
    mix,
    next_bucket,
    same_words,
    set_tag,
    tag_of,
)
from interleave.engine.native.walking import (
    UNKNOWN,
    child_of,
    leaf_of_property,
    local_of,
    pair_of,
    seen_by,
    stops,
    walk,
)

# What a worker counts, in its row of `tally`.
(
    TRANSITIONS,  # found in this round
    MISSED,  # cases of this round that no tree knows
    ENDED,  # states of this round without a transition
    ENDS,  # those before this round, in `ends`
    EVENTS,  # marks met for the first time, in `events`
    ENTERED,  # states that it entered into the table in this round
    CLAIMED,  # states that it was the finder of in this round
    LOST,  # those of them that a worker before it has found as well
    BACKWARD,  # transitions to a state with no higher number
    CYCLIC,  # whether one of them leads to where the search came from
    BACKWARD_NOW,  # the same in this round
    CYCLIC_NOW,
    DONE_WITH,  # states of its share that come before all cases of it that no tree knows
) = range(13)
TALLY = 24
"""Length of a row of `tally`: three cache lines, so that workers do not share one."""

NOT_PLANTED = 2**63
"""Instead of a place in a tree that has none yet."""

PATIENCE = 1_000
"""How often a worker looks whether the others have come before it lets others run."""

ASKED = 1 << 12
"""Cases that a worker remembers having noted in a round, at most."""

ALL = -1
"""Instead of a worker: the shares of all, one after the other."""

MOST_ANCESTORS = 10_000
"""States that are looked through for a cycle, for one transition."""

# Why `rounds` came back.
DONE, LEARN, GROW, DRAIN, PAUSE, FULL = range(6)


class Round(NamedTuple):
    """Room for what rounds find. Most arrays have a row for each worker."""

    room: int  # states that a worker enters in a round, at most
    watched: Array  # int32: steps of a block with a change that is watched
    tally: Array  # int64, TALLY for each worker
    missed: Array  # int64, four for each case: state, tree, step and follower (-1 for none)
    missed_room: int
    asked: Array  # uint64, ASKED for each worker: where walks along trees ended
    ends: Array  # int64
    ends_room: int
    events: Array  # int64, three for each: mark, state, step (-1 for a pair)
    seen: Array  # uint8: whether a mark was met before
    events_room: int
    # Of a state that a worker has entered: `room` of them for each.
    new_states: Array  # uint64, `words` for each
    new_entries: Array  # int64: places in the table
    finders: Array  # int64: the first of the workers that found it
    # In the order in which a worker was the finder of them: `room` of them for each.
    claims: Array  # int64: places in the three arrays before
    claim_sources: Array  # int64: the states that they were found from
    about: Array  # int64, for each thread: what it is about to do in the present state
    about_room: int
    under: Array  # uint8: whether there was a change while a thread was in a local state
    under_room: int
    failed: Array  # int64, one for each property: the first state in which it fails; -1 for none
    last: Array  # int64: of the last round, the first state, and the states and transitions before
    meeting: Array  # int64: how often a worker has come to a meeting


@inlined
def _tell(found, worker, mark, source, step):
    """Note a mark, and where it was met, unless it was met before."""
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
    """Note a case if there is room: others are met again. Gives how many are noted by now."""
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
    """Whether a walk from a root ends where none of this round has ended.

    As trees look at little, one case is enough for most states that get there.
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
    for each in range(size):
        state = block.states[worker * block.size + each]
        if stops(space.states, state * space.words, trees, space.words):
            continue  # nothing is asked of it
        for thread in range(trees.threads):
            if block.leaves[leaves + each * trees.threads + thread] == 0:
                root = trees.roots[thread]
                if _is_new(space.states, state * space.words, trees, thread, root, found, worker):
                    missed = _miss(found, worker, missed, state, thread, -1, -1)
    return missed


@part
def _note_marks(worker, space, trees, block, found, steps, missed):
    """Tell of what a block's steps are marked with, and note the cases of followers that are not
    known. Gives how many cases there are by now.
    """
    row = worker * block.room
    for slot in range(row, row + steps):
        mark = block.marks[slot]
        if mark >= 0:
            _tell(found, worker, mark, block.sources[slot], block.steps[slot])
        elif mark <= UNKNOWN:
            step, source = block.steps[slot], block.sources[slot]
            follower = UNKNOWN - mark
            tree = step * trees.followers + follower
            at, root = source * space.words, trees.follow_roots[tree]
            if _is_new(space.states, at, trees, tree, root, found, worker):
                thread = block.movers[slot]
                missed = _miss(found, worker, missed, source, thread, step, follower)
    return missed


@part
def _note_pairs(worker, trees, block, found, size):
    """Tell of the pairs among what the threads are about to do in a block's states."""
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
        at = block.sources[slot] * words
        first = trees.watch_first[step]
        for each in range(first, first + trees.watch_count[step]):
            word = trees.watch_words[each]
            before = space.states[at + word]
            after = (before & trees.keep[step * words + word]) | trees.put[step * words + word]
            if (before ^ after) & trees.watch_masks[each]:
                flags = worker * found.under_room + trees.watch_flags[each]
                for thread in range(trees.threads):
                    local = int64(local_of(space.states, at, trees, thread))
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
def _explore(worker, space, trees, block, found, begin, size, count, enters):
    """Expand a worker's share of `size` states from `begin` on.

    `count` is the number of states before the round. Unless it `enters` them, successors are not
    looked up; nor are they after a case that no tree knows, when only other such cases matter.
    """
    tally = worker * TALLY
    for what in (ENTERED, CLAIMED, LOST, BACKWARD_NOW, CYCLIC_NOW, DONE_WITH):
        found.tally[tally + what] = 0
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
        _enter(worker, space, block, found, met, new, count)
        if found.tally[tally + CYCLIC] == 0:
            _note_leads(worker, space, block, found, followed)
        met = new
        transitions += followed
        found.tally[tally + DONE_WITH] += states
    found.tally[tally + TRANSITIONS] = transitions
    found.tally[tally + MISSED] = missed
    found.tally[tally + ENDED] = ends - found.tally[tally + ENDS]


@part
def _enter(worker, space, block, found, begin, end, count):
    """Look successors up, from `begin` to `end` of those met in this round; enter the new ones."""
    row = worker * block.room - begin
    met = worker * block.most_met
    for slot in range(begin, end):
        if slot + AHEAD < end:
            ask_for_state(space, block.hashes[row + slot + AHEAD], count)
        hashed = block.hashes[row + slot]
        source = block.firsts[row + slot]
        number = _look_up(worker, space, block, found, met + slot, hashed, source, count)
        block.numbers[met + slot] = number
        if number >= count:
            # Found in this round, and maybe by a worker after this one.
            place = number - count
            if found.finders[place] > worker:
                before = lower_to(found.finders, place, worker)
                if before > worker:
                    add_to(found.tally, before * TALLY + LOST, 1)
                    _claim(worker, found, place, source)


@inlined
def _claim(worker, found, place, source):
    """Note that a worker is the finder of a new state."""
    claim = worker * found.room + found.tally[worker * TALLY + CLAIMED]
    found.claims[claim] = place
    found.claim_sources[claim] = source
    found.tally[worker * TALLY + CLAIMED] += 1


@inlined
def _is_there(space, block, found, number, slot, count):
    """Whether a successor is state `number`: one that has a number, or is to get one."""
    words = space.words
    if number < count:
        return same_words(space.states, number * words, block.successors, slot * words, words)
    place = (number - count) * words
    return same_words(found.new_states, place, block.successors, slot * words, words)


@inlined
def _look_up(worker, space, block, found, slot, hashed, source, count):
    """The number of a successor, which is entered if it is new.

    One that was entered in this round has `count`, and its place among the new states, instead.
    """
    tag = tag_of(hashed)
    bucket = bucket_of(hashed, space.buckets)
    number = int64(-1)
    while number < 0:
        word = bucket * space.tags_stride + space.tags_at
        tags, more_tags = space.tags[word], space.tags[word + 1]
        for half in range(2):
            hits = equal_bytes(more_tags if half else tags, tag)
            while hits and number < 0:
                entry = bucket * STRIDE + half * 8 + int64(lowest_bit(hits) >> uint64(3))
                known = int64(space.table[entry]) - 1
                while known < 0:  # its tag was seen before the number
                    known = int64(now_in(space.table, entry)) - 1
                if _is_there(space, block, found, known, slot, count):
                    number = known
                hits &= hits - uint64(1)
        for half in range(2):
            free = equal_bytes(more_tags if half else tags, uint64(0))
            while free and number < 0:
                entry = bucket * STRIDE + half * 8 + int64(lowest_bit(free) >> uint64(3))
                known = _take(worker, space, block, found, slot, source, count, entry)
                if known == 0:
                    set_tag(space, entry, tag)
                    number = count + worker * found.room + found.tally[worker * TALLY + ENTERED] - 1
                elif _is_there(space, block, found, known - 1, slot, count):
                    number = known - 1
                free &= free - uint64(1)
        bucket = next_bucket(bucket, space.buckets)
    return number


@inlined
def _take(worker, space, block, found, slot, source, count, entry):
    """Take a free entry for a successor, which is new. Gives 0, or what somebody has put there."""
    words = space.words
    place = worker * found.room + found.tally[worker * TALLY + ENTERED]
    copy_words(found.new_states, place * words, block.successors, slot * words, words)
    found.new_entries[place] = entry
    found.finders[place] = worker
    known = int64(put_if_zero(space.table, entry, count + place + 1))
    if known == 0:
        found.tally[worker * TALLY + ENTERED] += 1
        _claim(worker, found, place, source)
    return known


@part
def _take_back(worker, space, found, last):
    """Take what a worker has entered in this round out of the table, unless `last`, or a worker
    before that, has found it as well.
    """
    first = worker * found.room
    for place in range(first, first + found.tally[worker * TALLY + ENTERED]):
        if found.finders[place] > last:
            entry = found.new_entries[place]
            # Where a bucket is full, what stays may be behind it.
            tag = USELESS if is_full(space, entry // STRIDE) else 0
            set_tag(space, entry, tag)
            space.table[entry] = 0
            space.useless[worker] += tag != 0


@part
def _judge(worker, space, trees, found, begin, size):
    words = space.words
    threads = trees.threads
    properties = trees.properties
    missed = 0
    share = (size + space.workers - 1) // space.workers
    first = begin + min(size, worker * share)
    for number in range(first, begin + min(size, worker * share + share)):
        for each in range(properties):
            child = leaf_of_property(space.states, number * words, trees, words, each)
            if child == 0:
                tree = threads + each
                if _is_new(
                    space.states, number * words, trees, tree, trees.roots[tree], found, worker
                ):
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
        before = int64(space.parents[number])
        if before == number:
            break
        number = before
    return number == ancestor


@inlined
def _found_by(found, worker):
    """How many new states have this worker as their finder."""
    return found.tally[worker * TALLY + CLAIMED] - found.tally[worker * TALLY + LOST]


@part
def _number(worker, space, found, count):
    """Give the states that a worker is the finder of their numbers, and put them in their place."""
    words = space.words
    tally = worker * TALLY
    found.tally[tally + ENDS] += found.tally[tally + ENDED]
    found.tally[tally + BACKWARD] += found.tally[tally + BACKWARD_NOW]
    found.tally[tally + CYCLIC] |= found.tally[tally + CYCLIC_NOW]
    number = count
    for before in range(worker):
        number += _found_by(found, before)
    first = worker * found.room
    for claim in range(first, first + found.tally[tally + CLAIMED]):
        place = found.claims[claim]
        if found.finders[place] != worker:
            continue
        copy_words(space.states, number * words, found.new_states, place * words, words)
        space.parents[number] = found.claim_sources[claim]
        if number != count + place:  # as it is for the first worker, until a later one is ahead
            space.table[found.new_entries[place]] = number + 1
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
def rounds(
    mine,
    space,
    trees,
    block,
    found,
    progress,
    chunk,
    until,
    enough,
    most_rounds,
    most_states,
    most_entered,
    enters,
):
    """Rounds, one after the other, until Python is needed; gives the reason to come back.

    `mine` is the worker whose share is done, at the same time as all others do theirs, or ALL.
    `progress` is changed in the end: the first state that is not expanded, the first one whose
    properties are not known, the number of states, of transitions, of rounds. `chunk` is the number
    of states of a round at most, `until` the first state not to be expanded; after `enough`
    transitions or `most_rounds` it comes back; `most_states` is the limit of states, `most_entered`
    what the table may hold. Unless it `enters` states, it only looks whether all cases of the first
    `chunk` states are known.
    """
    space, trees, block, found = bare(space), bare(trees), bare(block), bare(found)
    workers = space.workers
    parties = 1 if mine == ALL else workers
    first = 0 if mine == ALL else mine
    last = workers if mine == ALL else mine + 1
    meetings = 0
    begin, judged, count, transitions = progress[0], progress[1], progress[2], progress[3]
    done = progress[4]
    if not enters:
        for worker in range(workers):
            _explore(worker, space, trees, block, found, begin, chunk, count, False)
        return LEARN if _sum(found, workers, MISSED) else DONE
    # All come to the same decisions, from what nobody changes before the next meeting.
    while True:
        if judged < count and trees.properties:
            size = min(count - judged, found.missed_room // trees.properties)
            for worker in range(first, last):
                _judge(worker, space, trees, found, judged, size)
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
        if transitions >= enough or begin >= until or done >= most_rounds:
            reason = PAUSE
            break
        size = min(chunk, min(count, until) - begin)
        most = count + workers * found.room
        useless = 0
        for worker in range(workers):
            useless += space.useless[worker]
        if most > space.room or most + useless > most_entered:
            reason = GROW
            break
        full = False
        for worker in range(workers):
            full = full or found.tally[worker * TALLY + ENDS] + size > found.ends_room
        if full:
            reason = DRAIN
            break
        for worker in range(first, last):
            _explore(worker, space, trees, block, found, begin, size, count, True)
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
                _take_back(worker, space, found, active - 1)
        if first == 0:
            found.last[0] = begin
            found.last[1] = count
            found.last[2] = transitions
        for worker in range(first, min(last, active)):
            _number(worker, space, found, count)
        begin += size
        for worker in range(active):
            count += _found_by(found, worker)
        transitions += _sum(found, active, TRANSITIONS)
        done += 1
        meetings += 1
        _meet(found, parties, meetings)
        if count > most_states:
            reason = FULL
            break
        if misses:
            reason = LEARN
            break
    if first == 0:
        progress[0] = begin
        progress[1] = judged
        progress[2] = count
        progress[3] = transitions
        progress[4] = done
    return reason


@entry
def leaves(space, trees, numbers, found):
    """Put the leaves that the threads' trees lead to in some states into rows of `found`."""
    space, trees = bare(space), bare(trees)
    for row in range(len(numbers)):
        for thread in range(trees.threads):
            at = numbers[row] * space.words
            found[row, thread] = walk(space.states, at, trees, trees.roots[thread])
