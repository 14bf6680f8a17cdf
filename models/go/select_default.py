"""A worker looks, by `select` with a `default`, whether it is to stop; and nobody says so.

    for {
        select {
        case <-stop:
            return
        default:
        }
    }

`main` waits for the worker before it closes `stop`. The worker never blocks, so the runtime sees no
deadlock: it goes round at full speed until somebody kills the program. The check calls it a
livelock, and names `main`, which waits for good, in the same report.

The fix is to close `stop` first, and then to wait.
"""

from interleave import Model, expect, go, goroutine, nothing


class Worker(Model):
    """What both versions have in common."""

    stop = go.Chan()
    group = go.WaitGroup()

    def work(self):
        while True:
            match go.select(go.recv(self.stop), default=True):
                case 0, _:
                    break
        self.group.Done()


# 6 states, 8 transitions
@expect("livelock")
class WaitsFirst(Worker):
    """Wrong: main waits for somebody whom nobody has told to stop."""

    @goroutine
    def main(self):
        self.group.Add(1)
        go.spawn(self.work)
        self.group.Wait()
        self.stop.close()


# 14 states, 18 transitions
@expect(nothing)
class ClosesFirst(Worker):
    """The fix: first the signal, then the wait."""

    @goroutine
    def main(self):
        self.group.Add(1)
        go.spawn(self.work)
        self.stop.close()
        self.group.Wait()
