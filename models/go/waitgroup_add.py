"""`wg.Add(1)` inside the goroutine that it is to wait for: `Wait` may come first.

A WaitGroup counts. `Wait` returns when the count is 0, and so it is in the beginning. If each
goroutine adds itself, main may wait before any of them has run. It goes on at once, and the work that
it waits for is not done.

The rule in the documentation: calls of Add that start from a count of 0 happen before Wait. So whoever
starts a goroutine adds it first. (Since Go 1.25, `wg.Go(f)` does both.)
"""

from interleave import Model, expect, go, goroutine, nothing


# 18 states, 21 transitions
@expect("assertion", "data-race")
class AddedInside(Model):
    """Wrong: the goroutine adds itself."""

    wg = go.WaitGroup()
    result = 0

    def work(self):
        self.wg.Add(1)
        go.defer(self.wg.Done)
        self.result = 42

    @goroutine
    def main(self):
        go.spawn(self.work)
        self.wg.Wait()
        assert self.result == 42

    SCENARIO = "read the total too early"


# 11 states, 12 transitions
@expect(nothing)
class AddedBefore(Model):
    """The fix: added by whoever starts it."""

    wg = go.WaitGroup()
    result = 0

    def work(self):
        go.defer(self.wg.Done)
        self.result = 42

    @goroutine
    def main(self):
        self.wg.Add(1)
        go.spawn(self.work)
        self.wg.Wait()
        assert self.result == 42

    SCENARIO = "read the total when all are done"


# 11 states, 12 transitions
@expect(nothing)
class WithGo(Model):
    """The same with wg.Go."""

    wg = go.WaitGroup()
    result = 0

    def work(self):
        self.result = 42

    @goroutine
    def main(self):
        self.wg.Go(self.work)
        self.wg.Wait()
        assert self.result == 42
