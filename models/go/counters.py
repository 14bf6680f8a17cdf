"""Two goroutines count, and what they count with decides what they get.

`n++` in Go reads n and then writes it, and two goroutines can read the same value. The race detector
calls that a data race, whatever comes of it. Here it is found in the first state in which both are
about to access n, and the lost update that comes of it besides.

There are three ways to mend it. A mutex lets one goroutine at a time through both accesses. An atomic
makes one access of them: `Add` loses nothing, but `Load` and then `Store` lose as much as before,
although there is no data race any more. And a channel can carry the counts to one goroutine, which is
the only one that touches n. ("Share memory by communicating.")
"""

from interleave import Model, expect, go, goroutine, nothing, postcondition


# 58 states, 105 transitions
@expect("lost-update", "postcondition", "data-race")
class Racy(Model):
    """Wrong: n += 1 is a read and a write."""

    n = 0
    wg = go.WaitGroup()

    def count(self):
        self.n += 1
        self.wg.Done()

    @goroutine
    def main(self):
        self.wg.Add(2)
        go.spawn(self.count)
        go.spawn(self.count)
        self.wg.Wait()

    @postcondition
    def every_count_counts(self):
        return self.n == 2

    SCENARIO = "add to a counter"


# 64 states, 114 transitions
@expect(nothing)
class WithMutex(Model):
    """The fix with a mutex around the read and the write."""

    n = 0
    mu = go.Mutex()
    wg = go.WaitGroup()

    def count(self):
        self.mu.Lock()
        self.n += 1
        self.mu.Unlock()
        self.wg.Done()

    @goroutine
    def main(self):
        self.wg.Add(2)
        go.spawn(self.count)
        go.spawn(self.count)
        self.wg.Wait()

    @postcondition
    def every_count_counts(self):
        return self.n == 2

    SCENARIO = "add under a lock"


# 26 states, 43 transitions
@expect(nothing)
class WithAtomicAdd(Model):
    """The fix with an atomic: adding is one access."""

    n = go.atomic.Int64()
    wg = go.WaitGroup()

    def count(self):
        self.n.Add(1)
        self.wg.Done()

    @goroutine
    def main(self):
        self.wg.Add(2)
        go.spawn(self.count)
        go.spawn(self.count)
        self.wg.Wait()
        assert self.n.Load() == 2

    SCENARIO = "add atomically"


# 59 states, 106 transitions
@expect("lost-update", "assertion")
class WithLoadAndStore(Model):
    """Wrong: each of the two is atomic, and both together are not."""

    n = go.atomic.Int64()
    wg = go.WaitGroup()

    def count(self):
        self.n.Store(self.n.Load() + 1)
        self.wg.Done()

    @goroutine
    def main(self):
        self.wg.Add(2)
        go.spawn(self.count)
        go.spawn(self.count)
        self.wg.Wait()
        assert self.n.Load() == 2

    SCENARIO = "load and store atomically"


# 22 states, 31 transitions
@expect(nothing)
class WithChannel(Model):
    """The fix with a channel: only main touches the sum."""

    counts = go.Chan(of=int)

    def count(self):
        self.counts.send(1)

    @goroutine
    def main(self):
        go.spawn(self.count)
        go.spawn(self.count)
        n = 0
        for _ in range(2):
            n += self.counts.recv()
        assert n == 2
