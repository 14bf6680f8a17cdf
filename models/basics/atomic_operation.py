"""An operation is atomic if no other thread can run in the middle of it.

`with atomic():` makes one step of what is in it. It is there to model what hardware, a database or
a library does in one go: fetch-and-add, compare-and-set, one SQL statement. In a program of your
own you cannot write it: there it takes a lock, or an operation that is documented to be atomic.

Two atomic operations in a row are not one atomic operation: another thread can run between them.
"""

from interleave import Model, atomic, expect, nothing, postcondition, thread


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
