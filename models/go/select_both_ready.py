"""A `select` with two cases that are ready takes any of them: work goes on after "stop".

A worker does something at each tick, until it is told to stop. When the ticker has ticked *and* the
stop channel is closed, both cases are ready, and Go chooses at random. So the worker may do its work
once more, or several times, after the stop. Here the work writes into a file that main has closed by
then. (This is Figure 11 of the ASPLOS 2019 study of concurrency bugs in Go.)

The fix looks at the stop channel once more before it works. Then the order of the two does not depend
on what `select` likes. And main must wait for the worker before it closes the file, or the worker may
be in the middle of its work.
"""

from interleave import Model, expect, go, goroutine, nothing


class Worker(Model):
    stop = go.Chan()
    file_is_open = True
    wg = go.WaitGroup()
    mu = go.Mutex()

    def write(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        assert self.file_is_open

    def close_file(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        self.file_is_open = False


# 34 states, 49 transitions
@expect("assertion")
class AnyOfThem(Worker):
    """Wrong: a tick may be taken although main has said stop."""

    def worker(self):
        ticker = go.time.NewTicker(go.time.Second)
        while True:
            match go.select(go.recv(self.stop), go.recv(ticker.C)):
                case 0, _:
                    return
                case 1, _:
                    self.write()

    @goroutine
    def main(self):
        go.spawn(self.worker)
        self.stop.close()
        self.close_file()


# 38 states, 57 transitions
@expect(nothing)
class StopGoesFirst(Worker):
    """The fix: main waits for the worker, and the worker looks again before it works."""

    def worker(self):
        go.defer(self.wg.Done)
        ticker = go.time.NewTicker(go.time.Second)
        go.defer(ticker.Stop)
        while True:
            match go.select(go.recv(self.stop), go.recv(ticker.C)):
                case 0, _:
                    return
                case 1, _:
                    match go.select(go.recv(self.stop), default=True):
                        case 0, _:
                            return
                    self.write()

    @goroutine
    def main(self):
        self.wg.Add(1)
        go.spawn(self.worker)
        self.stop.close()
        self.wg.Wait()
        self.close_file()
