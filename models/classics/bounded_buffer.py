"""A bounded buffer with nothing but locks.

Producers put items into a buffer, consumers take them out. A producer must wait while the buffer is
full, a consumer while it is empty.

The first two models look, and try again. Looking before the lock is taken is the mistake: between
the look and the lock, another producer can take the last place, another consumer the last item.

The next two do not try again and again, but let a lock do the waiting. A lock need not be released
by the thread that took it. So each place in the buffer has two locks: `is_empty` is free when one
may put something there, and `is_full` when one may take something out. The producer takes the one
and gives the other, and the consumer does the reverse. (Each of the two is a semaphore that counts
to one.) The mistake here: a lock around the whole buffer, and waiting for a place while one holds
it. Nobody can come in to make a place.

(E. W. Dijkstra, "Cooperating sequential processes", EWD 123, 1965, section 4.3.)
"""

import threading
import time

from interleave import Model, array, expect, invariant, nothing, param, postcondition, thread


class Looking(Model):
    """What the first two versions have in common. Producer i puts the item i."""

    CAPACITY = 1
    lock = threading.Lock()

    def setup(self):
        self.buffer = []
        self.taken = array([None, None])

    @invariant
    def never_too_full(self):
        return len(self.buffer) <= self.CAPACITY

    @postcondition
    def every_item_is_taken_once(self):
        return sorted(self.taken) == [0, 1]


# 472 states, 1,072 transitions
@expect("invariant", "exception")
class LookThenLock(Looking):
    """Wrong: what was seen before the lock was taken need not be true after."""

    @thread(2)
    def producer(self, i):
        while len(self.buffer) == self.CAPACITY:
            time.sleep(0.1)  # wait
        with self.lock:
            self.buffer.append(i)

    @thread(2)
    def consumer(self, i):
        while not self.buffer:
            time.sleep(0.1)  # wait
        with self.lock:
            self.taken[i] = self.buffer.pop(0)


# 79 states, 88 transitions
@expect(nothing)
class LookUnderTheLock(Looking):
    """Right: look under the lock; if one has to wait, give it back and try again."""

    @thread(2)
    def producer(self, i):
        done = False
        while not done:
            with self.lock:
                if len(self.buffer) < self.CAPACITY:
                    self.buffer.append(i)
                    done = True

    @thread(2)
    def consumer(self, i):
        done = False
        while not done:
            with self.lock:
                if self.buffer:
                    self.taken[i] = self.buffer.pop(0)
                    done = True


class Ring(Model):
    """What the last two versions have in common. The places are used in turn."""

    PLACES = param(2)
    ITEMS = param(3)

    def setup(self):
        self.places = array([None] * self.PLACES)
        self.is_empty = [threading.Lock() for _ in range(self.PLACES)]
        self.is_full = [threading.Lock() for _ in range(self.PLACES)]
        for lock in self.is_full:
            lock.acquire()  # there is nothing to take out yet
        self.taken = []

    def put(self, place, item):
        self.is_empty[place].acquire()
        self.places[place] = item
        self.is_full[place].release()

    def take(self, place):
        self.is_full[place].acquire()
        self.taken.append(self.places[place])
        self.is_empty[place].release()

    @postcondition
    def every_item_is_taken_in_order(self):
        return self.taken == list(range(self.ITEMS))


# 58 states, 59 transitions
@expect("deadlock")
class WaitUnderTheLock(Ring):
    """Wrong: waits for a place, or for an item, and keeps everybody else out meanwhile."""

    whole = threading.Lock()

    @thread
    def producer(self):
        for item in range(self.ITEMS):
            with self.whole:
                self.put(item % self.PLACES, item)

    @thread
    def consumer(self):
        for item in range(self.ITEMS):
            with self.whole:
                self.take(item % self.PLACES)


# 46 states, 69 transitions
# PLACES=3: 58 states, 93 transitions
@expect(nothing)
class WaitForThePlace(Ring):
    """Right: waits for the place only, and holds nothing else."""

    @thread
    def producer(self):
        for item in range(self.ITEMS):
            self.put(item % self.PLACES, item)

    @thread
    def consumer(self):
        for item in range(self.ITEMS):
            self.take(item % self.PLACES)
