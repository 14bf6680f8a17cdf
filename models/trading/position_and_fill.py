"""A position is updated while a fill arrives.

A trading program keeps its position: how many shares it holds, and what they have cost. The thread
of the exchange's connection calls back with each fill (some shares of an order were bought), while
other threads read the position, correct it, and decide upon it. Three things go wrong.

A correction from a stale position. The broker's figures are fetched, which takes a while; then
"what I had, less 5" is written. A fill that came meanwhile is gone, and the program believes that
it holds less than it does. It happens with a global interpreter lock too, for a thread that waits
gives that lock away. The fix: apply the difference to what is there now, and under a lock.

Half a fill. The number of shares is new, and the cost still the old one: whoever divides the one by
the other gets a price at which nobody has traded. A lock around the writes alone does not help;
those who read must take it too.

A limit that is checked by two. Each order by itself is within the limit, both together are not: the
shares that were ordered and not yet filled are not in the position. The fix counts what is on its
way, under the lock under which it is checked.
"""

import threading
import time

from interleave import Model, expect, invariant, nothing, postcondition, thread


class Correction(Model):
    """100 shares; a fill of 10 arrives while 5 are taken off the books."""

    shares = 100

    @postcondition
    def shares_are_right(self):
        return self.shares == 105


# 17 states, 20 transitions
@expect("lost-update", "postcondition")
class CorrectsAStalePosition(Correction):
    """Wrong: what was read before the call of the broker is written after it."""

    @thread
    def on_fill(self):
        self.shares += 10

    @thread
    def reconcile(self):
        held = self.shares
        time.sleep(0.1)  # ask the broker
        self.shares = held - 5


# 21 states, 25 transitions
@expect(nothing)
class AppliesTheDifference(Correction):
    """The fix: work out the difference first, and apply it under a lock."""

    lock = threading.Lock()

    @thread
    def on_fill(self):
        with self.lock:
            self.shares += 10

    @thread
    def reconcile(self):
        time.sleep(0.1)  # ask the broker
        difference = -5
        with self.lock:
            self.shares += difference


class AveragePrice(Model):
    """100 shares at 2, and a fill of 100 at 4: the average is 2 before, and 3 after."""

    shares = 100
    cost = 200


# 27 states, 38 transitions
@expect("assertion")
@expect(nothing, runtime="gil")
class ReadsHalfAFill(AveragePrice):
    """Wrong: the one who reads does not take the lock."""

    lock = threading.Lock()

    @thread
    def on_fill(self):
        with self.lock:
            self.shares += 100
            self.cost += 400

    @thread
    def report(self):
        price = self.cost / self.shares
        assert price in (2, 3)


# 20 states, 20 transitions
@expect(nothing)
class ReadsAWholeFill(AveragePrice):
    """The fix: everybody takes the lock."""

    lock = threading.Lock()

    @thread
    def on_fill(self):
        with self.lock:
            self.shares += 100
            self.cost += 400

    @thread
    def report(self):
        with self.lock:
            price = self.cost / self.shares
        assert price in (2, 3)


class Limit(Model):
    """Two strategies want 60 shares each, and 100 is the limit."""

    shares = 0
    lock = threading.Lock()

    def fill(self, quantity):
        with self.lock:
            self.shares += quantity

    @invariant
    def within_the_limit(self):
        return self.shares <= 100


# 40 states, 42 transitions
@expect("invariant")
class ChecksThePositionOnly(Limit):
    """Wrong: what the other one has ordered is not in the position yet."""

    @thread(2)
    def strategy(self):
        with self.lock:
            may_buy = self.shares + 60 <= 100
        if may_buy:
            self.fill(60)  # some time later


# 50 states, 52 transitions
@expect(nothing)
class ReservesFirst(Limit):
    """The fix: what was ordered counts as soon as it is decided."""

    on_its_way = 0

    @thread(2)
    def strategy(self):
        with self.lock:
            may_buy = self.shares + self.on_its_way + 60 <= 100
            if may_buy:
                self.on_its_way += 60
        if may_buy:
            self.fill(60)  # some time later

    def fill(self, quantity):
        with self.lock:
            self.shares += quantity
            self.on_its_way -= quantity
