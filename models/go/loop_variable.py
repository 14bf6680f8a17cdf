"""Goroutines started in a loop, which capture the loop variable.

Up to Go 1.21 a loop had one variable for all of its rounds. A function literal that used it saw what
the variable was when the function *ran*, and not when it was made: goroutines could all see the last
value, and read it while the loop wrote it. Since Go 1.22 each round has a variable of its own, and the
same program is right. Which rule holds is said by the line `go` in go.mod; here, by `GO_VERSION`.

The fix that worked at all times is to give the value to the goroutine as an argument.
"""

from interleave import Model, expect, go, goroutine, nothing, postcondition


# 144 states, 254 transitions
@expect("postcondition", "data-race")
class UpToGo121(Model):
    """Wrong: one variable for all rounds."""

    GO_VERSION = "1.21"
    mu = go.Mutex()
    seen = ()

    @goroutine
    def main(self):
        wg = go.WaitGroup()
        for i in range(2):
            wg.Add(1)

            def work():
                with self.mu:
                    self.seen = (*self.seen, i)
                wg.Done()

            go.spawn(work)
        wg.Wait()

    @postcondition
    def each_is_seen(self):
        return sorted(self.seen) == [0, 1]


# 89 states, 152 transitions
@expect(nothing)
class SinceGo122(Model):
    """The same, and right: each round has its own."""

    GO_VERSION = "1.22"
    mu = go.Mutex()
    seen = ()

    @goroutine
    def main(self):
        wg = go.WaitGroup()
        for i in range(2):
            wg.Add(1)

            def work():
                with self.mu:
                    self.seen = (*self.seen, i)
                wg.Done()

            go.spawn(work)
        wg.Wait()

    @postcondition
    def each_is_seen(self):
        return sorted(self.seen) == [0, 1]


# 89 states, 152 transitions
@expect(nothing)
class AsAnArgument(Model):
    """The fix for all versions."""

    GO_VERSION = "1.21"
    mu = go.Mutex()
    seen = ()

    @goroutine
    def main(self):
        wg = go.WaitGroup()
        for i in range(2):
            wg.Add(1)

            def work(i):
                with self.mu:
                    self.seen = (*self.seen, i)
                wg.Done()

            go.spawn(work, i)
        wg.Wait()

    @postcondition
    def each_is_seen(self):
        return sorted(self.seen) == [0, 1]
