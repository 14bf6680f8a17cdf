"""A shop sells an article that it no longer has.

One article is left, and two customers want it. Each looks whether there is stock, and if so takes
one: check, then act. If both look before either takes, both see one article, and both take it.
What was checked is no longer true when it is acted upon.

The fix is one lock around the check and the act. A lock around the act alone does not help, for the
answer of the check is stale by then; checking once more under the lock does.
"""

import threading

from interleave import Model, expect, invariant, nothing, thread


# 19 states, 26 transitions
@expect("lost-update", "invariant")
@expect(nothing, runtime="gil")
class CheckThenAct(Model):
    """Wrong: between the check and the act, the other customer can buy."""

    stock = 1

    @thread(2)
    def customer(self):
        if self.stock > 0:
            self.stock -= 1

    @invariant
    def never_oversold(self):
        return self.stock >= 0


# 30 states, 38 transitions
@expect("invariant")
class LockAroundTheActOnly(Model):
    """Still wrong: no update is lost now, but the second customer acts on a stale check."""

    stock = 1
    lock = threading.Lock()

    @thread(2)
    def customer(self):
        if self.stock > 0:
            with self.lock:
                self.stock -= 1

    @invariant
    def never_oversold(self):
        return self.stock >= 0


# 16 states, 16 transitions
@expect(nothing)
class CheckAndActUnderOneLock(Model):
    """The fix: nobody else can buy between the check and the act."""

    stock = 1
    lock = threading.Lock()

    @thread(2)
    def customer(self):
        with self.lock:
            if self.stock > 0:
                self.stock -= 1

    @invariant
    def never_oversold(self):
        return self.stock >= 0


# 29 states, 40 transitions
@expect(nothing)
class CheckedTwice(Model):
    """Another fix: the first check may be stale, but it only decides whether to look closer."""

    stock = 1
    lock = threading.Lock()

    @thread(2)
    def customer(self):
        if self.stock > 0:
            with self.lock:
                if self.stock > 0:
                    self.stock -= 1

    @invariant
    def never_oversold(self):
        return self.stock >= 0
