"""The kernel: the inner loops of the native engine, compiled by numba.

One round takes a chunk of states in order:

1. `expand` (workers share the states): walk the decision trees of the threads; each successor is
   handed to the worker that owns its hash. A case that no tree knows is noted: Python learns it,
   and the chunk is expanded again.
2. `insert` (workers share the hashes): look up the successors in order; new ones get an entry.
3. `number` (likewise): new states are ranked by the transitions that found them, and stored.
4. `judge` (workers share the new states): walk the decision trees of the properties.

So the numbers are those of breadth-first search, whatever the chunks and the workers. `rounds` does
this over and over for as long as Python is not needed. Workers that run at the same time each call
it, and meet between the parts: what one writes in a part, others read after the meeting only.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import int64, uint64

from interleave.engine.native.intrinsics import (
    arrivals,
    arrive,
    entry,
    inlined,
    let_others_run,
    lowest_bit,
    part,
    prefetch,
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
    owner_of,
    same_words,
    tag_of,
    take_entry,
)

# What a worker counts, in its row of `tally`.
(
    TRANSITIONS,  # that `expand` found in this round
    MISSED,  # cases of this round that no tree knows
    ENDED,  # states of this round without a transition
    ENDS,  # those before this round, in `ends`
    EVENTS,  # marks met for the first time, in `events`
    NEW,  # states that `insert` found in this round
    KEPT,  # states in this worker's part of the table
    BACKWARD,  # transitions to a state with no higher number
    CYCLIC,  # whether one of them leads to where the search came from
) = range(9)
TALLY = 16
"""Length of a row of `tally`: two cache lines, so that workers do not share one."""

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

    room: int  # length of the rows for each pair of workers, who found a successor and who owns it
    hashes: Array  # uint64
    successors: Array  # uint64, `words` for each
    sources: Array  # int64
    orders: Array  # uint32: how many transitions the same worker found before
    filled: Array  # int64: how much there is in the row of each pair
    lane: int  # length of the rows of `filled` and `ranks`
    tally: Array  # int64, TALLY for each worker
    missed: Array  # int64, four for each case: state, tree, step and follower (-1 for none)
    missed_room: int
    asked: Array  # uint64, ASKED for each worker: where walks along followers' trees ended
    ends: Array  # int64
    ends_room: int
    events: Array  # int64, three for each: mark, state, step (-1 for a pair)
    seen: Array  # uint8: whether a mark was met before
    events_room: int
    new_states: Array  # uint64, `words` for each
    new_sources: Array  # int64
    new_orders: Array  # uint64: transitions that found them, in the order of the search
    new_entries: Array  # int64: places in the table
    ranks: Array  # int64, one for each pair: how many of the other's new states come before
    new_room: int
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
def _expand(worker, space, trees, found, begin, size):
    words = space.words
    workers = space.workers
    states = space.states
    threads = len(trees.local_words)
    rows = worker * workers
    lane = worker * found.lane
    tally = worker * TALLY
    for owner in range(workers):
        found.filled[lane + owner] = 0
    order = 0
    missed = 0
    ends = found.tally[tally + ENDS]
    asks_pairs = trees.asks_pairs and not trees.stop_at_failures
    abouts = worker * found.about_room
    share = (size + workers - 1) // workers
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
                # Made in the row of owner 0, where it stays if that is its owner.
                slot = rows * found.room + found.filled[lane]
                to = slot * words
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
                hashed = hash_of(found.successors, to, words)
                owner = owner_of(hashed, workers)
                if owner != 0:
                    slot = (rows + owner) * found.room + found.filled[lane + owner]
                    for word in range(words):
                        found.successors[slot * words + word] = found.successors[to + word]
                found.hashes[slot] = hashed
                found.sources[slot] = source
                found.orders[slot] = order
                found.filled[lane + owner] += 1
                order += 1
        if not moved:
            found.ends[worker * found.ends_room + ends] = source
            ends += 1
    found.tally[tally + TRANSITIONS] = order
    found.tally[tally + MISSED] = missed
    found.tally[tally + ENDED] = ends - found.tally[tally + ENDS]


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
def _insert(owner, space, found, count):
    words = space.words
    workers = space.workers
    buckets = space.buckets
    states = space.states
    room = found.new_room * owner
    tally = owner * TALLY
    new = 0
    backward = 0
    for worker in range(workers):
        row = (worker * workers + owner) * found.room
        filled = found.filled[worker * found.lane + owner]
        for slot in range(row, row + filled):
            # Ask for memory in time: first for the bucket, then for the state it may name.
            ahead = slot + 2 * AHEAD
            if ahead < row + filled:
                bucket = bucket_of(found.hashes[ahead], owner, buckets)
                prefetch(space.table, uint64(bucket * STRIDE))
            ahead = slot + AHEAD
            if ahead < row + filled:
                hashed = found.hashes[ahead]
                bucket = bucket_of(hashed, owner, buckets)
                hits = equal_bytes(
                    space.tags[bucket * space.tags_stride + space.tags_at], tag_of(hashed)
                )
                if hits:
                    entry = bucket * STRIDE + int64(lowest_bit(hits) >> uint64(3))
                    number = int64(space.table[entry])
                    if number < count:
                        prefetch(states, uint64(number * words))
            hashed = found.hashes[slot]
            tag = tag_of(hashed)
            bucket = bucket_of(hashed, owner, buckets)
            known = int64(-1)
            free = int64(-1)
            while known < 0 and free < 0:
                for half in range(2):
                    tags = space.tags[bucket * space.tags_stride + space.tags_at + half]
                    entries = bucket * STRIDE + half * 8
                    hits = equal_bytes(tags, tag)
                    while hits:
                        number = int64(space.table[entries + int64(lowest_bit(hits) >> uint64(3))])
                        if number < count:
                            same = same_words(
                                states, number * words, found.successors, slot * words, words
                            )
                        else:
                            same = same_words(
                                found.new_states,
                                (room + number - count) * words,
                                found.successors,
                                slot * words,
                                words,
                            )
                        if same:
                            known = number
                            break
                        hits &= hits - uint64(1)
                    if known >= 0:
                        break
                    hits = equal_bytes(tags, uint64(0))
                    if hits:
                        free = entries + int64(lowest_bit(hits) >> uint64(3))
                        break
                if known < 0 and free < 0:
                    bucket = next_bucket(bucket, owner, buckets)
            if known >= 0:
                source = int64(found.sources[slot])
                if known <= source:
                    backward += 1
                    if found.tally[tally + CYCLIC] == 0 and _came_by(space, source, known):
                        found.tally[tally + CYCLIC] = 1
                continue
            take_entry(space, bucket, free, tag, count + new)
            for word in range(words):
                found.new_states[(room + new) * words + word] = found.successors[
                    slot * words + word
                ]
            found.new_sources[room + new] = found.sources[slot]
            found.new_orders[room + new] = (uint64(worker) << uint64(48)) | uint64(
                found.orders[slot]
            )
            found.new_entries[room + new] = free
            new += 1
    found.tally[tally + NEW] = new
    found.tally[tally + BACKWARD] += backward


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


@part
def _number(owner, space, found, count):
    words = space.words
    room = found.new_room * owner
    new = found.tally[owner * TALLY + NEW]
    found.tally[owner * TALLY + KEPT] += new
    found.tally[owner * TALLY + ENDS] += found.tally[owner * TALLY + ENDED]
    ranks = owner * found.lane
    for other in range(space.workers):
        found.ranks[ranks + other] = 0
    for each in range(room, room + new):
        number = count + each - room
        for other in range(space.workers):
            if other != owner:
                # How many of its new states come before this one.
                there = found.new_room * other
                end = found.tally[other * TALLY + NEW]
                while (
                    found.ranks[ranks + other] < end
                    and found.new_orders[there + found.ranks[ranks + other]]
                    < found.new_orders[each]
                ):
                    found.ranks[ranks + other] += 1
                number += found.ranks[ranks + other]
        for word in range(words):
            space.states[number * words + word] = found.new_states[each * words + word]
        space.parents[number] = found.new_sources[each]
        space.table[found.new_entries[each]] = number


@inlined
def _meet(found, parties, meetings):
    """Wait for the other workers."""
    if parties > 1:
        arrive(found.meeting)
        looks = 0
        while arrivals(found.meeting) < meetings * parties:
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


@part
def _fits(found, workers, most_kept):
    """Whether each part of the table can take what is handed to it, should all of it be new."""
    for owner in range(workers):
        kept = found.tally[owner * TALLY + KEPT]
        for worker in range(workers):
            kept += found.filled[worker * found.lane + owner]
        if kept > most_kept:
            return False
    return True


@entry
def expand(space, trees, found, begin, size):
    """Walk the trees of the threads in `size` states from `begin` on, for all workers."""
    for worker in range(space.workers):
        _expand(worker, space, trees, found, begin, size)


@entry
def rounds(
    mine, space, trees, found, progress, chunk, until, enough, most_rounds, most_states, most_kept
):
    """Rounds, one after the other, until Python is needed; gives the reason to come back.

    `mine` is the worker whose share is done, at the same time as all others do theirs, or ALL.
    `progress` is changed in the end: the first state that is not expanded, the first one whose
    properties are not known, the number of states, of transitions, of rounds. `chunk` is the number
    of states of a round at most, `until` the first state not to be expanded; after `enough`
    transitions or `most_rounds` it comes back; `most_states` is the limit of states, `most_kept`
    what a part of the table may hold.

    A new state gets an entry of the table with `count`, the number of states before the round, and
    its place among the new states of its owner; then its number.
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
        if (count + workers * found.room) * space.words > len(space.states):
            reason = GROW
            break
        full = False
        for worker in range(workers):
            full = full or found.tally[worker * TALLY + ENDS] + size > found.ends_room
        if full:
            reason = DRAIN
            break
        for worker in range(first, last):
            _expand(worker, space, trees, found, begin, size)
        meetings += 1
        _meet(found, parties, meetings)
        if _sum(found, workers, MISSED):
            reason = LEARN
            break
        if not _fits(found, workers, most_kept):
            reason = GROW
            break
        found_now = _sum(found, workers, TRANSITIONS)
        if first == 0:
            found.last[0] = begin
            found.last[1] = count
            found.last[2] = transitions
        for owner in range(first, last):
            _insert(owner, space, found, count)
        meetings += 1
        _meet(found, parties, meetings)
        for owner in range(first, last):
            _number(owner, space, found, count)
        begin += size
        count += _sum(found, workers, NEW)
        transitions += found_now
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
