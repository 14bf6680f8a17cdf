"""Lamport's bakery algorithm: N threads draw numbers, and the lowest number is served first.

As in a bakery, who comes in draws a number that is higher than everybody else's. There is no
machine that hands them out: a thread looks at all the numbers, one after the other, and takes the
highest plus one. So two threads that come at the same time can draw the same number; of these, the
one with the lower index goes first.

A thread that is still drawing has no number yet, though it may draw a low one. So one has to wait
until it has drawn: that is what `drawing` is for. The second model leaves it out. Its threads 0 and
1 both see no number; 1 draws its number, sees that 0 has none, and goes in; then 0 draws the same
number, comes first because of its index, and goes in as well.

The numbers have no bound if threads come again and again: there is always one in the shop when the
next one draws. Here each comes ROUNDS times, so that no number is higher than N x ROUNDS, and the
state graph is finite.

    interleave check models/classics/bakery.py -p N=3

(L. Lamport, "A new solution of Dijkstra's concurrent programming problem", Communications of the
ACM, 1974.)
"""

from interleave import Model, array, expect, invariant, nothing, param, section, thread


class Shop(Model):
    """What both versions have in common. Number 0 stands for none."""

    N = param(2)
    ROUNDS = param(1)  # how often each thread goes in

    def setup(self):
        self.number = array([0] * self.N)
        self.drawing = array([False] * self.N)

    def draw(self, i):
        highest = 0
        for other in range(self.N):
            highest = max(highest, self.number[other])
        self.number[i] = highest + 1
        return highest + 1

    def wait_for_lower(self, mine, i, other):
        while True:
            number = self.number[other]
            if number == 0 or (number, other) > (mine, i):
                return

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1

    @invariant
    def numbers_are_bounded(self):
        return max(self.number) <= self.N * self.ROUNDS


# N=2: 153 states, 269 transitions
# N=3: 4,968 states, 13,414 transitions
# ROUNDS=2: 901 states, 1,700 transitions
@expect(nothing)
class Bakery(Shop):
    """Wait for those who are drawing, then for those with lower numbers."""

    @thread(Shop.N)
    def customer(self, i):
        for _ in range(self.ROUNDS):
            self.drawing[i] = True
            mine = self.draw(i)
            self.drawing[i] = False
            for other in range(self.N):
                if other != i:
                    while self.drawing[other]:
                        pass  # wait
                    self.wait_for_lower(mine, i, other)
            with section("critical"):
                pass  # work
            self.number[i] = 0


# N=2: 95 states, 163 transitions
@expect("invariant")
class NobodyIsDrawing(Shop):
    """Wrong: takes everybody who has no number for one who does not want any."""

    @thread(Shop.N)
    def customer(self, i):
        for _ in range(self.ROUNDS):
            mine = self.draw(i)
            for other in range(self.N):
                if other != i:
                    self.wait_for_lower(mine, i, other)
            with section("critical"):
                pass  # work
            self.number[i] = 0
