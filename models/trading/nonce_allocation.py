"""Two order threads share one counter of nonces, and the exchange rejects an order.

Many exchanges, and blockchains such as Ethereum, want a number with each order of an account, its
nonce, which must be higher than that of the order before. It keeps an order from being played
twice. A program with several order threads has one counter for all of them.

First mistake: to read the counter and to count on without a lock. Two orders get the same nonce,
and the second to arrive is rejected.

Second mistake, which stays when the first is gone: a lock around the counter only. The nonces are
all different now, but the thread with the lower one may be held up before it sends. The higher one
arrives first, and the lower one is rejected. What must be done in one go is not "take a number" but
"take a number and send it".

So the lock goes around both. Or one thread does all the sending, and the others give it their
orders through a queue: nobody waits for the network while he holds a lock.
"""

import queue
import threading

from interleave import Model, array, atomic, expect, nothing, param, postcondition, thread


class Account(Model):
    """What all versions have in common, the exchange included."""

    ORDERS = param(2)
    nonce = 0  # the last one that was given out
    seen = 0  # the last one that the exchange has accepted

    def setup(self):
        self.accepted = array([None] * self.ORDERS)  # of each order; None while it has not arrived

    def send(self, order, nonce):
        with atomic():  # the exchange looks at one order at a time
            self.accepted[order] = nonce > self.seen
            self.seen = max(self.seen, nonce)

    @postcondition
    def every_order_is_accepted(self):
        return all(self.accepted)


# 30 states, 38 transitions
@expect("lost-update", "postcondition")
@expect("postcondition", runtime="gil")
class NoLock(Account):
    """Wrong: two orders with one nonce. (With a GIL: with two, which arrive in the wrong order.)"""

    @thread(Account.ORDERS)
    def trader(self, order):
        nonce = self.nonce + 1
        self.nonce = nonce
        self.send(order, nonce)


# 38 states, 48 transitions
@expect("postcondition")
class LockAroundTheCounter(Account):
    """Still wrong: the second order can overtake the first on its way to the exchange."""

    lock = threading.Lock()

    @thread(Account.ORDERS)
    def trader(self, order):
        with self.lock:
            self.nonce += 1
            nonce = self.nonce
        self.send(order, nonce)


# 24 states, 24 transitions
@expect(nothing)
class LockUntilItIsSent(Account):
    """The fix: take a number and send it before anybody else takes one."""

    lock = threading.Lock()

    @thread(Account.ORDERS)
    def trader(self, order):
        with self.lock:
            self.nonce += 1
            self.send(order, self.nonce)


# 34 states, 44 transitions
@expect(nothing)
class OneThreadSends(Account):
    """Another fix: traders put their orders into a queue, and one thread numbers and sends them."""

    def setup(self):
        super().setup()
        self.orders = queue.Queue()

    @thread(Account.ORDERS)
    def trader(self, order):
        self.orders.put(order)

    @thread
    def sender(self):
        for _ in range(self.ORDERS):
            order = self.orders.get()
            self.nonce += 1
            self.send(order, self.nonce)
