"""What the kernel sees of the store of states, compiled by numba: states in one array, and a hash
table that finds them.

The kernel asks for `load`, `parent_of`, `find` and `find_or_enter`. What a round enters has no
number until the round is over: then it is given one (`give_number`), or taken out (`take_out`).

A state is `words` words of 64 bits. State n stands at `states[n * words]`, and `parents[n]` is the
state that it was found from. The table has buckets, a cache line each: 12 numbers of states, and 8
bits of the hash of each, its tag. A number is followed only where the tag agrees, and then the
states are compared in full. Where a bucket is full, what belongs there is in the next one. All
workers change it, by atomic operations.
"""

from __future__ import annotations

import numpy as np
from numba import int64, uint64

from interleave.engine.native.compiled.intrinsics import (
    bare,
    entry,
    inlined,
    lowest_bit,
    now_in,
    prefetch,
    put_if_zero,
)
from interleave.engine.native.store.table import ENTERED_STRIDE, STRIDE

AHEAD = 12
"""How many lookups ahead memory is asked for."""

EVERY_BYTE = np.uint64(0x0101010101010101)
LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
USELESS = 255
"""Instead of a tag, of an entry that is not free, and has no number either."""


@inlined
def mix(value):
    """Spread the bits of a word."""
    value = (value ^ (value >> uint64(32))) * uint64(0xD6E8FEB86659FD93)
    return value ^ (value >> uint64(32))


@inlined
def hash_of(array, at, words):
    """The hash of the state whose words are at `array[at]`."""
    found = mix((uint64(0x9E3779B97F4A7C15) ^ array[at]) * uint64(0xFF51AFD7ED558CCD))
    for word in range(1, words):
        found = mix((found ^ array[at + word]) * uint64(0xFF51AFD7ED558CCD))
    return found


@inlined
def bucket_of(hashed, buckets):
    """The bucket that a hash begins at. There are fewer than 2^32 of them."""
    return int64(((hashed >> uint64(32)) * uint64(buckets)) >> uint64(32))


@inlined
def next_bucket(bucket, buckets):
    """The bucket after one."""
    return int64(0) if bucket + 1 == buckets else bucket + 1


@inlined
def tag_of(hashed):
    """From 1 to 254: 0 is for a free entry, 255 for none."""
    return uint64(1) + ((((hashed >> uint64(16)) & uint64(0xFFFF)) * uint64(254)) >> uint64(16))


@inlined
def equal_bytes(tags, tag):
    """The high bits of the bytes that equal a tag."""
    different = tags ^ (tag * EVERY_BYTE)
    return ~(((different & LOW_BITS) + LOW_BITS) | different | LOW_BITS)


# The first word stands apart from the others, which mostly do not exist: loops take their time.


@inlined
def copy_words(into, to, source, at, words):
    """Copy a state."""
    into[to] = source[at]
    for word in range(1, words):
        into[to + word] = source[at + word]


@inlined
def same_words(one, at, other, there, words):
    """Whether two states are the same."""
    different = one[at] ^ other[there]
    for word in range(1, words):
        different |= one[at + word] ^ other[there + word]
    return different == uint64(0)


@inlined
def set_tag(space, entry, tag):
    """Write the tag of an entry; 0 says that it is free."""
    bucket = entry // STRIDE
    word = bucket * space.tags_stride + space.tags_at
    space.tag_bytes[8 * word + entry - bucket * STRIDE] = tag


@inlined
def is_full(space, bucket):
    """Whether a bucket is full, so that what belongs there may be in the next one."""
    word = bucket * space.tags_stride + space.tags_at
    free = equal_bytes(space.tags[word], uint64(0)) | equal_bytes(space.tags[word + 1], uint64(0))
    return free == uint64(0)


@inlined
def _enter_hashed(space, hashed, number):
    """Enter a state that is not there."""
    bucket = bucket_of(hashed, space.buckets)
    while True:
        for half in range(2):
            tags = space.tags[bucket * space.tags_stride + space.tags_at + half]
            free = equal_bytes(tags, uint64(0))
            while free:
                entry = bucket * STRIDE + half * 8 + int64(lowest_bit(free) >> uint64(3))
                if put_if_zero(space.table, entry, number + 1) == 0:
                    set_tag(space, entry, tag_of(hashed))
                    return
                free &= free - uint64(1)
        bucket = next_bucket(bucket, space.buckets)


@inlined
def load(space, number, into, to):
    """Put the words of a state at `into[to]`."""
    copy_words(into, to, space.states, number * space.words, space.words)


@inlined
def parent_of(space, number):
    """The state that a state was found from; of an initial one, itself."""
    return int64(space.parents[number])


@inlined
def ask_for(space, hashed):
    """Ask for what a lookup of a hash begins with."""
    prefetch(space.table, bucket_of(hashed, space.buckets) * STRIDE)


@inlined
def ask_for_state(space, hashed, count):
    """Ask for the state that the entry for a hash may name, if it is one of the first `count`.

    For the entry itself was asked before.
    """
    bucket = bucket_of(hashed, space.buckets)
    hits = equal_bytes(space.tags[bucket * space.tags_stride + space.tags_at], tag_of(hashed))
    if hits:
        entry = bucket * STRIDE + int64(lowest_bit(hits) >> uint64(3))
        number = int64(space.table[entry]) - 1
        if 0 <= number < count:
            prefetch(space.states, number * space.words)


@inlined
def find(space, array, at, hashed):
    """The number of the state whose words are at `array[at]`; -1 where there is none."""
    bucket = bucket_of(hashed, space.buckets)
    tag = tag_of(hashed)
    found = int64(-1)
    has_room = False
    while found < 0 and not has_room:
        word = bucket * space.tags_stride + space.tags_at
        for half in range(2):
            hits = equal_bytes(space.tags[word + half], tag)
            while hits and found < 0:
                place = bucket * STRIDE + half * 8 + int64(lowest_bit(hits) >> uint64(3))
                number = int64(space.table[place]) - 1
                if same_words(space.states, number * space.words, array, at, space.words):
                    found = number
                hits &= hits - uint64(1)
        has_room = not is_full(space, bucket)
        bucket = next_bucket(bucket, space.buckets)
    return found


@inlined
def _is_there(space, fresh, number, array, at, count):
    """Whether the words at `array[at]` are state `number`: one that has a number, or is fresh."""
    words = space.words
    if number < count:
        return same_words(space.states, number * words, array, at, words)
    return same_words(fresh.states, (number - count) * words, array, at, words)


@inlined
def find_or_enter(worker, space, fresh, array, at, hashed, count):
    """The number of the state whose words are at `array[at]`, which is entered if it is new.

    One that was entered in this round has `count`, and its place among the fresh states, instead.
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
                if _is_there(space, fresh, known, array, at, count):
                    number = known
                hits &= hits - uint64(1)
        for half in range(2):
            free = equal_bytes(more_tags if half else tags, uint64(0))
            while free and number < 0:
                entry = bucket * STRIDE + half * 8 + int64(lowest_bit(free) >> uint64(3))
                place = worker * fresh.room + fresh.entered[worker * ENTERED_STRIDE]
                known = _take(worker, space, fresh, place, array, at, count, entry)
                if known == 0:
                    set_tag(space, entry, tag)
                    number = count + place
                elif _is_there(space, fresh, known - 1, array, at, count):
                    number = known - 1
                free &= free - uint64(1)
        bucket = next_bucket(bucket, space.buckets)
    return number


@inlined
def _take(worker, space, fresh, place, array, at, count, entry):
    """Take a free entry for a new state. Gives 0, or what somebody has put there meanwhile."""
    words = space.words
    copy_words(fresh.states, place * words, array, at, words)
    fresh.entries[place] = entry
    fresh.finders[place] = worker
    known = int64(put_if_zero(space.table, entry, count + place + 1))
    if known == 0:
        fresh.entered[worker * ENTERED_STRIDE] += 1
    return known


@inlined
def give_number(space, fresh, place, number, parent, count):
    """Give a fresh state its number."""
    words = space.words
    copy_words(space.states, number * words, fresh.states, place * words, words)
    space.parents[number] = parent
    if number != count + place:  # as it is for the first worker, until a later one is ahead
        space.table[fresh.entries[place]] = number + 1


@inlined
def take_out(worker, space, fresh, place):
    """Take a fresh state out of the table."""
    entry = fresh.entries[place]
    # Where a bucket is full, what stays may be behind it.
    tag = USELESS if is_full(space, entry // STRIDE) else 0
    set_tag(space, entry, tag)
    space.table[entry] = 0
    space.useless[worker] += tag != 0


@inlined
def has_room(space, count):
    """Whether there is room for so many states."""
    useless = 0
    for worker in range(space.workers):
        useless += space.useless[worker]
    return count <= space.room and count + useless <= space.most_entered


@entry
def number_of(space, words):
    """The number of the state with some words; -1 where there is none."""
    space = bare(space)
    return find(space, words, 0, hash_of(words, 0, space.words))


@entry
def enter(space, words, number):
    """Enter a state, which is new, into the table."""
    space = bare(space)
    _enter_hashed(space, hash_of(words, 0, space.words), number)


@entry
def rebuild(worker, space, count):
    """Enter a worker's share of the first `count` states into the table, which was empty."""
    space = bare(space)
    words = space.words
    share = (count + space.workers - 1) // space.workers
    end = min(count, worker * share + share)
    for number in range(min(count, worker * share), end):
        ahead = number + 2 * AHEAD
        if ahead < end:
            bucket = bucket_of(hash_of(space.states, ahead * words, words), space.buckets)
            prefetch(space.table, bucket * STRIDE)
        _enter_hashed(space, hash_of(space.states, number * words, words), number)


@entry
def repack(
    states, count, words, slot_words, slot_shifts, slot_masks, to_words, to_slots, to_shifts, made
):
    """Move every slot of the first `count` states to where it belongs now, in place.

    States do not shrink, so that from the last one to the first, none is overwritten unread. `made`
    is room for one.
    """
    for number in range(count - 1, -1, -1):
        for word in range(to_words):
            made[word] = 0
        for place in range(len(slot_words)):
            code = (states[number * words + slot_words[place]] >> slot_shifts[place]) & (
                slot_masks[place]
            )
            made[to_slots[place]] |= code << to_shifts[place]
        for word in range(to_words):
            states[number * to_words + word] = made[word]


@entry
def depth_of(space, number):
    """How many steps the search took to come to a state."""
    space = bare(space)
    depth = 0
    while int64(space.parents[number]) != number:
        number = int64(space.parents[number])
        depth += 1
    return depth
