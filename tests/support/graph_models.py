"""Models whose state graphs the tests of pictures and exports know."""

from __future__ import annotations

import threading

from interleave import Model, choose, invariant, param, postcondition, thread


class Counter(Model):
    N = param(2)
    K = param(1)
    counter = 0
    unused = 7

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            temp = self.counter
            self.counter = temp + 1

    @postcondition
    def nothing_lost(self):
        return self.counter == self.N * self.K


class Forks(Model):
    N = param(2)

    def setup(self):
        self.forks = [threading.Lock() for _ in range(self.N)]

    @thread(N)
    def philosopher(self, i):
        while True:
            with self.forks[i]:  # noqa: SIM117  (two lines, two positions)
                with self.forks[(i + 1) % self.N]:
                    pass


class Odd(Model):
    """Texts that must arrive in every format as they are, and values that some cannot hold."""

    text = 'a<b> & "c" \\N \\G é'
    big = 0
    mixed = 1
    initial = 0.5

    @thread
    def write(self):
        self.text = "one\ntwo → π\x07\ud800"
        self.big = 2**70
        self.mixed = None
        self.initial = 1.5

    @thread
    def choose_one(self):
        if choose(["<b>", "\\G"]) == "\\G":
            raise KeyError("x")

    @invariant
    def is_small(self):
        return self.big == 0
