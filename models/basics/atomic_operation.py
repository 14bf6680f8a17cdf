"""An operation is atomic if no other thread can run in the middle of it.

`with atomic():` makes one step of what is in it. It is there to model what hardware, a database or
a library does in one go: fetch-and-add, compare-and-set, one SQL statement. In a program of your
own you cannot write it: there it takes a lock, or an operation that is documented to be atomic.

Two atomic operations in a row are not one atomic operation: another thread can run between them.

Compare-and-set is for that case: it sets the new value only if the old one is still there. If it is
not, one begins again, and that means from the beginning: with a new look at the value, and a new
value worked out from it.
"""

from interleave import Model, atomic, expect, nothing, postcondition, thread


# 4 states, 4 transitions
@expect(nothing)
class FetchAndAdd(Model):
    """One atomic operation reads, adds and writes."""

    counter = 0

    @thread(2)
    def increment(self):
        with atomic():
            self.counter += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2

    SCENARIO = "add atomically"


# 12 states, 14 transitions
@expect("lost-update", "postcondition")
class AtomicGetAtomicSet(Model):
    """Wrong: the get is atomic, the set is atomic, and the two together are not."""

    counter = 0

    def get(self):
        with atomic():
            return self.counter

    def set(self, value):
        with atomic():
            self.counter = value

    @thread(2)
    def increment(self):
        current = self.get()
        self.set(current + 1)

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2

    SCENARIO = "load and store atomically"


# 11 states, 14 transitions
@expect(nothing)
class CompareAndSet(Model):
    """Right without a lock: set only if nobody else has set meanwhile, else try again."""

    counter = 0

    def compare_and_set(self, expected, value):
        with atomic():
            if self.counter != expected:
                return False
            self.counter = value
            return True

    @thread(2)
    def increment(self):
        while True:
            current = self.counter
            if self.compare_and_set(current, current + 1):
                return

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2


# 23 states, 30 transitions
@expect("lost-update", "postcondition")
class WorkedOutOnce(Model):
    """Wrong: looks again before each try, but sets what it worked out from its first look."""

    counter = 0

    def compare_and_set(self, expected, value):
        with atomic():
            if self.counter != expected:
                return False
            self.counter = value
            return True

    @thread(2)
    def increment(self):
        value = self.counter + 1
        while not self.compare_and_set(self.counter, value):
            pass  # try again

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2
