"""Peterson's algorithm: two threads keep out of each other's way without a lock.

Each thread has a flag that says "I want to go in", and there is one variable that says whose turn
it is. To go in, a thread raises its flag, gives the turn away, and waits while the other one wants
to go in and has the turn. If both come at the same time, both give the turn away, one of them does
so last, and that one waits.

The order matters: first the flag, then the turn. The second model does it the other way round, as
is easily done by mistake, and both threads get in.

It takes two variables more than a lock, and memory that is sequentially consistent, which Python's
is and that of C and of hardware is not (docs/limits.md). What it shows is that mutual exclusion
needs no more than reading and writing.

(G. L. Peterson, "Myths about the mutual exclusion problem", Information Processing Letters, 1981.)
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


# 58 states, 98 transitions
# ROUNDS=2: 210 states, 384 transitions
@expect(nothing)
class Peterson(TwoThreads):
    """First the flag, then the turn."""

    @thread(2)
    def worker(self, i):
        other = 1 - i
        for _ in range(self.ROUNDS):
            self.wants[i] = True
            self.turn = other
            while self.wants[other] and self.turn == other:
                pass  # wait
            with section("critical"):
                pass  # work
            self.wants[i] = False


# 107 states, 184 transitions
@expect("invariant")
@expect(nothing, runtime="gil")
class TurnFirst(TwoThreads):
    """Wrong: first the turn, then the flag. Between them, the other one sees no flag."""

    @thread(2)
    def worker(self, i):
        other = 1 - i
        for _ in range(self.ROUNDS):
            self.turn = other
            self.wants[i] = True
            while self.wants[other] and self.turn == other:
                pass  # wait
            with section("critical"):
                pass  # work
            self.wants[i] = False
