"""What is put into a multiprocessing.Queue is not there yet: its feeder brings it, some time later.

`put` only adds to a buffer of the process that puts. A thread of that process, the feeder, moves it
to a pipe, from where others receive it. So "it was put, then it must be there" is wrong: `empty`
can say that nothing is there, and `get_nowait` can raise Empty. `get` is right: it waits.

A process ends only when its feeder has moved everything. When the pipe is full, that takes until
somebody receives. A parent that first waits for the process to end, and receives then, waits for
ever: join before drain. `PIPE_CAPACITY` says how many messages the pipe holds.
"""

import multiprocessing
from queue import Empty

from interleave import Model, expect, nothing, param, process, thread


# 16 states, 21 transitions
@expect("assertion")
class PutIsNotThere(Model):
    """A signal that something was put arrives before what was put."""

    results = multiprocessing.Queue()
    is_put = multiprocessing.Event()

    @process
    def worker(self):
        self.results.put("result")
        self.is_put.set()

    @thread
    def parent(self):
        self.is_put.wait()
        try:
            result = self.results.get_nowait()
        except Empty:
            result = None
        assert result == "result"


# 14 states, 19 transitions
@expect(nothing)
class GetWaits(Model):
    """The same with `get`."""

    results = multiprocessing.Queue()
    is_put = multiprocessing.Event()

    @process
    def worker(self):
        self.results.put("result")
        self.is_put.set()

    @thread
    def parent(self):
        self.is_put.wait()
        assert self.results.get() == "result"


# PIPE_CAPACITY=1: 10 states, 13 transitions
@expect("deadlock")
class JoinBeforeDrain(Model):
    """The parent waits for the worker to be done with its queue, and only then receives."""

    PIPE_CAPACITY = param(1)
    results = multiprocessing.Queue()
    is_done = multiprocessing.Event()

    @process
    def worker(self):
        for number in range(2):
            self.results.put(number)
        self.results.close()
        self.results.join_thread()
        self.is_done.set()

    @thread
    def parent(self):
        self.is_done.wait()
        for number in range(2):
            assert self.results.get() == number


# PIPE_CAPACITY=1: 33 states, 52 transitions
# PIPE_CAPACITY=2: 37 states, 60 transitions
@expect(nothing)
class DrainBeforeJoin(Model):
    """The parent receives first."""

    PIPE_CAPACITY = param(1)
    results = multiprocessing.Queue()
    is_done = multiprocessing.Event()

    @process
    def worker(self):
        for number in range(2):
            self.results.put(number)
        self.results.close()
        self.results.join_thread()
        self.is_done.set()

    @thread
    def parent(self):
        for number in range(2):
            assert self.results.get() == number
        self.is_done.wait()
