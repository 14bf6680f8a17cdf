"""The counter of without_lock.py, with a lock around the read and the write.

A lock lets one thread at a time into the `with` block; the other one waits at its beginning. So
nobody can read the counter between another thread's read and its write, and no update is lost.

`self.counter += 1` is a read and a write as well, however short it looks: a lock is needed around
it too.
"""

import threading

from interleave import Model, expect, nothing, postcondition, thread


# 16 states, 16 transitions
@expect(nothing)
class CounterWithLock(Model):
    """Two visitors, who take turns."""

    counter = 0
    lock = threading.Lock()

    @thread(2)
    def visit(self):
        with self.lock:
            current = self.counter
            self.counter = current + 1

    @postcondition
    def every_visit_counts(self):
        return self.counter == 2

    SCENARIO = "add under a lock"


# 40 states, 42 transitions
@expect("lost-update", "postcondition")
class LockAroundTheReadOnly(Model):
    """Wrong: the lock is given back between the read and the write, so it protects nothing."""

    counter = 0
    lock = threading.Lock()

    @thread(2)
    def visit(self):
        with self.lock:
            current = self.counter
        with self.lock:
            self.counter = current + 1

    @postcondition
    def every_visit_counts(self):
        return self.counter == 2
