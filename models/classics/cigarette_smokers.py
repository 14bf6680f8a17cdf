"""The cigarette smokers: each takes what he needs, one thing after the other, and all wait.

To smoke takes tobacco, paper and a match. Three smokers have an endless supply of one of them each:
the first has tobacco, the second paper, the third matches. An agent puts two different things on
the table; the smoker who has the third one takes both, smokes, and tells the agent to go on.

The mistake is what comes to mind first: each smoker waits for the one thing that he lacks, takes
it, and then waits for the other. If tobacco and paper lie there, they are for the one with the
matches. But the one with the tobacco needs paper as well, and may take it: now he waits for a
match, the right one waits for paper, and the agent waits for somebody to smoke.

The point of the puzzle is that the agent cannot be changed. So the smokers need helpers: one for
each thing. A helper takes his thing from the table and looks, under a lock, which other one has
been taken already. If there is none, he writes down that his is there; if there is, he knows both,
and wakes the one smoker who is to smoke.

(S. S. Patil, 1971; the helpers are by D. L. Parnas, Communications of the ACM, 1975.)
"""

import threading

from interleave import Model, choose, expect, nothing, param, thread

THINGS = ("tobacco", "paper", "matches")


class Table(Model):
    """The agent, who is the same in both versions. Smoker i has the thing i."""

    ROUNDS = param(1)

    def setup(self):
        self.on_the_table = {thing: threading.Semaphore(0) for thing in THINGS}
        self.go_on = threading.Semaphore(0)

    def put_two_things(self):
        for _ in range(self.ROUNDS):
            missing = choose(THINGS)
            for thing in THINGS:
                if thing != missing:
                    self.on_the_table[thing].release()
            self.go_on.acquire()


# 28 states, 36 transitions
@expect("deadlock")
class OneThingAfterTheOther(Table):
    """Wrong: takes a thing that is meant for somebody else, and keeps it while he waits."""

    @thread
    def agent(self):
        self.put_two_things()

    @thread(3, daemon=True)
    def smoker(self, i):
        while True:
            for thing in THINGS:
                if thing != THINGS[i]:
                    self.on_the_table[thing].acquire()
            self.go_on.release()  # has smoked


# ROUNDS=1: 144 states, 214 transitions
# ROUNDS=3: 526 states, 852 transitions
@expect(nothing)
class Helpers(Table):
    """The fix: helpers take the things, and who knows of both wakes the right smoker."""

    lock = threading.Lock()

    def setup(self):
        super().setup()
        self.is_here = {thing: False for thing in THINGS}
        self.wake = {thing: threading.Semaphore(0) for thing in THINGS}

    @thread
    def agent(self):
        self.put_two_things()

    @thread(3, daemon=True)
    def helper(self, i):
        first, second = (thing for thing in THINGS if thing != THINGS[i])
        while True:
            self.on_the_table[THINGS[i]].acquire()
            with self.lock:
                if self.is_here[first]:
                    self.is_here[first] = False
                    self.wake[second].release()  # the one who has the third thing
                elif self.is_here[second]:
                    self.is_here[second] = False
                    self.wake[first].release()
                else:
                    self.is_here[THINGS[i]] = True

    @thread(3, daemon=True)
    def smoker(self, i):
        while True:
            self.wake[THINGS[i]].acquire()
            self.go_on.release()  # has smoked
