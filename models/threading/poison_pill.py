"""How do you tell consumers that there is no more to come? A poison pill in the queue.

A consumer that waits in `get` cannot be told anything, except by an item. So the producer puts one
that means "stop": the poison pill. A flag does not do. A consumer that looks at the flag, sees that
it is not set, and then waits in `get`, never looks again; and one that sees that it is set leaves
behind what is still in the queue.

There must be a pill for each consumer, for whoever takes one is gone. Or each consumer puts the
pill back for the next one.

The pill must come after all the work. A queue keeps the order of what one thread puts, but with
several producers, one that is done may put its pill while another is still at work. So each says
that it is done with a pill of its own, and the consumer counts them.
"""

import queue

from interleave import Model, expect, nothing, param, postcondition, thread

PILL = "stop"


class Work(Model):
    """What the versions with one producer have in common. Items are numbers."""

    ITEMS = param(1)
    CONSUMERS = param(2)

    def setup(self):
        self.tasks = queue.Queue()
        self.done = []

    def produce(self):
        for item in range(self.ITEMS):
            self.tasks.put(item)

    def consume(self):
        """Take items until a pill comes."""
        while (item := self.tasks.get()) != PILL:
            self.done.append(item)

    @postcondition
    def every_item_is_done_once(self):
        return sorted(self.done) == list(range(self.ITEMS))


# 14 states, 16 transitions
@expect("deadlock", "postcondition")
class StopFlag(Work):
    """Wrong: a consumer that waits for an item does not look at the flag."""

    stop = False

    @thread
    def producer(self):
        self.produce()
        self.stop = True

    @thread
    def consumer(self):
        while not self.stop:
            self.done.append(self.tasks.get())


# 13 states, 19 transitions
@expect("deadlock")
class OnePill(Work):
    """Wrong: one pill for several consumers. It stops one of them."""

    @thread
    def producer(self):
        self.produce()
        self.tasks.put(PILL)

    @thread(Work.CONSUMERS)
    def consumer(self):
        self.consume()


# 22 states, 39 transitions
@expect(nothing)
class PillForEach(Work):
    """The fix: as many pills as consumers."""

    @thread
    def producer(self):
        self.produce()
        for _ in range(self.CONSUMERS):
            self.tasks.put(PILL)

    @thread(Work.CONSUMERS)
    def consumer(self):
        self.consume()


# 20 states, 29 transitions
@expect(nothing)
class PillPassedOn(Work):
    """Another fix, however many consumers there are: who takes the pill puts it back."""

    @thread
    def producer(self):
        self.produce()
        self.tasks.put(PILL)

    @thread(Work.CONSUMERS)
    def consumer(self):
        self.consume()
        self.tasks.put(PILL)


class TwoProducers(Model):
    """What the versions with two producers have in common: producer i puts the item i."""

    def setup(self):
        self.tasks = queue.Queue()
        self.done = []

    @postcondition
    def every_item_is_done_once(self):
        return sorted(self.done) == [0, 1]


# 77 states, 134 transitions
@expect("postcondition")
class FirstOneStopsAll(TwoProducers):
    """Wrong: the consumer stops at the first pill, and what comes after it is never done."""

    @thread(2)
    def producer(self, i):
        self.tasks.put(i)
        self.tasks.put(PILL)

    @thread
    def consumer(self):
        while (item := self.tasks.get()) != PILL:
            self.done.append(item)


# 83 states, 146 transitions
@expect(nothing)
class PillsAreCounted(TwoProducers):
    """The fix: the consumer goes on until it has had a pill from each producer."""

    @thread(2)
    def producer(self, i):
        self.tasks.put(i)
        self.tasks.put(PILL)

    @thread
    def consumer(self):
        pills = 0
        while pills < 2:
            item = self.tasks.get()
            if item == PILL:
                pills += 1
            else:
                self.done.append(item)
