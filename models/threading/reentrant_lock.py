"""A reentrant lock, made by hand of a plain one: as `RLock` is written in Python's own library.

Who holds the lock may take it again, so it first looks whether it is its owner. It does so without
holding anything, and what it sees may change at once: but no other thread ever writes *its* number
there, or takes it away. Whatever the owner is meanwhile, the answer is the same: no update is lost.

The mistake is to ask a question whose answer others do change: whether anybody holds the lock.
"""

import threading

from interleave import Model, expect, invariant, nothing, param, section, thread


class Reentrant:
    def __init__(self):
        self.block = threading.Lock()
        self.owner = None
        self.count = 0

    def is_mine(self, me):
        return self.owner == me

    def acquire(self, me):
        if self.is_mine(me):
            self.count += 1
            return
        self.block.acquire()
        self.owner = me
        self.count = 1

    def release(self):
        self.count -= 1
        if not self.count:
            self.owner = None
            self.block.release()


class IsItHeld(Reentrant):
    def is_mine(self, me):
        return self.owner is not None


class Nested(Model):
    """What both versions do: they take the lock twice."""

    N = param(2)

    def work(self, me):
        self.lock.acquire(me)
        self.lock.acquire(me)
        with section("inside"):
            pass
        self.lock.release()
        self.lock.release()

    @invariant
    def one_at_a_time(self):
        return self.inside("inside") <= 1


# 99 states, 132 transitions
@expect(nothing)
class OwnerMayTakeItAgain(Nested):
    """Asks whether the lock is its own."""

    def setup(self):
        self.lock = Reentrant()

    @thread(Nested.N)
    def worker(self, i):
        self.work(i)


# 3,072 states, 5,478 transitions
@expect("lost-update", "exception", "invariant")
@expect("invariant", runtime="gil")
class AnybodyMayTakeItAgain(Nested):
    """Wrong: asks whether somebody holds the lock, and takes it along with that one."""

    def setup(self):
        self.lock = IsItHeld()

    @thread(Nested.N)
    def worker(self, i):
        self.work(i)
