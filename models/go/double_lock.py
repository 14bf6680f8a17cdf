"""A method that holds a mutex calls another one that takes it: Go's mutexes are not reentrant.

`sync.Mutex` does not know who holds it. A goroutine that locks it twice waits for itself. The usual
way into this is a pair of public methods that both lock, one of which comes to call the other. (The
ASPLOS 2019 study of concurrency bugs in Go calls it double locking; 28 of the blocking bugs that it
looked at are misuses of a mutex.)

The convention that mends it: what is called with the lock held is a function of its own that does not
lock, and says so in its name.
"""

from interleave import Model, expect, go, goroutine, nothing


# 4 states, 3 transitions
@expect("deadlock")
class LocksTwice(Model):
    """Wrong: Deposit holds the mutex and asks Balance, which takes it."""

    mu = go.Mutex()
    balance = 0

    def Balance(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        return self.balance

    def Deposit(self, amount):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        self.balance += amount
        return self.Balance()

    @goroutine
    def main(self):
        self.Deposit(10)

    SCENARIO = "take a lock that one holds"


# 10 states, 9 transitions
@expect(nothing)
class LocksOnce(Model):
    """The fix: what is called under the lock does not lock."""

    mu = go.Mutex()
    balance = 0

    def balanceLocked(self):
        return self.balance

    def Balance(self):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        return self.balanceLocked()

    def Deposit(self, amount):
        self.mu.Lock()
        go.defer(self.mu.Unlock)
        self.balance += amount
        return self.balanceLocked()

    @goroutine
    def main(self):
        assert self.Deposit(10) == 10
        assert self.Balance() == 10
