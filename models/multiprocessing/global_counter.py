"""Two processes increment a counter that is no Value: both updates are lost, each time.

A plain attribute looks shared, and between threads it is. A process has a copy of its own, made
when it starts: each process counts from 0 to 1 in its copy, and the counter of the parent, which
started them and looks when they have ended, is still 0. No schedule makes a difference, and no lock
helps.

The fix is a `multiprocessing.Value`, as in value.py, or to send what was counted back to the
parent.
"""

import multiprocessing

from interleave import Model, expect, nothing, postcondition, process, thread


# 9 states, 12 transitions
@expect("postcondition")
class EachHasItsOwnCounter(Model):
    """A plain attribute, incremented by two processes."""

    counter = 0

    @process(2)
    def increment(self):
        self.counter += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2


# 19 states, 29 transitions
@expect(nothing)
class SentBack(Model):
    """Each process sends what it has counted, and the parent adds it up."""

    counter = 0
    counted = multiprocessing.SimpleQueue()

    @thread
    def parent(self):
        for _ in range(2):
            self.counter += self.counted.get()

    @process(2)
    def count(self):
        self.counted.put(1)

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2
