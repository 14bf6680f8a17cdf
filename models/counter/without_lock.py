"""Two threads increment a shared counter, without a lock.

A web server counts its visitors. `counter = counter + 1` looks like one action, but it is two: read
the old number, then write the new one. Another thread can run between them. If both threads read 0
before either writes, both write 1: two visitors, and a counter that says 1. One update is lost.

The model states no rule about the right total. A lost update is found without one.

The fix is in with_lock.py.
"""

from interleave import Model, expect, nothing, thread


# 12 states, 14 transitions
@expect("lost-update")
@expect(nothing, runtime="gil")
class CounterWithoutLock(Model):
    """Two visitors, and no lock."""

    counter = 0

    @thread(2)
    def visit(self):
        current = self.counter
        self.counter = current + 1

    SCENARIO = "add to a counter"
