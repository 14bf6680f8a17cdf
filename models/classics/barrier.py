"""A barrier from two counters: nobody begins the next round before all have ended this one.

N threads work in rounds. Between two rounds each waits until all have arrived. One counter, of
those who have arrived, does for one round: wait until it says N. But who sets it back to zero, and
when? If nobody does, it still says N in the next round, and lets everybody through at once.

So there is a second counter, of those who have left. A thread waits until all have arrived, counts
itself among those who have left, and waits until all have left. The last one to arrive sets the
counter of those who left back to zero, for nobody looks at it now; and the last one to leave sets
back the other.

The counters are counted under a lock. Without it, updates are lost. If it is an arrival, there are
never enough, and all threads wait for ever (which a check does not find as such: see
docs/limits.md). If it is a counter's return to zero, some thread does not wait at all.

    interleave check models/classics/barrier.py -m TwoCounters -p N=3

The mistakes take three rounds to show.

(Two phases, as in A. B. Downey, "The Little Book of Semaphores", section 3.7.)
"""

import threading

from interleave import Model, array, expect, invariant, nothing, param, thread


class Rounds(Model):
    """What all versions do. `round` is the round that each thread is in."""

    N = param(2)
    ROUNDS = param(3)
    arrived = 0

    def setup(self):
        self.round = array([0] * self.N)

    def work(self, i):
        for round in range(1, self.ROUNDS + 1):
            self.round[i] = round
            self.wait_for_all()

    @invariant
    def nobody_is_a_round_ahead(self):
        return max(self.round) - min(self.round) <= 1


# N=2: 190 states, 320 transitions
# N=3: 1,795 states, 4,257 transitions
@expect("invariant")
class OneCounter(Rounds):
    """Wrong: right for one round, and then the counter is full."""

    lock = threading.Lock()

    def wait_for_all(self):
        with self.lock:
            self.arrived += 1
        while self.arrived < self.N:
            pass  # wait

    @thread(Rounds.N)
    def worker(self, i):
        self.work(i)


# N=2: 3,905 states, 7,240 transitions
@expect("lost-update", "livelock", "invariant")
@expect(nothing, runtime="gil")
class TwoCountersWithoutLock(Rounds):
    """Wrong: updates of the counters are lost, and the last one to come may wait for ever."""

    left = 0

    def wait_for_all(self):
        self.arrived += 1
        if self.arrived == self.N:
            self.left = 0
        while self.arrived < self.N:
            pass  # wait
        self.left += 1
        if self.left == self.N:
            self.arrived = 0
        while self.left < self.N:
            pass  # wait

    @thread(Rounds.N)
    def worker(self, i):
        self.work(i)


# N=2: 286 states, 484 transitions
# N=3: 1,324 states, 3,228 transitions
@expect(nothing)
class TwoCounters(Rounds):
    """All have arrived; all have left; and again."""

    lock = threading.Lock()
    left = 0

    def wait_for_all(self):
        with self.lock:
            self.arrived += 1
            if self.arrived == self.N:
                self.left = 0
        while self.arrived < self.N:
            pass  # wait
        with self.lock:
            self.left += 1
            if self.left == self.N:
                self.arrived = 0
        while self.left < self.N:
            pass  # wait

    @thread(Rounds.N)
    def worker(self, i):
        self.work(i)
