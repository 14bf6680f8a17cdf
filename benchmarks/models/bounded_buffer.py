"""Three producers and two consumers share a ring of SIZE places, for ever.

A producer draws the number of a place, as from a machine that hands out tickets, waits until there
is room, puts its own number there, and says that there is an item. A consumer does the reverse.
Each place has two locks, `room` and `item`, as semaphores that count to one: who takes the one
gives the other.

This is the shape of a ring buffer between many threads. Items are values in shared memory, and
there are locks that other threads release.

    SIZE       states    transitions
       3      228,618        770,355
       4    1,594,680      5,738,356
       5    8,453,670     31,815,505
"""

import threading

from interleave import Model, array, atomic, expect, nothing, param, thread


@expect(nothing)
class BoundedBuffer(Model):
    """Data, locks, and one step that reads and writes at once."""

    SIZE = param(2)

    def setup(self):
        self.ring = array([None] * self.SIZE)
        self.room = [threading.Lock() for _ in range(self.SIZE)]
        self.item = [threading.Lock() for _ in range(self.SIZE)]
        for lock in self.item:
            lock.acquire()  # there is nothing to take out yet
        self.tail = 0  # where the next item goes
        self.head = 0  # where the next item comes from

    def draw_tail(self):
        with atomic():
            place = self.tail
            self.tail = (place + 1) % self.SIZE
        return place

    def draw_head(self):
        with atomic():
            place = self.head
            self.head = (place + 1) % self.SIZE
        return place

    @thread(3)
    def producer(self, i):
        while True:
            place = self.draw_tail()
            self.room[place].acquire()
            self.ring[place] = i
            self.item[place].release()

    @thread(2)
    def consumer(self):
        while True:
            place = self.draw_head()
            self.item[place].acquire()
            found = self.ring[place]
            assert found is not None
            self.ring[place] = None
            self.room[place].release()
