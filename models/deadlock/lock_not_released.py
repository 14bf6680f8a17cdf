"""An exception jumps over `release()`, and the lock is held for ever.

Two workers book orders. One of the orders is invalid: booking it raises ValueError, which the
worker catches and notes as rejected, so nothing seems wrong. But the exception left `book` between
`acquire()` and `release()`. The lock stays locked, and the other worker waits for it for ever.

`with lock:` gives the lock back however the block is left: at its end, by return, break or
continue, or by an exception. `try: ... finally: lock.release()` is the same, written by hand.
"""

import threading

from interleave import Model, expect, nothing, postcondition, thread


class Booking(Model):
    """What the workers do in all three versions, each with a `book` of its own."""

    booked = 0
    rejected = 0
    orders = (10, -1)  # the second one is invalid

    def add(self, amount):
        if amount < 0:
            raise ValueError("an order cannot be negative")
        self.booked += amount

    def work(self, amount):
        try:
            self.book(amount)
        except ValueError:
            self.rejected += 1

    @postcondition
    def every_order_is_dealt_with(self):
        return (self.booked, self.rejected) == (10, 1)


# 11 states, 10 transitions
@expect("deadlock")
class AcquireAndRelease(Booking):
    """Wrong: the exception goes past the release."""

    lock = threading.Lock()

    def book(self, amount):
        self.lock.acquire()
        self.add(amount)
        self.lock.release()

    @thread(2)
    def worker(self, i):
        self.work(self.orders[i])


# 22 states, 30 transitions
@expect(nothing)
class WithStatement(Booking):
    """The fix: `with` gives the lock back in any case."""

    lock = threading.Lock()

    def book(self, amount):
        with self.lock:
            self.add(amount)

    @thread(2)
    def worker(self, i):
        self.work(self.orders[i])


# 22 states, 30 transitions
@expect(nothing)
class TryFinally(Booking):
    """The same fix, written by hand."""

    lock = threading.Lock()

    def book(self, amount):
        self.lock.acquire()
        try:
            self.add(amount)
        finally:
            self.lock.release()

    @thread(2)
    def worker(self, i):
        self.work(self.orders[i])
