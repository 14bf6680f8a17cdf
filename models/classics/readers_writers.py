"""Readers and writers: many may read at once, but who writes must be alone.

To read together does no harm, so a plain lock, which lets in one at a time, is more than is needed.
What is needed: a writer keeps out everybody, and a reader keeps out writers only.

The trick: the room has one lock, and readers share it. The first reader who comes in takes it for
all of them, the last one who leaves gives it back. (A `threading.Lock` may be released by another
thread than the one that took it.) So the readers are counted, under a lock of the counter. The
first one must take the room while it still holds that lock: else the second one sees that it is not
the first, takes it that the room is theirs, and walks in on a writer.

A reader cannot become a writer by taking the lock of the room while it reads: it would wait for all
readers to leave, itself included. It has to leave first, and to look again when it comes back.

What a check does not find: if readers come all the time, the last one never leaves, and a writer
waits for ever. A gate that a writer holds while it waits, and through which all have to go,
prevents that: readers who come later wait behind the writer.

(P. J. Courtois, F. Heymans and D. L. Parnas, "Concurrent control with 'readers' and 'writers'",
Communications of the ACM, 1971.)
"""

import threading

from interleave import Model, expect, invariant, nothing, param, section, thread


class Room(Model):
    """What all versions have in common."""

    READERS = param(2)
    WRITERS = param(1)
    readers = 0  # in the room
    room = threading.Lock()
    counter = threading.Lock()

    def enter(self):
        with self.counter:
            self.readers += 1
            if self.readers == 1:
                self.room.acquire()

    def leave(self):
        with self.counter:
            self.readers -= 1
            if self.readers == 0:
                self.room.release()

    @invariant
    def a_writer_is_alone(self):
        writers = self.inside("writing")
        return writers == 0 or (writers == 1 and self.inside("reading") == 0)


# 420 states, 756 transitions
@expect("invariant")
class TakesTheRoomTooLate(Room):
    """Wrong: counts under the lock, and takes the room after it. The second reader walks in."""

    def enter(self):
        with self.counter:
            self.readers += 1
            is_first = self.readers == 1
        if is_first:
            self.room.acquire()

    @thread(Room.READERS)
    def reader(self):
        self.enter()
        with section("reading"):
            pass  # read
        self.leave()

    @thread(Room.WRITERS)
    def writer(self):
        with self.room, section("writing"):
            pass  # write


# READERS=2, WRITERS=1: 298 states, 476 transitions
# READERS=3, WRITERS=2: 3,812 states, 7,424 transitions
@expect(nothing)
class ReadersWriters(Room):
    """The first reader takes the room, the last one gives it back."""

    @thread(Room.READERS)
    def reader(self):
        self.enter()
        with section("reading"):
            pass  # read
        self.leave()

    @thread(Room.WRITERS)
    def writer(self):
        with self.room, section("writing"):
            pass  # write


# 757 states, 1,470 transitions
@expect(nothing)
class NoWriterWaitsForEver(Room):
    """The same with a gate, so that readers cannot overtake a writer who waits."""

    gate = threading.Lock()

    @thread(Room.READERS)
    def reader(self):
        with self.gate:
            pass  # a writer who waits keeps it shut
        self.enter()
        with section("reading"):
            pass  # read
        self.leave()

    @thread(Room.WRITERS)
    def writer(self):
        with self.gate, self.room, section("writing"):
            pass  # write


# 50 states, 74 transitions
@expect("deadlock")
class ReaderWantsToWrite(Room):
    """Wrong: a reader waits until all readers have left, and it is one of them."""

    @thread(Room.READERS)
    def reader(self):
        self.enter()
        with section("reading"):
            pass  # read, and find that something must be changed
        with self.room, section("writing"):
            pass  # write
        self.leave()


# 192 states, 282 transitions
@expect(nothing)
class LeavesBeforeItWrites(Room):
    """The fix: leave, come back as a writer, and look again."""

    @thread(Room.READERS)
    def reader(self):
        self.enter()
        with section("reading"):
            pass  # read, and find that something must be changed
        self.leave()
        with self.room, section("writing"):
            pass  # look again, for another one may have been faster; and write
