"""The filter lock: Peterson's algorithm for N threads, each of which comes ROUNDS times.

models/classics/filter_lock.py in this repository explains it. Threads wait in loops, so the state
graph is full of cycles; and every state is looked at to see that at most one thread is inside.

    N   ROUNDS       states    transitions
    4        1       85,878        322,080
    3        8    1,160,476      3,440,471
    4        3   12,543,438     49,240,874
"""

from interleave import Model, array, expect, invariant, nothing, param, section, thread


@expect(nothing)
class FilterLock(Model):
    """Arrays of numbers, waiting in loops, and an invariant."""

    N = param(4)
    ROUNDS = param(1)

    def setup(self):
        self.level = array([0] * self.N)  # of each thread; 0 is outside
        self.victim = array([None] * self.N)  # of each level: who came last

    @thread(N)
    def worker(self, i):
        for _ in range(self.ROUNDS):
            for level in range(1, self.N):
                self.level[i] = level
                self.victim[level] = i
                for other in range(self.N):
                    if other != i:
                        while self.level[other] >= level and self.victim[level] == i:
                            pass  # wait
            with section("critical"):
                pass  # work
            self.level[i] = 0

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1
