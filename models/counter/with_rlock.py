"""A method that holds a lock calls another method that takes the same lock.

`add_two` must add two in one go, so it takes the lock and calls `increment` twice. But `increment`
takes the lock itself, because others call it too.

With a plain `Lock` the thread waits for a lock that it holds itself, and so it waits for ever.
An `RLock` (re-entrant lock) knows its owner: the thread that holds it may take it again, and it is
free for others when it has been given back as often as it was taken.
"""

import threading

from interleave import Model, expect, invariant, nothing, thread


class AddsTwo(Model):
    """What both versions do. The lock is theirs."""

    counter = 0

    def increment(self):
        with self.lock:
            current = self.counter
            self.counter = current + 1

    def add_two(self):
        with self.lock:
            self.increment()
            self.increment()


# 3 states, 2 transitions
@expect("deadlock")
class HelperWithLock(AddsTwo):
    """Wrong: the second acquire of a plain lock waits for the first, in the same thread."""

    lock = threading.Lock()

    @thread(2)
    def work(self):
        self.add_two()

    SCENARIO = "take a lock that one holds"


# 40 states, 40 transitions
@expect(nothing)
class HelperWithRLock(AddsTwo):
    """The fix: a lock that its owner may take again."""

    lock = threading.RLock()

    @thread(2)
    def work(self):
        self.add_two()

    @invariant
    def never_more_than_all_increments(self):
        return self.counter <= 4
