"""`Signal` before anybody waits is lost, and the one who comes too late waits for ever.

A condition variable has no memory: `Signal` wakes one of those who wait *now*. If the consumer has not
come to its `Wait` yet, nobody is woken, and nobody will signal again.

What has memory is the variable that the condition is about. So the waiter asks it first, under the
lock, and waits only while it does not hold; in a loop, for when it wakes somebody else may have been
faster.
"""

from interleave import Model, expect, go, goroutine, nothing


# 23 states, 23 transitions
@expect("deadlock")
class WaitsWithoutAsking(Model):
    """Wrong: the consumer waits for a signal, and not for the item."""

    mu = go.Mutex()
    cond = go.NewCond(mu)
    items = 0

    def producer(self):
        self.mu.Lock()
        self.items += 1
        self.cond.Signal()
        self.mu.Unlock()

    @goroutine
    def main(self):
        go.spawn(self.producer)
        self.mu.Lock()
        self.cond.Wait()
        self.items -= 1
        self.mu.Unlock()


# 23 states, 24 transitions
@expect(nothing)
class WaitsWhileThereIsNone(Model):
    """The fix: wait while there is no item."""

    mu = go.Mutex()
    cond = go.NewCond(mu)
    items = 0

    def producer(self):
        self.mu.Lock()
        self.items += 1
        self.cond.Signal()
        self.mu.Unlock()

    @goroutine
    def main(self):
        go.spawn(self.producer)
        self.mu.Lock()
        while self.items == 0:
            self.cond.Wait()
        self.items -= 1
        self.mu.Unlock()
