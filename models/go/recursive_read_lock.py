"""A reader that takes a read lock again, while a writer waits: both wait for ever.

Many can hold a `sync.RWMutex` for reading at a time, so taking it twice seems harmless. But a writer
must not wait for ever while readers come and go: from the moment it has announced itself, new readers
wait behind it. A reader that holds the lock and asks for it once more is such a new reader. It waits
for the writer, and the writer waits for it.

Nothing goes wrong as long as no writer comes in between, and that is what makes it hard to find. The
documentation of Go forbids recursive read locking for this reason.
"""

from interleave import Model, expect, go, goroutine, nothing


# 49 states, 69 transitions
@expect("deadlock")
class ReadsTwice(Model):
    """Wrong: Sum holds the read lock and calls Get, which takes it again."""

    mu = go.RWMutex()
    a = b = 1
    done = go.Chan()

    def Get(self):
        self.mu.RLock()
        go.defer(self.mu.RUnlock)
        return self.b

    def Sum(self):
        self.mu.RLock()
        go.defer(self.mu.RUnlock)
        return self.a + self.Get()

    def writer(self):
        self.mu.Lock()
        self.a, self.b = 2, 2
        self.mu.Unlock()
        self.done.send(None)

    @goroutine
    def main(self):
        go.spawn(self.writer)
        self.Sum()
        self.done.recv()


# 40 states, 57 transitions
@expect(nothing)
class ReadsOnce(Model):
    """The fix: what runs under the lock does not take it."""

    mu = go.RWMutex()
    a = b = 1
    done = go.Chan()

    def Sum(self):
        self.mu.RLock()
        go.defer(self.mu.RUnlock)
        return self.a + self.b

    def writer(self):
        self.mu.Lock()
        self.a, self.b = 2, 2
        self.mu.Unlock()
        self.done.send(None)

    @goroutine
    def main(self):
        go.spawn(self.writer)
        assert self.Sum() in (2, 4)
        self.done.recv()
