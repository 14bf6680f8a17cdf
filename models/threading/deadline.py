"""Waiting until a deadline: the time goes on between two looks at the clock.

A thread polls until something is ready, and for five seconds at most. It looks whether the deadline
has passed, and then computes how long to sleep, for which it looks again. By then the deadline may
have passed, and `time.sleep` raises a ValueError: it is not meant for times below zero. That takes a
thread that is held up at the right moment, by others or by the machine, which happens once a year.
"""

import time

from interleave import Model, expect, nothing, thread


# 52 states, 104 transitions
@expect("exception")
class LooksTwice(Model):
    """The clock in the condition, and once more in the body."""

    ready = False

    @thread
    def client(self):
        deadline = time.monotonic() + 5
        while not self.ready and time.monotonic() < deadline:
            time.sleep(min(1, deadline - time.monotonic()))

    @thread
    def server(self):
        self.ready = True


# 40 states, 78 transitions
@expect(nothing)
class LooksOnce(Model):
    """The fix: one look, and both come of it."""

    ready = False

    @thread
    def client(self):
        deadline = time.monotonic() + 5
        while not self.ready:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(1, left))

    @thread
    def server(self):
        self.ready = True
