"""The best bid so far: `if mine > best: best = mine`, by several at once.

Two bidders look at the best bid, find that theirs is better, and write it down. The better of the
two loses nothing by that, whoever comes in between: had it seen the other bid, it would have been
written all the same. But if the smaller one is written last, the better one is gone.

The fix is one lock around the look and the write; or to look again under the lock, and only then.
"""

import threading

from interleave import Model, expect, nothing, postcondition, thread


class Auction(Model):
    best = 0

    def bid(self, i):
        return (5, 7)[i]

    @postcondition
    def the_best_bid_wins(self):
        return self.best == 7


# 10 states, 12 transitions
@expect("lost-update", "postcondition")
@expect(nothing, runtime="gil")
class LooksThenBids(Auction):
    """The bid of 5 may be written over that of 7, by one who saw that nobody had bid yet."""

    @thread(2)
    def bidder(self, i):
        mine = self.bid(i)
        if mine > self.best:
            self.best = mine


# 15 states, 15 transitions
@expect(nothing)
class LooksAndBidsUnderALock(Auction):
    """The fix: nobody bids between the look and the bid."""

    lock = threading.Lock()

    @thread(2)
    def bidder(self, i):
        mine = self.bid(i)
        with self.lock:
            if mine > self.best:
                self.best = mine


# 18 states, 22 transitions
@expect(nothing)
class TheBetterOneLooksOnce(Auction):
    """What the better one saw is as stale, but the present bid would have led to the same."""

    lock = threading.Lock()

    @thread
    def smaller(self):
        with self.lock:
            if self.bid(0) > self.best:
                self.best = self.bid(0)

    @thread
    def better(self):
        if self.bid(1) > self.best:
            with self.lock:
                self.best = self.bid(1)
