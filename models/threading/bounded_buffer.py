"""A bounded buffer with a Condition, as in every textbook; and its two famous mistakes.

A Condition is a lock and a waiting room. A producer that finds the buffer full calls `wait`: it
gives the lock back, waits until somebody notifies it, and takes the lock again before `wait`
returns. A consumer that has taken something calls `notify`, and one of those who wait is woken.

First mistake: `if` in place of `while` around `wait`. A thread that is woken does not have the lock
yet; it has to take it, like everybody else. Another consumer can come in first and take the item.
What was true when somebody notified need not be true when `wait` returns: one has to look again.
(With `-p PRODUCERS=3` the buffer gets too full in the same way.)

Second mistake: `notify` where `notify_all` is due. Producers and consumers wait in the same room,
and `notify` wakes one of them. If a consumer wakes a consumer, for which there is nothing, that one
goes to sleep again; nobody wakes the producer, and both wait for ever.

Two fixes of that: `notify_all`; or two waiting rooms (two Conditions with the same lock), one for
those who wait for a place and one for those who wait for an item, so that `notify` wakes the right
kind.

(C. A. R. Hoare, "Monitors: an operating system structuring concept", Communications of the ACM,
1974. That one has to look again: B. W. Lampson and D. D. Redell, "Experience with processes and
monitors in Mesa", Communications of the ACM, 1980.)
"""

import threading

from interleave import Model, expect, invariant, nothing, param, postcondition, thread


class Buffer(Model):
    """What all versions have in common. A producer puts one item, and a consumer takes one."""

    PRODUCERS = param(2)
    CONSUMERS = param(2)
    CAPACITY = param(1)

    def setup(self):
        self.items = []
        self.taken = 0

    @invariant
    def never_too_full(self):
        return len(self.items) <= self.CAPACITY

    @postcondition
    def nothing_is_lost(self):
        return self.taken + len(self.items) == self.PRODUCERS


# 340 states, 384 transitions
@expect("exception")
class IfInPlaceOfWhile(Buffer):
    """Wrong: does not look again after `wait`."""

    condition = threading.Condition()

    def put(self, item):
        with self.condition:
            if len(self.items) == self.CAPACITY:
                self.condition.wait()
            self.items.append(item)
            self.condition.notify_all()

    def take(self):
        with self.condition:
            if not self.items:
                self.condition.wait()
            item = self.items.pop(0)
            self.taken += 1
            self.condition.notify_all()
            return item

    @thread(Buffer.PRODUCERS)
    def producer(self, i):
        self.put(i)

    @thread(Buffer.CONSUMERS)
    def consumer(self):
        self.take()


# 366 states, 408 transitions
@expect("deadlock")
class NotifyInPlaceOfNotifyAll(Buffer):
    """Wrong: wakes one thread, and that may be one that cannot go on."""

    condition = threading.Condition()

    def put(self, item):
        with self.condition:
            while len(self.items) == self.CAPACITY:
                self.condition.wait()
            self.items.append(item)
            self.condition.notify()

    def take(self):
        with self.condition:
            while not self.items:
                self.condition.wait()
            item = self.items.pop(0)
            self.taken += 1
            self.condition.notify()
            return item

    @thread(Buffer.PRODUCERS)
    def producer(self, i):
        self.put(i)

    @thread(Buffer.CONSUMERS)
    def consumer(self):
        self.take()


# PRODUCERS=2: 296 states, 344 transitions
# PRODUCERS=3, CONSUMERS=3: 5,432 states, 7,002 transitions
@expect(nothing)
class NotifyAll(Buffer):
    """Right: look again after `wait`, and wake everybody."""

    condition = threading.Condition()

    def put(self, item):
        with self.condition:
            while len(self.items) == self.CAPACITY:
                self.condition.wait()
            self.items.append(item)
            self.condition.notify_all()

    def take(self):
        with self.condition:
            while not self.items:
                self.condition.wait()
            item = self.items.pop(0)
            self.taken += 1
            self.condition.notify_all()
            return item

    @thread(Buffer.PRODUCERS)
    def producer(self, i):
        self.put(i)

    @thread(Buffer.CONSUMERS)
    def consumer(self):
        self.take()


# 354 states, 400 transitions
@expect(nothing)
class TwoConditions(Buffer):
    """Right, and wakes fewer threads: one Condition for each thing that one can wait for."""

    def setup(self):
        super().setup()
        self.lock = threading.Lock()
        self.has_room = threading.Condition(self.lock)
        self.has_items = threading.Condition(self.lock)

    def put(self, item):
        with self.lock:
            while len(self.items) == self.CAPACITY:
                self.has_room.wait()
            self.items.append(item)
            self.has_items.notify()

    def take(self):
        with self.lock:
            while not self.items:
                self.has_items.wait()
            item = self.items.pop(0)
            self.taken += 1
            self.has_room.notify()
            return item

    @thread(Buffer.PRODUCERS)
    def producer(self, i):
        self.put(i)

    @thread(Buffer.CONSUMERS)
    def consumer(self):
        self.take()
