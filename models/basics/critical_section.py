"""A critical section is a stretch of code that at most one thread may be in. Who sees to that?

`section("critical")` gives a stretch of code a name, and `self.inside("critical")` counts the
threads in it. The invariant below says: never more than one. This is called mutual exclusion.

Three attempts: a flag that says "somebody is in there" (wrong: two threads can both see it lowered
before either raises it); Peterson's algorithm of 1981, which needs no lock, just two flags and
whose turn it is (right, as long as memory is sequentially consistent: see docs/limits.md); and a
lock (right, and what to use).
"""

import threading

from interleave import Model, array, expect, invariant, nothing, section, thread


# 42 states, 66 transitions
@expect("invariant")
@expect(nothing, runtime="gil")
class OneFlag(Model):
    """Wrong: looking at the flag and raising it are two steps."""

    occupied = False

    @thread(2)
    def worker(self):
        while self.occupied:
            pass  # wait
        self.occupied = True
        with section("critical"):
            pass  # work
        self.occupied = False

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1


# 58 states, 98 transitions
@expect(nothing)
class Peterson(Model):
    """Peterson's algorithm: say that you want to go in, let the other go first, and wait."""

    wants = array([False, False])
    turn = 0

    @thread(2)
    def worker(self, i):
        other = 1 - i
        self.wants[i] = True
        self.turn = other
        while self.wants[other] and self.turn == other:
            pass  # wait
        with section("critical"):
            pass  # work
        self.wants[i] = False

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1


# 16 states, 16 transitions
@expect(nothing)
class OneLock(Model):
    """A lock looks and takes in one step."""

    lock = threading.Lock()

    @thread(2)
    def worker(self):
        with self.lock:
            with section("critical"):
                pass  # work

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1
