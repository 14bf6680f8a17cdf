"""Anderson's lock: N processes take places in a ring, and wait each for its own place, for ever.

T. E. Anderson, The performance of spin lock alternatives for shared-memory multiprocessors, 1990; step
for step as the state machine `anderson` of BEEM, the benchmark of explicit model checkers. A step
that is not enabled waits for a lock that nobody ever releases.

This is how models of other checkers look in Python: one atomic step for each transition, and a
local variable that says which are next. What the processes read of the ring lives on in that
variable, so that each of them may write on a condition that is long stale, and does: the write
which lets the next one in is right because of what the others do, which is not looked at. To find
that, states are searched together with what is held: this measures what that costs.

    N       states    transitions
    3        1,459          3,705
    4       29,641         97,516
"""

import threading

from interleave import Model, array, atomic, expect, param, thread


@expect("lost-update")
class Anderson(Model):
    """State machines that keep what they have read, with something to be found."""

    N = param(3)

    def setup(self):
        self.slot = array([1] + [0] * (self.N - 1))
        self.next = 0
        self.never = threading.Lock()
        self.never.acquire()

    @thread(N)
    def process(self):
        state, place = "outside", 0
        while True:
            with atomic():
                if state == "outside":
                    place = self.next
                    self.next = place + 1
                    state = "drawn"
                elif state == "drawn" and place == self.N - 1:
                    self.next = self.next - self.N
                    state = "waits"
                elif state == "drawn":
                    place = place % self.N
                    state = "waits"
                elif state == "waits" and self.slot[place] == 1:
                    state = "enters"
                elif state == "enters":
                    self.slot[place] = 0
                    state = "inside"
                elif state == "inside":
                    self.slot[(place + 1) % self.N] = 1
                    state = "outside"
                else:
                    self.never.acquire()
