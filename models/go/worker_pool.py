"""Workers take jobs from one channel and send results into another; who closes the second one?

Each worker ranges over `jobs` until it is closed and empty, so main must close it, or the workers wait
for ever. `results` has many senders. None of them may close it, for the others still send: it is
closed by a goroutine that waits for all workers.

If a worker closes it instead, another worker's send panics, and takes the whole program with it. If
nobody closes it, main's own loop over the results never ends: when the workers are done, all
goroutines are asleep.
"""

from interleave import Model, expect, go, goroutine, nothing, param


class Pool(Model):
    JOBS = param(2)
    WORKERS = param(2)

    def setup(self):
        self.jobs = go.Chan(self.JOBS, of=int)
        self.results = go.Chan(of=int)
        self.wg = go.WaitGroup()

    def start(self, worker):
        for job in range(1, self.JOBS + 1):
            self.jobs.send(job)
        self.jobs.close()
        self.wg.Add(self.WORKERS)
        for _ in range(self.WORKERS):
            go.spawn(worker)

    def worker(self):
        go.defer(self.wg.Done)
        for job in self.jobs:
            self.results.send(job * job)

    def collect(self):
        return sum([result for result in self.results])


# 549 states, 1,438 transitions
@expect(nothing)
class ClosedWhenAllAreDone(Pool):
    """Right: a goroutine waits for all workers, and then closes the results."""

    def closer(self):
        self.wg.Wait()
        self.results.close()

    @goroutine
    def main(self):
        self.start(self.worker)
        go.spawn(self.closer)
        assert self.collect() == sum(n * n for n in range(1, self.JOBS + 1))


# 518 states, 1,122 transitions
@expect("exception")
class ClosedByAWorker(Pool):
    """Wrong: the first worker that finds no more jobs closes the results."""

    closed = go.atomic.Bool()

    def hasty_worker(self):
        self.worker()
        if self.closed.CompareAndSwap(False, True):
            self.results.close()

    @goroutine
    def main(self):
        self.start(self.hasty_worker)
        self.collect()


# 264 states, 569 transitions
@expect("deadlock")
class NeverClosed(Pool):
    """Wrong: main waits for one more result when all workers are gone."""

    @goroutine
    def main(self):
        self.start(self.worker)
        self.collect()
