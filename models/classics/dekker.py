"""Dekker's algorithm: the first solution of mutual exclusion for two threads.

Each thread has a flag that says "I want to go in". A thread that raises its flag and then sees no
other flag may go in. If both raise their flags at the same time, somebody has to give way, and it
must not be both: the one whose turn it is not lowers its flag, waits for its turn, and raises the
flag again. On the way out a thread gives the turn away.

The mistake: look first, then raise the flag. Both look, neither sees a flag, both go in.

Raising the flag first and then waiting until the other one is lowered keeps the threads apart, but
both can wait for ever: that is why there is a turn. docs/graphs.md looks at that version.

(T. J. Dekker, about 1959; told by E. W. Dijkstra in "Cooperating sequential processes", EWD 123,
1965, with all the attempts that fail on the way there.)
"""

from interleave import Model, array, expect, invariant, nothing, param, section, thread


class TwoThreads(Model):
    """What both versions have in common."""

    ROUNDS = param(1)  # how often each thread goes in
    wants = array([False, False])
    turn = 0

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1


# 63 states, 105 transitions
# ROUNDS=2: 331 states, 612 transitions
@expect(nothing)
class Dekker(TwoThreads):
    """Raise the flag, then look; if both are raised, the turn decides who gives way."""

    @thread(2)
    def worker(self, i):
        other = 1 - i
        for _ in range(self.ROUNDS):
            self.wants[i] = True
            while self.wants[other]:
                if self.turn != i:
                    self.wants[i] = False
                    while self.turn != i:
                        pass  # wait
                    self.wants[i] = True
            with section("critical"):
                pass  # work
            self.turn = other
            self.wants[i] = False


# 36 states, 60 transitions
@expect("invariant")
@expect(nothing, runtime="gil")
class LookThenRaise(TwoThreads):
    """Wrong: between looking and raising the flag, the other one can look too."""

    @thread(2)
    def worker(self, i):
        other = 1 - i
        for _ in range(self.ROUNDS):
            while self.wants[other]:
                pass  # wait
            self.wants[i] = True
            with section("critical"):
                pass  # work
            self.wants[i] = False
