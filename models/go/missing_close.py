"""`for v := range ch` ends when the channel is closed, and nobody closes it.

The consumer takes everything that is sent, and then waits for more. The producer has returned, so that
nobody is left who could close the channel. If main waits for the consumer, all goroutines are asleep.
If it does not, the consumer is leaked.

The one who sends closes: with `defer close(ch)` at the head of the producer, that holds on every way
out of it.
"""

from interleave import Model, expect, go, goroutine, nothing


class Sum(Model):
    numbers = go.Chan(of=int)
    total = go.Chan(of=int)

    def consumer(self):
        total = 0
        for n in self.numbers:
            total += n
        self.total.send(total)


# 43 states, 76 transitions
@expect("deadlock")
class NeverClosed(Sum):
    """Wrong, and main waits for what does not come."""

    def producer(self):
        for n in range(3):
            self.numbers.send(n)

    @goroutine
    def main(self):
        go.spawn(self.producer)
        go.spawn(self.consumer)
        self.total.recv()


# 26 states, 33 transitions
@expect("stuck")
class NeverClosedNorWaitedFor(Sum):
    """Wrong, and nobody notices."""

    @goroutine
    def main(self):
        go.spawn(self.consumer)
        for n in range(3):
            self.numbers.send(n)


# 59 states, 105 transitions
@expect(nothing)
class ClosedByTheSender(Sum):
    """The fix: the producer closes the channel when it leaves."""

    def producer(self):
        go.defer(self.numbers.close)
        for n in range(3):
            self.numbers.send(n)

    @goroutine
    def main(self):
        go.spawn(self.producer)
        go.spawn(self.consumer)
        assert self.total.recv() == 3
