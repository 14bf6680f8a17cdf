"""Water: two hydrogen atoms and one oxygen atom meet, and bond before the next three do.

Each atom is a thread. An atom that comes too early waits until the other two are there; then all
three bond, and only then may the next molecule begin. So of the first three bonds two are of H and
one of O, and so are the next three.

Two things are needed. Semaphores see to it who may take part: two H and one O at a time. A barrier
sees to it that nobody bonds before three are there. An atom gives its place to the next of its kind
when it has bonded, and not before.

With the barrier alone, any three can meet. With the semaphores alone nobody waits for the others:
an O bonds, gives its place to the next O, and there are two of them before any H has come. And if
an atom gives back its place as soon as it has passed the barrier, another O can be through the
whole of it again before two slow H have bonded.

(An exercise of operating systems courses at Berkeley; G. R. Andrews, "Concurrent Programming:
Principles and Practice", 1991; A. B. Downey, "The Little Book of Semaphores", section 5.6.)
"""

import threading

from interleave import Model, atomic, expect, invariant, nothing, param, thread


class Water(Model):
    """What all versions have in common, and how many atoms the present molecule has."""

    HYDROGEN = param(4)  # atoms: twice as many as of oxygen
    OXYGEN = param(2)

    h = o = 0

    def setup(self):
        self.barrier = threading.Barrier(3)
        self.hydrogen_places = threading.Semaphore(2)
        self.oxygen_places = threading.Semaphore(1)

    def bond(self, kind):
        with atomic():
            if self.h + self.o == 3:
                self.h = self.o = 0  # the next molecule begins
            if kind == "H":
                self.h += 1
            else:
                self.o += 1

    @invariant
    def it_is_water(self):
        return self.h <= 2 and self.o <= 1


# 3,415 states, 10,198 transitions
@expect("invariant")
class BarrierOnly(Water):
    """Wrong: three atoms meet, whichever they are."""

    def react(self, kind):
        self.barrier.wait()
        self.bond(kind)

    @thread(Water.HYDROGEN)
    def hydrogen(self):
        self.react("H")

    @thread(Water.OXYGEN)
    def oxygen(self):
        self.react("O")


# 2,970 states, 8,986 transitions
@expect("invariant")
class PlacesOnly(Water):
    """Wrong: nobody waits for the others."""

    def react(self, kind, places):
        with places:
            self.bond(kind)

    @thread(Water.HYDROGEN)
    def hydrogen(self):
        self.react("H", self.hydrogen_places)

    @thread(Water.OXYGEN)
    def oxygen(self):
        self.react("O", self.oxygen_places)


# 12,237 states, 42,180 transitions
@expect("invariant")
class PlaceGivenBackTooEarly(Water):
    """Wrong: the next atom can bond before the one whose place it has got."""

    def react(self, kind, places):
        with places:
            self.barrier.wait()
        self.bond(kind)

    @thread(Water.HYDROGEN)
    def hydrogen(self):
        self.react("H", self.hydrogen_places)

    @thread(Water.OXYGEN)
    def oxygen(self):
        self.react("O", self.oxygen_places)


# 4,888 states, 12,252 transitions
@expect(nothing)
class BarrierAndPlaces(Water):
    """Right: take a place, wait until three are there, bond, and give back the place."""

    def react(self, kind, places):
        with places:
            self.barrier.wait()
            self.bond(kind)

    @thread(Water.HYDROGEN)
    def hydrogen(self):
        self.react("H", self.hydrogen_places)

    @thread(Water.OXYGEN)
    def oxygen(self):
        self.react("O", self.oxygen_places)
