"""A pipeline of stages, joined by channels, and a consumer that has seen enough before the end.

Each stage is a goroutine that receives from the stage before it and sends to the one after it. When
the consumer returns early, nobody receives any more: the last stage waits in its send for ever, so
that the one before it does, and so on. The program goes on without them. They are leaked, with all
they hold.

So each stage must also listen to somebody who says "stop", wherever it sends: in Go that is the
`Done()` channel of a context. The consumer's deferred `cancel()` then ends them all. It has to wait
for them, too, if the program is to see that they have ended.
"""

from interleave import Model, expect, go, goroutine, nothing


# 67 states, 109 transitions
@expect("stuck")
class NobodySaysStop(Model):
    """Wrong: the consumer takes one value and leaves."""

    numbers = go.Chan(of=int)
    squares = go.Chan(of=int)

    def generate(self):
        go.defer(self.numbers.close)
        for n in range(1, 4):
            self.numbers.send(n)

    def square(self):
        go.defer(self.squares.close)
        for n in self.numbers:
            self.squares.send(n * n)

    @goroutine
    def main(self):
        go.spawn(self.generate)
        go.spawn(self.square)
        assert self.squares.recv() == 1


# 172 states, 361 transitions
@expect(nothing)
class WithAContext(Model):
    """The fix: every send of a stage is a select with ctx.Done()."""

    numbers = go.Chan(of=int)
    squares = go.Chan(of=int)
    wg = go.WaitGroup()

    def generate(self, ctx):
        go.defer(self.wg.Done)
        go.defer(self.numbers.close)
        for n in range(1, 4):
            match go.select(go.send(self.numbers, n), go.recv(ctx.Done())):
                case 1, _:
                    return

    def square(self, ctx):
        go.defer(self.wg.Done)
        go.defer(self.squares.close)
        for n in self.numbers:
            match go.select(go.send(self.squares, n * n), go.recv(ctx.Done())):
                case 1, _:
                    return

    @goroutine
    def main(self):
        ctx, cancel = go.context.WithCancel(go.context.Background())
        self.wg.Add(2)
        go.spawn(self.generate, ctx)
        go.spawn(self.square, ctx)
        assert self.squares.recv() == 1
        cancel()
        self.wg.Wait()
