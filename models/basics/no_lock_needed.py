"""When is no lock needed? When nothing is both shared and changed.

Three ways to get by without one: nobody changes what is shared (read-only); what is changed is not
shared (each thread has its own); or what is shared is replaced as a whole, by one thread, and never
changed in place (immutable). The last model shows what the third one is good for: it publishes the
same two numbers one after the other, and a reader sees one new and one old.
"""

from dataclasses import dataclass

from interleave import Model, array, expect, nothing, postcondition, thread


# 4 states, 4 transitions
@expect(nothing)
class ReadOnly(Model):
    """Both threads read the prices; nobody changes them."""

    prices = {"apple": 2, "pear": 3}
    totals = array([0, 0])

    @thread(2)
    def customer(self, i):
        self.totals[i] = self.prices["apple"] + self.prices["pear"]

    @postcondition
    def both_pay_the_same(self):
        return self.totals[0] == self.totals[1] == 5


# 4 states, 4 transitions
@expect(nothing)
class ThreadLocal(Model):
    """Each thread adds up in a local variable, and writes to an element that is its own."""

    sums = array([0, 0])

    @thread(2)
    def add_up(self, i):
        total = 0
        for number in range(1, 4):
            total += number * (i + 1)
        self.sums[i] = total

    @postcondition
    def both_sums_are_right(self):
        return self.sums[0] == 6 and self.sums[1] == 12


@dataclass(frozen=True)
class Range:
    """Two numbers that belong together. An instance never changes."""

    low: int
    high: int


# 4 states, 4 transitions
@expect(nothing)
class ImmutableSnapshot(Model):
    """The writer replaces the whole range, and a reader reads it once."""

    current = Range(0, 9)

    @thread
    def writer(self):
        self.current = Range(10, 19)

    @thread
    def reader(self):
        seen = self.current
        assert seen.low <= seen.high


# 13 states, 16 transitions
@expect("assertion")
@expect(nothing, runtime="gil")
class TwoVariables(Model):
    """Wrong: the same two numbers as two variables. The reader can see one new and one old."""

    low = 0
    high = 9

    @thread
    def writer(self):
        self.low = 10
        self.high = 19

    @thread
    def reader(self):
        low = self.low
        high = self.high
        assert low <= high
