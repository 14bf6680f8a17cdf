"""A server is shut down while it starts: what is to be stopped is not there yet.

`Serve` stores the connection and then works with it; `Stop` closes the connection that is stored. The
program relies on an order that nothing keeps: if `Stop` comes first, it finds nothing to close, and
the server starts afterwards and never hears of the stop. Such an order violation needs more than a
mutex around the variable: with one there is no data race any more, and the server still runs for ever.

The fix remembers the stop, under the same lock: who comes second sees that the other one was there.
"""

from interleave import Model, expect, go, goroutine, nothing


# 31 states, 43 transitions
@expect("data-race", "deadlock")
class NothingKeepsThemApart(Model):
    """Wrong: the connection is stored and looked at without a lock."""

    conn = go.nil
    stopped = go.Chan()

    def Serve(self):
        self.conn = go.Chan()
        for _ in self.conn:
            pass
        self.stopped.close()

    @goroutine
    def main(self):
        go.spawn(self.Serve)
        conn = self.conn
        if conn:
            conn.close()
        self.stopped.recv()


# 38 states, 51 transitions
@expect("deadlock")
class WithALock(Model):
    """Still wrong: no data race, and a stop that comes too early is forgotten."""

    mu = go.Mutex()
    conn = go.nil
    stopped = go.Chan()

    def Serve(self):
        self.mu.Lock()
        self.conn = conn = go.Chan()
        self.mu.Unlock()
        for _ in conn:
            pass
        self.stopped.close()

    @goroutine
    def main(self):
        go.spawn(self.Serve)
        self.mu.Lock()
        if self.conn:
            self.conn.close()
        self.mu.Unlock()
        self.stopped.recv()


# 42 states, 58 transitions
@expect(nothing)
class TheStopIsRemembered(Model):
    """The fix: who comes second sees that the other one was there."""

    mu = go.Mutex()
    conn = go.nil
    stopping = False
    stopped = go.Chan()

    def Serve(self):
        self.mu.Lock()
        conn = go.Chan()
        if self.stopping:
            conn.close()
        self.conn = conn
        self.mu.Unlock()
        for _ in conn:
            pass
        self.stopped.close()

    @goroutine
    def main(self):
        go.spawn(self.Serve)
        self.mu.Lock()
        self.stopping = True
        if self.conn:
            self.conn.close()
        self.mu.Unlock()
        self.stopped.recv()
