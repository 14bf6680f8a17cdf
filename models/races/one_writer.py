"""One writer: a thread counts, another one only looks.

Where a single thread writes a variable, no update can be lost. That is why many programs keep their
statistics without a lock: a worker counts requests and errors, a monitor shows them now and then.
Still, the monitor reads while the worker writes. That is a data race, and what is shown may be of two
different moments: the errors of later with the requests of before, and so more errors than requests.

Two variables that belong together need one lock, for the one who writes and for the one who reads. Or
one variable: the worker makes a tuple of both, and the monitor reads it at once. That is still a data
race by the letter, since one writes what the other reads, but in Python the tuple that is read is
always whole.
"""

import threading

from interleave import Model, expect, nothing, thread


# 19 states, 27 transitions
@expect("assertion", "data-race")
@expect(nothing, runtime="gil")
class TwoCountersWithoutALock(Model):
    """Wrong: the monitor may read requests before, and errors after, a request that fails."""

    requests = 0
    errors = 0

    @thread
    def worker(self):
        self.requests += 1
        self.errors += 1

    @thread
    def monitor(self):
        requests = self.requests
        errors = self.errors
        assert errors <= requests


# 6 states, 7 transitions
@expect("data-race")
@expect(nothing, runtime="gil")
class OneTuple(Model):
    """Right in Python: both numbers are written at once, and read at once."""

    counted = (0, 0)

    @thread
    def worker(self):
        requests, errors = self.counted
        self.counted = (requests + 1, errors + 1)

    @thread
    def monitor(self):
        requests, errors = self.counted
        assert errors <= requests


# 20 states, 20 transitions
@expect(nothing, races=True)
@expect(nothing, runtime="gil")
class TwoCountersUnderALock(Model):
    """Right anywhere: one lock for both variables, whoever accesses them."""

    requests = 0
    errors = 0
    lock = threading.Lock()

    @thread
    def worker(self):
        with self.lock:
            self.requests += 1
            self.errors += 1

    @thread
    def monitor(self):
        with self.lock:
            requests, errors = self.requests, self.errors
        assert errors <= requests
