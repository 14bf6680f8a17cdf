"""Two processes increment a shared counter: multiprocessing.Value, without its lock and with it.

A Value comes with a lock, and each single read or write of `.value` takes it. That does not help
here: `counter.value += 1` is a read and then a write, with the lock given back in between. The
other process can write in that gap, and its update is lost.

The fix is to hold the lock around both. It can be taken again by the process that holds it, so that
the read and the write inside do not wait for it.

Two more ways that look right: a lock of `threading` is private to each process, and keeps out
nobody; and a Value that is made with `lock=False` needs a lock from elsewhere.
"""

import multiprocessing
import threading

from interleave import Model, expect, nothing, postcondition, process


# 12 states, 14 transitions
@expect("lost-update", "postcondition")
class ValueWithoutItsLock(Model):
    """`+=` on a Value: two accesses."""

    counter = multiprocessing.Value("i", 0)

    @process(2)
    def increment(self):
        self.counter.value += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter.value == 2

    SCENARIO = "add to a counter"


# 16 states, 16 transitions
@expect(nothing)
class ValueWithItsLock(Model):
    """The lock of the Value, held around the read and the write."""

    counter = multiprocessing.Value("i", 0)

    @process(2)
    def increment(self):
        with self.counter.get_lock():
            self.counter.value += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter.value == 2

    SCENARIO = "add under a lock"


# 16 states, 16 transitions
@expect(nothing)
class RawValueWithALock(Model):
    """A Value without a lock of its own, and a lock that all processes share."""

    counter = multiprocessing.Value("i", 0, lock=False)
    lock = multiprocessing.Lock()

    @process(2)
    def increment(self):
        with self.lock:
            self.counter.value += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter.value == 2


# 33 states, 50 transitions
@expect("lost-update", "postcondition")
class LockOfThreading(Model):
    """Each process locks its own copy of the lock."""

    counter = multiprocessing.Value("i", 0)
    lock = threading.Lock()

    @process(2)
    def increment(self):
        with self.lock:
            self.counter.value += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter.value == 2
