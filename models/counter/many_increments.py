"""N threads increment a shared counter K times each: how low can the total get?

Without a lock, lower than one might think. With two threads and K >= 2 the total can be 2, however
large K is: one thread reads 0 and is held up; the other does all but one of its increments; the
first writes 1; the other reads that 1 and is held up; the first does all the rest; the other writes
2.

N and K are parameters, to be set from the command line:

    interleave check models/counter/many_increments.py -p N=3 -p K=1

The number of states grows fast, and is always the same for the same N and K (each read and each
write is a step):

    N   K    states    transitions
    2   1        12             14
    2   2        57             82
    2   5     1,277          2,228
    3   1        59             99
    3   2       904          1,977
    3   5   169,771        460,203
    4   2    17,231         51,708

The expectations hold for every N >= 2 and K >= 2. (With K = 1 the total can be 1, which is what
`at_least_two` denies; with N = 1 there is nobody to lose an update to.)

With a lock around the read and the write every increment counts, for any number of threads. And
far less can happen: ten threads with a lock have fewer states than four without one. In each state
nobody has the lock, or one thread does, and is at one of three places.

    interleave check models/counter/many_increments.py -m ManyIncrementsWithLock -p N=10 -p K=1
"""

import threading

from interleave import Model, expect, nothing, param, postcondition, thread


# N=2, K=1: 12 states, 14 transitions
# N=2, K=2: 57 states, 82 transitions
# N=2, K=5: 1,277 states, 2,228 transitions
# N=3, K=2: 904 states, 1,977 transitions
# N=4, K=2: 17,231 states, 51,708 transitions
@expect("lost-update", "postcondition")
@expect(nothing, runtime="gil")
class ManyIncrements(Model):
    """The total should be N x K."""

    N = param(2)
    K = param(2)
    counter = 0

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            current = self.counter
            self.counter = current + 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == self.N * self.K


# N=2, K=2: 57 states, 82 transitions
@expect("lost-update")
@expect(nothing, runtime="gil")
class AtLeastTwo(Model):
    """How low can it get? Updates are lost, but no interleaving ends below 2."""

    N = param(2)
    K = param(2)
    counter = 0

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            current = self.counter
            self.counter = current + 1

    @postcondition
    def at_least_two(self):
        return self.counter >= 2


# N=2, K=2: 45 states, 48 transitions
# N=3, K=2: 189 states, 216 transitions
# N=10, K=1: 16,384 states, 20,480 transitions
@expect(nothing)
class ManyIncrementsWithLock(Model):
    """The fix: the total is N x K, for any number of threads."""

    N = param(2)
    K = param(2)
    counter = 0
    lock = threading.Lock()

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            with self.lock:
                current = self.counter
                self.counter = current + 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == self.N * self.K
