"""A barrier that is used again: all begin the second round together, as they began the first.

At a barrier each thread waits until all have come. It is easy to write one that works once. The
trouble comes in the second round, when one thread is back before another has left.

With an Event, the last one to come sets it, and all go through. It stays set: in the next round
nobody waits. With a Condition and a count, the last one to come sets the count back to zero and
notifies all, and each of the others waits until the count is zero. But a thread that is quick comes
to the next round and counts itself, before a slow one has looked: that one sees a count that is not
zero, and waits again. Now each waits for the other.

The fix: the count does not say which round it belongs to, so a number of the round is kept beside
it. One waits until the round is over in which one came. That is also how `threading.Barrier` can be
used again and again; in a program, use that one.

classics/barrier.py makes a barrier from nothing but a lock and two counters.
"""

import threading

from interleave import Model, array, expect, invariant, nothing, param, thread


class Rounds(Model):
    """What all versions do. `round` has the round that each thread is in."""

    N = param(2)
    ROUNDS = param(2)

    def setup(self):
        self.round = array([0] * self.N)

    def work(self, i):
        for number in range(1, self.ROUNDS + 1):
            self.wait_for_all()
            self.round[i] = number

    @invariant
    def nobody_is_a_round_ahead(self):
        return max(self.round) - min(self.round) <= 1


# 109 states, 170 transitions
@expect("invariant")
class EventStaysSet(Rounds):
    """Wrong: right for one round, and then the Event is set for ever."""

    lock = threading.Lock()
    all_are_here = threading.Event()
    arrived = 0

    def wait_for_all(self):
        with self.lock:
            self.arrived += 1
            if self.arrived == self.N:
                self.all_are_here.set()
        self.all_are_here.wait()

    @thread(Rounds.N)
    def worker(self, i):
        self.work(i)


# 111 states, 138 transitions
@expect("deadlock")
class CountOnly(Rounds):
    """Wrong: who is slow takes the count of the next round for that of this one."""

    condition = threading.Condition()
    arrived = 0

    def wait_for_all(self):
        with self.condition:
            self.arrived += 1
            if self.arrived == self.N:
                self.arrived = 0
                self.condition.notify_all()
            else:
                while self.arrived != 0:
                    self.condition.wait()

    @thread(Rounds.N)
    def worker(self, i):
        self.work(i)


# N=2, ROUNDS=2: 129 states, 160 transitions
# N=3, ROUNDS=3: 1,165 states, 1,773 transitions
@expect(nothing)
class CountAndRound(Rounds):
    """The fix: wait until the round is over in which one came."""

    condition = threading.Condition()
    arrived = 0
    over = 0  # how many rounds are over

    def wait_for_all(self):
        with self.condition:
            mine = self.over
            self.arrived += 1
            if self.arrived == self.N:
                self.arrived = 0
                self.over += 1
                self.condition.notify_all()
            else:
                while self.over == mine:
                    self.condition.wait()

    @thread(Rounds.N)
    def worker(self, i):
        self.work(i)


# N=2, ROUNDS=2: 23 states, 32 transitions
# N=3, ROUNDS=3: 190 states, 381 transitions
@expect(nothing)
class BarrierOfTheLibrary(Rounds):
    """The same from the standard library."""

    def setup(self):
        super().setup()
        self.barrier = threading.Barrier(self.N)

    def wait_for_all(self):
        self.barrier.wait()

    @thread(Rounds.N)
    def worker(self, i):
        self.work(i)
