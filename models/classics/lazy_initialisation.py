"""Lazy initialisation, done twice.

A connection is expensive, so it is opened when it is first needed: if there is none, open one and
keep it. Two threads need it at the same time, both see that there is none, and both open one. One
of the two connections is overwritten, and never closed; or, worse, some threads use the one, and
some the other.

The fix is a lock around the look and the opening. It is then taken each time somebody needs the
connection; double_checked_initialisation.py avoids that.
"""

import threading

from interleave import Model, array, atomic, expect, nothing, postcondition, thread


class Lazy(Model):
    """What both versions have in common. A connection is a number; None stands for none."""

    connection = None
    opened = 0
    used = array([None, None])  # the connection that each thread uses

    def open(self):
        with atomic():  # the server counts right
            self.opened += 1
            return self.opened

    @postcondition
    def one_connection_is_opened(self):
        return self.opened == 1

    @postcondition
    def everybody_uses_the_same(self):
        return self.used[0] == self.used[1]


# 85 states, 124 transitions
@expect("lost-update", "postcondition")
class OpenedTwice(Lazy):
    """Wrong: between the look and the opening, the other thread looks too."""

    @thread(2)
    def worker(self, i):
        if self.connection is None:
            self.connection = self.open()
        self.used[i] = self.connection


# 31 states, 40 transitions
@expect(nothing)
class OpenedUnderALock(Lazy):
    """The fix: one thread at a time looks, and opens if there is none."""

    lock = threading.Lock()

    @thread(2)
    def worker(self, i):
        with self.lock:
            if self.connection is None:
                self.connection = self.open()
            mine = self.connection
        self.used[i] = mine
