"""`context.WithCancel`, whose cancel function is not called on one way out.

A goroutine watches something until its context ends. The one who has made the context leaves early,
without calling `cancel`, because an error came up. Nobody else can end that context: its goroutine
waits for ever. `go vet` finds the simple cases of this ("the cancel function is not used on all
paths").

`defer cancel()` right after `WithCancel` calls it on every way out. It does no harm to call it twice.
"""

from interleave import Model, choose, expect, go, goroutine, nothing


class Watch(Model):
    def watch(self, ctx):
        ctx.Done().recv()


# 14 states, 16 transitions
@expect("stuck")
class NotOnEveryWay(Watch):
    """Wrong: after an error nobody cancels."""

    def handle(self):
        ctx, cancel = go.context.WithCancel(go.context.Background())
        go.spawn(self.watch, ctx)
        if choose(["fine", "an error"]) == "an error":
            return
        cancel()

    @goroutine
    def main(self):
        self.handle()


# 12 states, 16 transitions
@expect(nothing)
class Deferred(Watch):
    """The fix: defer cancel()."""

    def handle(self):
        ctx, cancel = go.context.WithCancel(go.context.Background())
        go.defer(cancel)
        go.spawn(self.watch, ctx)
        if choose(["fine", "an error"]) == "an error":
            return

    @goroutine
    def main(self):
        self.handle()


# 8 states, 7 transitions
@expect(nothing)
class WithTimeout(Watch):
    """A deadline ends it, if late: until then the goroutine and its timer are kept for nothing."""

    @goroutine
    def main(self):
        ctx, _ = go.context.WithTimeout(go.context.Background(), go.time.Minute)
        go.spawn(self.watch, ctx)
