"""Producers put work into a `queue.Queue`, consumers take it out, and nobody needs a lock.

A Queue does its own locking: each `put` and each `get` is one step, and `get` waits while there is
nothing. So an item is never lost and never taken twice, whatever the threads do in between.

What is easy to get wrong is to look first: `while not q.empty(): q.get()`. Between the look and the
`get`, another consumer can take the last item, and `get` waits for one that never comes. And a
consumer that looks before the producer has put anything goes home, and the work is left behind.
`get_nowait` looks and takes in one step, so nobody waits for ever; but "there is nothing now" is
still not "there will be nothing".

Three ways that are right: each consumer knows how many items it is to take; or consumers never end,
and somebody waits for the queue with `join`; or consumers are told that there is no more to come,
which poison_pill.py is about.
"""

import queue

from interleave import Model, expect, nothing, param, postcondition, thread


class Work(Model):
    """What all versions have in common. Items are numbers."""

    ITEMS = param(2)

    def setup(self):
        self.tasks = queue.Queue()
        self.done = []

    def produce(self):
        for item in range(self.ITEMS):
            self.tasks.put(item)

    @postcondition
    def every_item_is_done_once(self):
        return sorted(self.done) == list(range(self.ITEMS))


# 27 states, 34 transitions
@expect("deadlock", "postcondition")
class LookThenGet(Work):
    """Wrong: a queue that was not empty a moment ago may be empty now."""

    ITEMS = param(1)

    @thread
    def producer(self):
        self.produce()

    @thread(2)
    def consumer(self):
        while not self.tasks.empty():
            item = self.tasks.get()
            self.done.append(item)


# 16 states, 22 transitions
@expect("postcondition")
class TakeWhatIsThere(Work):
    """Nobody waits for ever, but a consumer that comes too early goes home with nothing."""

    ITEMS = param(1)

    @thread
    def producer(self):
        self.produce()

    @thread(2)
    def consumer(self):
        while True:
            try:
                item = self.tasks.get_nowait()
            except queue.Empty:
                return
            self.done.append(item)


# 19 states, 26 transitions
@expect(nothing)
class EachTakesOne(Work):
    """Right: as many consumers as items, and each waits until it has one."""

    @thread
    def producer(self):
        self.produce()

    @thread(Work.ITEMS)
    def consumer(self):
        item = self.tasks.get()
        self.done.append(item)


# 33 states, 51 transitions
@expect(nothing)
class WaitForTheQueue(Work):
    """Right: consumers are daemons, and the producer waits until every item has been dealt with."""

    @thread
    def producer(self):
        self.produce()
        self.tasks.join()

    @thread(2, daemon=True)
    def consumer(self):
        while True:
            item = self.tasks.get()
            self.done.append(item)
            self.tasks.task_done()
