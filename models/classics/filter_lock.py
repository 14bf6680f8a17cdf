"""The filter lock: Peterson's algorithm for N threads.

A thread goes up through N - 1 levels, like rooms one behind the other, to the critical section. On
each level it writes down that it is there and that it is the latest to arrive (the victim), and
waits while it is the victim and some other thread is on this level or above. Whoever arrives later
lets it go on. So each level keeps back at least one of the threads that come to it, and at most one
of them gets through the last level.

The mistake: one level too few. With N = 3 threads two levels are needed; one lets two threads in.

    interleave check models/classics/filter_lock.py -p N=2

(G. L. Peterson, "Myths about the mutual exclusion problem", 1981; the name is from M. Herlihy and
N. Shavit, "The Art of Multiprocessor Programming", 2008, section 2.4.)
"""

from interleave import Model, array, expect, invariant, nothing, param, section, thread


class Levels(Model):
    """What both versions have in common. Level 0 is outside."""

    N = param(3)

    def setup(self):
        self.level = array([0] * self.N)  # of each thread
        self.victim = array([None] * self.N)  # of each level

    def climb(self, i, level):
        self.level[i] = level
        self.victim[level] = i
        for other in range(self.N):
            if other != i:
                while self.level[other] >= level and self.victim[level] == i:
                    pass  # wait

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1


# N=2: 58 states, 98 transitions
# N=3: 1,661 states, 4,500 transitions
# N=4: 85,878 states, 322,080 transitions
@expect(nothing)
class FilterLock(Levels):
    """N - 1 levels, each of which keeps one thread back."""

    @thread(Levels.N)
    def worker(self, i):
        for level in range(1, self.N):
            self.climb(i, level)
        with section("critical"):
            pass  # work
        self.level[i] = 0


# N=3: 842 states, 2,235 transitions
@expect("invariant")
class OneLevelTooFew(Levels):
    """Wrong: N - 2 levels keep N - 2 threads back, and two get in."""

    @thread(Levels.N)
    def worker(self, i):
        for level in range(1, self.N - 1):
            self.climb(i, level)
        with section("critical"):
            pass  # work
        self.level[i] = 0
