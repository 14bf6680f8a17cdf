"""N threads increment a shared counter K times each, without a lock: how low can the total get?

Not as low as one might hope. With two threads and K >= 2 the total can be 2, however large K is:
one thread reads 0 and is held up; the other does all but one of its increments; the first writes 1;
the other reads that 1 and is held up; the first does all the rest; the other writes 2.

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
"""

from interleave import Model, expect, nothing, param, postcondition, thread


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
