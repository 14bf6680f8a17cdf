"""Close unless it is closed: two goroutines look first, and both close.

A channel must be closed once: closing it again panics. A `select` with default tells whether it is
closed: a receive from a closed channel is ready. But between that and the close there is room for
somebody else who looks, and who closes as well. (Docker had this bug; it is Figure 10 of the ASPLOS
2019 study of concurrency bugs in Go.)

`sync.Once` makes one step of looking and closing.
"""

from interleave import Model, expect, go, goroutine, nothing


class Client(Model):
    closed = go.Chan()
    wg = go.WaitGroup()

    def run_two(self, stop):
        self.wg.Add(2)
        for _ in range(2):
            go.spawn(stop)
        self.wg.Wait()


# 56 states, 91 transitions
@expect("exception")
class LooksFirst(Client):
    """Wrong: both find it open."""

    def stop(self):
        go.defer(self.wg.Done)
        match go.select(go.recv(self.closed), default=True):
            case -1, _:
                self.closed.close()

    @goroutine
    def main(self):
        self.run_two(self.stop)


# 35 states, 58 transitions
@expect(nothing)
class Once(Client):
    """The fix: whoever comes first closes it."""

    once = go.Once()

    def stop(self):
        go.defer(self.wg.Done)
        self.once.Do(self.closed.close)

    @goroutine
    def main(self):
        self.run_two(self.stop)
