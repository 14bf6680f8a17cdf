"""A consumer polls a queue that stays empty, long after the last producer has ended.

Nobody has told it that there is no more to come, so it asks for ever: the program does not end, and
one processor is busy with nothing. The check calls this a livelock, for the consumer is a thread
that the program waits for.

Two ways out. A message that says that it is the last one ends the consumer. Or it is a server, and
meant to run for as long as the program does: then it is a daemon, which nobody waits for, and
checks do not expect to get anywhere.
"""

import queue

from interleave import Model, expect, nothing, thread


# 10 states, 16 transitions
@expect("livelock")
class AsksForEver(Model):
    """Wrong: nothing tells the consumer to stop."""

    orders = queue.Queue()

    @thread(2)
    def producer(self, i):
        self.orders.put(i)

    @thread
    def consumer(self):
        while True:
            try:
                order = self.orders.get_nowait()
            except queue.Empty:
                continue
            del order  # and work on it


# 10 states, 16 transitions
@expect(nothing)
class IsADaemon(Model):
    """A fix, if it is meant to: a server is a daemon."""

    orders = queue.Queue()

    @thread(2)
    def producer(self, i):
        self.orders.put(i)

    @thread(daemon=True)
    def consumer(self):
        while True:
            try:
                order = self.orders.get_nowait()
            except queue.Empty:
                continue
            del order  # and work on it


# 10 states, 15 transitions
@expect(nothing)
class IsTold(Model):
    """The fix: the producer says when there is no more to come."""

    orders = queue.Queue()

    @thread
    def producer(self):
        self.orders.put(0)
        self.orders.put(1)
        self.orders.put(None)

    @thread
    def consumer(self):
        while True:
            try:
                order = self.orders.get_nowait()
            except queue.Empty:
                continue
            if order is None:
                break
