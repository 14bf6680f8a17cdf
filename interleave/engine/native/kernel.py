"""The kernel: the inner loops of the native engine, compiled by numba.

One round takes a chunk of states in order. Workers share each of its parts:

1. `_explore`: walk the decision trees of the threads in each state, and look the successors up. A
   new one is entered into the table by whoever comes by it first, without a number. A case that no
   tree knows is noted: then the round is taken back, Python learns the case, and it is done again.
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

from interleave.engine.native.intrinsics import (
    add_to,
    entry,
    inlined,
    let_others_run,
    lower_to,
    lowest_bit,
    now_in,
    part,
    prefetch,
    put_if_zero,
)
from interleave.engine.native.table import (
    AHEAD,
    STRIDE,
    Array,
    bucket_of,
    equal_bytes,
    hash_of,
    mix,
    next_bucket,
    same_words,
    set_tag,
    tag_of,
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
) = range(12)
TALLY = 24
"""Length of a row of `tally`: three cache lines, so that workers do not share one."""

BATCH = 256
"""Successors that are looked up one after the other: enough to have asked for memory in time."""

LINE = 64
"""Bytes of a cache line."""

PATIENCE = 1_000
"""How often a worker looks whether the others have come before it lets others run."""

ASKED = 1 << 12
"""Cases of followers that a worker remembers having noted in a round, at most."""

ALL = -1
"""Instead of a worker: the shares of all, one after the other."""

MOST_ANCESTORS = 10_000
"""States that are looked through for a cycle, for one transition."""

# Why `rounds` came back.
DONE, LEARN, GROW, DRAIN, PAUSE, FULL = range(6)

# Instead of a mark, which is 0 or more.
UNMARKED = -1
DROPPED = -2  # the step is not followed
UNKNOWN = -3  # and below: the step is not known, for one of the followers


class Trees(NamedTuple):
    """Decision trees. A child is a node (its index + 1), a leaf (-index - 1), or not known (0).

    A leaf of a thread's tree stands for some steps. A leaf of a property has a count of 1 where the
    property fails, and of 0 where it holds. A leaf of a follower has what it holds after a step
    instead of a first step, and a mark instead of a count.
    """

    node_words: Array  # int64: word, shift and mask of the place that a node looks at
    node_shifts: Array  # uint64
    node_masks: Array  # uint64
    node_bases: Array  # int64: where its branches begin; -1 for those in `wide`
    branches: Array  # int32: children by what is at the place
    wide_keys: Array  # uint64: node and what is at its place; 0 where free
    wide_children: Array  # int32
    roots: Array  # int32: the child to begin with for each thread, then for each property
    leaf_first: Array  # int64: the first of the steps that a leaf stands for
    leaf_count: Array  # int64: how many they are
    keep: Array  # uint64, `words` for each step: bits of the state that it leaves alone
    put: Array  # uint64, likewise: bits that it sets
    marks: Array  # int64: for each step, what to tell Python of, once
    watch_first: Array  # int64: the first of the changes of a step that are watched
    watch_count: Array  # int64
    watch_words: Array  # int64: word and mask of the place that changes, and where its flags begin
    watch_masks: Array  # uint64
    watch_flags: Array  # int64
    local_words: Array  # int64: word, shift and mask of each thread's local state
    local_shifts: Array  # uint64
    local_masks: Array  # uint64
    local_bases: Array  # int64: among the flags of a change, where those of a thread begin
    follower_words: Array  # int64: word, shift and mask of what each follower holds
    follower_shifts: Array  # uint64
    follower_masks: Array  # uint64
    follow_roots: Array  # int32, one for each step and follower: 0 where it goes on holding that
    unfinished: Array  # uint64: bits of which none is set where all threads but daemons have ended
    when_final: Array  # int64: for each property, whether it is asked in final states only
    stop_at_failures: int  # whether states are not expanded in which a property fails, or a pair is
    asks_pairs: int  # whether somebody asks what two threads are about to do in one state
    leaf_about: Array  # int64: what a leaf of a thread is about to do; 0 where nobody asks
    pair_keys: Array  # uint64: two such numbers, the smaller one first; 0 where free
    pair_marks: Array  # int32: what to tell Python of, once (the mark + 1)


class Round(NamedTuple):
    """Room for what rounds find. Most arrays have a row for each worker."""

    room: int  # transitions that a worker finds in a round, at most
    batch: int  # length of the rows of successors that are to be looked up
    hashes: Array  # uint64
    successors: Array  # uint64, `words` for each
    sources: Array  # int64
    tally: Array  # int64, TALLY for each worker
    missed: Array  # int64, four for each case: state, tree, step and follower (-1 for none)
    missed_room: int
    asked: Array  # uint64, ASKED for each worker: where walks along followers' trees ended
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


@part
def _found_at(keys, values, key):
    """What a hash table has for a key; 0 where it has none."""
    mask = len(keys) - 1
    place = int64(mix(key)) & mask
    while keys[place] != 0:
        if keys[place] == key:
            return int64(values[place])
        place = (place + 1) & mask
    return int64(0)


@inlined
def _child(trees, node, code):
    base = trees.node_bases[node]
    if base >= 0:
        return int64(trees.branches[base + int64(code)])
    key = (uint64(node + 1) << uint64(32)) | code
    return _found_at(trees.wide_keys, trees.wide_children, key)


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
def _walk(states, at, trees, start):
    """Follow a tree from a child to a leaf, or to 0 where it ends without one."""
    child = int64(start)
    while child > 0:
        node = child - 1
        code = (states[at + trees.node_words[node]] >> trees.node_shifts[node]) & (
            trees.node_masks[node]
        )
        child = _child(trees, node, code)
    return child


@inlined
def _local(states, at, trees, thread):
    """The code of a thread's local state."""
    return (states[at + trees.local_words[thread]] >> trees.local_shifts[thread]) & (
        trees.local_masks[thread]
    )


@inlined
def _succeed(states, at, trees, step, words, into, to):
    """Put what a step leads to from a state at `into[to]`. Gives what marks it (see `UNMARKED`)."""
    for word in range(words):
        into[to + word] = (states[at + word] & trees.keep[step * words + word]) | trees.put[
            step * words + word
        ]
    mark = trees.marks[step]
    followers = len(trees.follower_words)
    for follower in range(followers):
        child = int64(trees.follow_roots[step * followers + follower])
        if child == 0:
            continue
        child = _walk(states, at, trees, child)
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
def _fails(states, at, trees, words, each):
    """The leaf of a property in a state; 0 where it is not known, or UNASKED."""
    threads = len(trees.local_words)
    if trees.when_final[each]:
        for word in range(words):
            if states[at + word] & trees.unfinished[word]:
                return int64(UNASKED)
        for thread in range(threads):
            if _local(states, at, trees, thread) == uint64(1):  # FAILED
                return int64(UNASKED)
    return _walk(states, at, trees, trees.roots[threads + each])


UNASKED = 1
"""Instead of a leaf or 0, of a property that is not asked in a state."""


@inlined
def _pair_of(trees, one, other):
    """The mark + 1 of what two threads are about to do; 0 where nobody asks about that."""
    key = (uint64(min(one, other)) << uint64(32)) | uint64(max(one, other))
    return _found_at(trees.pair_keys, trees.pair_marks, key)


@part
def _about(states, at, trees, thread):
    """What a thread is about to do in a state; 0 where nobody asks, or it is not known."""
    child = _walk(states, at, trees, trees.roots[thread])
    return trees.leaf_about[-child - 1] if child < 0 else int64(0)


@part
def _meets_pair(states, at, trees):
    """Whether two threads are about to do something that is asked about."""
    for thread in range(len(trees.local_words)):
        about = _about(states, at, trees, thread)
        if about:
            for other in range(thread):
                before = _about(states, at, trees, other)
                if before and _pair_of(trees, before, about):
                    return True
    return False


@inlined
def _stops(states, at, trees, words):
    """Whether a state is not expanded, for a property fails there, or two threads are a pair."""
    if trees.stop_at_failures:
        for each in range(len(trees.when_final)):
            child = _fails(states, at, trees, words, each)
            if child < 0 and trees.leaf_count[-child - 1]:
                return True
        if trees.asks_pairs:
            return _meets_pair(states, at, trees)
    return False


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
def _is_new(states, at, trees, root, found, worker):
    """Whether a walk along a follower's tree ends where none of this round has ended.

    As followers look at little, one case is enough for most states that get there.
    """
    child = int64(root)
    key = uint64(0)
    while child > 0:
        node = child - 1
        code = (states[at + trees.node_words[node]] >> trees.node_shifts[node]) & (
            trees.node_masks[node]
        )
        key = (uint64(child) << uint64(32)) | code
        child = _child(trees, node, code)
    place = worker * ASKED + int64(mix(key) & uint64(ASKED - 1))
    if found.asked[place] == key:
        return False
    found.asked[place] = key
    return True


@part
def _explore(worker, space, trees, found, begin, size, count, enters):
    """Expand a worker's share of `size` states from `begin` on.

    `count` is the number of states before the round. Unless it `enters` them, successors are not
    looked up; nor are they after a case that no tree knows, when only other such cases matter.
    """
    words = space.words
    states = space.states
    threads = len(trees.local_words)
    row = worker * found.batch
    tally = worker * TALLY
    for what in (ENTERED, CLAIMED, LOST, BACKWARD_NOW, CYCLIC_NOW):
        found.tally[tally + what] = 0
    filled = 0
    transitions = 0
    missed = 0
    ends = found.tally[tally + ENDS]
    asks_pairs = trees.asks_pairs and not trees.stop_at_failures
    abouts = worker * found.about_room
    share = (size + space.workers - 1) // space.workers
    first = begin + min(size, worker * share)
    for source in range(first, begin + min(size, worker * share + share)):
        at = source * words
        if _stops(states, at, trees, words):
            continue
        moved = False
        for thread in range(threads):
            child = _walk(states, at, trees, trees.roots[thread])
            if asks_pairs:
                about = trees.leaf_about[-child - 1] if child else int64(0)
                found.about[abouts + thread] = about
                if about:
                    for other in range(abouts, abouts + thread):
                        if found.about[other]:
                            mark = _pair_of(trees, found.about[other], about) - 1
                            if mark >= 0:
                                _tell(found, worker, mark, source, -1)
            if child == 0:
                missed = _miss(found, worker, missed, source, thread, -1, -1)
                continue
            steps = trees.leaf_first[-child - 1]
            for step in range(steps, steps + trees.leaf_count[-child - 1]):
                moved = True
                to = (row + filled) * words
                mark = _succeed(states, at, trees, step, words, found.successors, to)
                if mark <= UNKNOWN:
                    follower = UNKNOWN - mark
                    root = step * len(trees.follower_words) + follower
                    if _is_new(states, at, trees, trees.follow_roots[root], found, worker):
                        missed = _miss(found, worker, missed, source, thread, step, follower)
                    continue
                if mark == DROPPED:
                    continue
                if mark >= 0:
                    _tell(found, worker, mark, source, step)
                for each in range(
                    trees.watch_first[step], trees.watch_first[step] + trees.watch_count[step]
                ):
                    word = trees.watch_words[each]
                    if (states[at + word] ^ found.successors[to + word]) & trees.watch_masks[each]:
                        flags = worker * found.under_room + trees.watch_flags[each]
                        for other in range(threads):
                            if other != thread:
                                local = int64(_local(states, at, trees, other))
                                found.under[flags + trees.local_bases[other] + local] = 1
                transitions += 1
                if missed == 0 and enters:
                    hashed = hash_of(found.successors, to, words)
                    prefetch(space.table, uint64(bucket_of(hashed, space.buckets) * STRIDE))
                    found.hashes[row + filled] = hashed
                    found.sources[row + filled] = source
                    filled += 1
        if not moved:
            found.ends[worker * found.ends_room + ends] = source
            ends += 1
        if filled >= BATCH:
            _enter(worker, space, found, filled, count)
            filled = 0
    _enter(worker, space, found, filled, count)
    found.tally[tally + TRANSITIONS] = transitions
    found.tally[tally + MISSED] = missed
    found.tally[tally + ENDED] = ends - found.tally[tally + ENDS]


@part
def _enter(worker, space, found, filled, count):
    """Look a worker's batch of successors up, and enter those that are new."""
    words = space.words
    states = space.states
    row = worker * found.batch
    tally = worker * TALLY
    for slot in range(row, row + filled):
        ahead = slot + AHEAD
        if ahead < row + filled:
            # Ask for the state that an entry may name in time; for the entry was asked before.
            hashed = found.hashes[ahead]
            bucket = bucket_of(hashed, space.buckets)
            hits = equal_bytes(
                space.tags[bucket * space.tags_stride + space.tags_at], tag_of(hashed)
            )
            if hits:
                entry = bucket * STRIDE + int64(lowest_bit(hits) >> uint64(3))
                number = int64(space.table[entry]) - 1
                if 0 <= number < count:
                    prefetch(states, uint64(number * words))
        number = _look_up(worker, space, found, slot, count)
        if number < 0:
            continue
        if number >= count:
            # Found in this round, and maybe by a worker after this one.
            place = number - count
            if found.finders[place] > worker:
                before = lower_to(found.finders, place, worker)
                if before > worker:
                    add_to(found.tally, before * TALLY + LOST, 1)
                    _claim(worker, found, place, slot)
            continue
        source = found.sources[slot]
        if number <= source:
            found.tally[tally + BACKWARD_NOW] += 1
            if found.tally[tally + CYCLIC_NOW] == 0 and _came_by(space, source, number):
                found.tally[tally + CYCLIC_NOW] = 1


@inlined
def _claim(worker, found, place, slot):
    """Note that a worker is the finder of a new state."""
    claim = worker * found.room + found.tally[worker * TALLY + CLAIMED]
    found.claims[claim] = place
    found.claim_sources[claim] = found.sources[slot]
    found.tally[worker * TALLY + CLAIMED] += 1


@inlined
def _is_there(space, found, number, slot, count):
    """Whether a successor is state `number`: one that has a number, or is to get one."""
    words = space.words
    if number < count:
        return same_words(space.states, number * words, found.successors, slot * words, words)
    place = (number - count) * words
    return same_words(found.new_states, place, found.successors, slot * words, words)


@inlined
def _look_up(worker, space, found, slot, count):
    """The number of a successor; -1 where it was entered now.

    One that was entered in this round has `count`, and its place among the new states, instead.
    """
    hashed = found.hashes[slot]
    tag = tag_of(hashed)
    bucket = bucket_of(hashed, space.buckets)
    number = int64(-1)
    is_over = False
    while not is_over:
        for half in range(2):
            tags = space.tags[bucket * space.tags_stride + space.tags_at + half]
            entries = bucket * STRIDE + half * 8
            hits = equal_bytes(tags, tag)
            while hits and not is_over:
                entry = entries + int64(lowest_bit(hits) >> uint64(3))
                known = int64(space.table[entry]) - 1
                while known < 0:  # its tag was seen before the number
                    known = int64(now_in(space.table, entry)) - 1
                if _is_there(space, found, known, slot, count):
                    number = known
                    is_over = True
                hits &= hits - uint64(1)
            free = equal_bytes(tags, uint64(0))
            while free and not is_over:
                entry = entries + int64(lowest_bit(free) >> uint64(3))
                known = _take(worker, space, found, slot, count, entry)
                if known == 0:
                    set_tag(space, entry, tag)
                    is_over = True
                elif _is_there(space, found, known - 1, slot, count):
                    number = known - 1
                    is_over = True
                free &= free - uint64(1)
            if is_over:
                break
        bucket = next_bucket(bucket, space.buckets)
    return number


@inlined
def _take(worker, space, found, slot, count, entry):
    """Take a free entry for a successor, which is new. Gives 0, or what somebody has put there."""
    words = space.words
    place = worker * found.room + found.tally[worker * TALLY + ENTERED]
    for word in range(words):
        found.new_states[place * words + word] = found.successors[slot * words + word]
    found.new_entries[place] = entry
    found.finders[place] = worker
    known = int64(put_if_zero(space.table, entry, count + place + 1))
    if known == 0:
        found.tally[worker * TALLY + ENTERED] += 1
        _claim(worker, found, place, slot)
    return known


@part
def _take_back(worker, space, found):
    """Take what a worker has entered in this round out of the table."""
    first = worker * found.room
    for place in range(first, first + found.tally[worker * TALLY + ENTERED]):
        set_tag(space, found.new_entries[place], 0)
        space.table[found.new_entries[place]] = 0


@part
def _judge(worker, space, trees, found, begin, size):
    words = space.words
    threads = len(trees.local_words)
    properties = len(trees.when_final)
    missed = 0
    share = (size + space.workers - 1) // space.workers
    first = begin + min(size, worker * share)
    for number in range(first, begin + min(size, worker * share + share)):
        for each in range(properties):
            child = _fails(space.states, number * words, trees, words, each)
            if child == 0:
                missed = _miss(found, worker, missed, number, threads + each, -1, -1)
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
        for word in range(words):
            space.states[number * words + word] = found.new_states[place * words + word]
        space.parents[number] = found.claim_sources[claim]
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
def expand(space, trees, found, begin, size):
    """Walk the trees of the threads in `size` states from `begin` on, for all workers."""
    for worker in range(space.workers):
        _explore(worker, space, trees, found, begin, size, 0, False)


@entry
def rounds(
    mine,
    space,
    trees,
    found,
    progress,
    chunk,
    until,
    enough,
    most_rounds,
    most_states,
    most_entered,
):
    """Rounds, one after the other, until Python is needed; gives the reason to come back.

    `mine` is the worker whose share is done, at the same time as all others do theirs, or ALL.
    `progress` is changed in the end: the first state that is not expanded, the first one whose
    properties are not known, the number of states, of transitions, of rounds. `chunk` is the number
    of states of a round at most, `until` the first state not to be expanded; after `enough`
    transitions or `most_rounds` it comes back; `most_states` is the limit of states, `most_entered`
    what the table may hold.
    """
    workers = space.workers
    parties = 1 if mine == ALL else workers
    first = 0 if mine == ALL else mine
    last = workers if mine == ALL else mine + 1
    meetings = 0
    begin, judged, count, transitions = progress[0], progress[1], progress[2], progress[3]
    done = progress[4]
    # All come to the same decisions, from what nobody changes before the next meeting.
    while True:
        if judged < count and len(trees.when_final):
            size = min(count - judged, found.missed_room // len(trees.when_final))
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
        if most * space.words > len(space.states) or most > most_entered:
            reason = GROW
            break
        full = False
        for worker in range(workers):
            full = full or found.tally[worker * TALLY + ENDS] + size > found.ends_room
        if full:
            reason = DRAIN
            break
        for worker in range(first, last):
            _explore(worker, space, trees, found, begin, size, count, True)
        meetings += 1
        _meet(found, parties, meetings)
        if _sum(found, workers, MISSED):
            for worker in range(first, last):
                _take_back(worker, space, found)
            reason = LEARN
            break
        if first == 0:
            found.last[0] = begin
            found.last[1] = count
            found.last[2] = transitions
        for worker in range(first, last):
            _number(worker, space, found, count)
        begin += size
        for worker in range(workers):
            count += _found_by(found, worker)
        transitions += _sum(found, workers, TRANSITIONS)
        done += 1
        meetings += 1
        _meet(found, parties, meetings)
        if count > most_states:
            reason = FULL
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
    for row in range(len(numbers)):
        for thread in range(len(trees.local_words)):
            at = numbers[row] * space.words
            found[row, thread] = _walk(space.states, at, trees, trees.roots[thread])
