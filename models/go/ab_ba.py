"""Two mutexes, taken in opposite orders; while main waits, and while it does not.

One goroutine takes a and then b, another one b and then a. If each has its first, neither gets its
second. That is a deadlock like any other, but the Go runtime only says so when *all* goroutines are
asleep. Here main waits for both, so it is told.

In the second model main only waits for a while. It returns, the program ends with exit code 0, and
nobody learns that two goroutines hung. In a server they would hang until it is restarted, each with
its mutex. So that is reported as two leaked goroutines. The fix is an order that all keep to.
"""

from interleave import Model, expect, go, goroutine, nothing


class Locks(Model):
    a = go.Mutex()
    b = go.Mutex()
    done = go.Chan(2)

    def both(self, first, second):
        first.Lock()
        second.Lock()
        second.Unlock()
        first.Unlock()
        self.done.send(None)


# 103 states, 190 transitions
@expect("deadlock")
class MainWaits(Locks):
    """Wrong, and the runtime says so."""

    @goroutine
    def main(self):
        go.spawn(self.both, self.a, self.b)
        go.spawn(self.both, self.b, self.a)
        self.done.recv()
        self.done.recv()

    SCENARIO = "two locks in opposite orders"


# 201 states, 348 transitions
@expect("stuck")
class MainGivesUp(Locks):
    """Wrong, and nobody says so: main waits for a second at most."""

    @goroutine
    def main(self):
        go.spawn(self.both, self.a, self.b)
        go.spawn(self.both, self.b, self.a)
        timeout = go.time.After(go.time.Second)
        for _ in range(2):
            match go.select(go.recv(self.done), go.recv(timeout)):
                case 1, _:
                    return


# 85 states, 155 transitions
@expect(nothing)
class SameOrder(Locks):
    """The fix: everybody takes a before b."""

    @goroutine
    def main(self):
        go.spawn(self.both, self.a, self.b)
        go.spawn(self.both, self.a, self.b)
        self.done.recv()
        self.done.recv()

    SCENARIO = "two locks in one order"
