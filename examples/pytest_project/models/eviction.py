"""How entries are to be evicted, before there is any code of it. Each model is a test."""

import threading

from interleave import Model, expect, invariant, nothing, thread


@expect(nothing, runtime="gil")
@expect("invariant", "lost-update")
class EvictionWithoutLock(Model):
    """Why there must be a lock: two threads that see room for one entry both add one.

    Under its GIL, CPython does not switch threads between the comparison and the addition.
    """

    entries = 1

    @thread(2)
    def add(self):
        if self.entries < 2:
            self.entries += 1

    @invariant
    def fits(self):
        return self.entries <= 2


class Eviction(Model):
    """The same, with a lock."""

    entries = 1
    lock = threading.Lock()

    @thread(2)
    def add(self):
        with self.lock:
            if self.entries < 2:
                self.entries += 1

    @invariant
    def fits(self):
        return self.entries <= 2
