"""N philosophers of whom ROOM may sit at the table, as state machines, for ever.

Step for step as the state machine `phils` of BEEM, the benchmark of explicit model checkers. A step
that is not enabled waits for a lock that nobody ever releases.

Each philosopher keeps in a local variable what to do next, and with it, for ever, all that was once
read of forks and of the room. Nothing is lost by that: whoever takes a fork looks at it in that
step, and nobody else touches a fork that is taken. This measures how soon that is seen.

    N   ROOM       states    transitions
    6      5        5,049         23,886
    9      7      340,789      2,372,193
"""

import threading

from interleave import Model, array, atomic, expect, nothing, param, thread


@expect(nothing)
class PhilosophersInARoom(Model):
    """State machines that keep what they have read, with nothing to be found."""

    N = param(6)
    ROOM = param(5)

    def setup(self):
        self.fork = array([0] * self.N)
        self.room = 0
        self.never = threading.Lock()
        self.never.acquire()

    @thread(N)
    def philosopher(self, i):
        left, right = i, (i + 1) % self.N
        state = "thinks"
        while True:
            with atomic():
                if state == "thinks" and self.room < self.ROOM:
                    self.room += 1
                    state = "hungry"
                elif state == "hungry" and self.fork[left] == 0:
                    self.fork[left] = 1
                    state = "one fork"
                elif state == "one fork" and self.fork[right] == 0:
                    self.fork[right] = 1
                    state = "eats"
                elif state == "eats":
                    self.fork[left] = 0
                    state = "leaves"
                elif state == "leaves":
                    self.fork[right] = 0
                    self.room -= 1
                    state = "thinks"
                else:
                    self.never.acquire()
