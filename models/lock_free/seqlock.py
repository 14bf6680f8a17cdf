"""The sequence lock: readers that never wait for each other, and never keep the writer waiting.

A price has two numbers that belong together, bid and ask. One writer changes them, and many readers
read them. A reader that comes while the writer is in between sees a new one and an old one.

With a sequence lock, the writer counts: up by one before it begins, and by one when it is done. So
an odd number means "being written". A reader looks at the number, reads, and looks at the number
again. If it was odd, or is another one now, it throws away what it has read and tries again. A
reader writes nothing at all, which makes this fast where many read.

Two mistakes. To look at the number only before reading: it may change meanwhile. And to count only
once, at the end: a reader that begins and ends within the write sees the same number twice.

Several writers would need a lock among themselves.

(Linux lets programs read the time of day in this way: include/linux/seqlock.h. It is right in
Python, where writes take effect in order; in C it takes memory barriers as well.)
"""

from interleave import Model, expect, nothing, param, thread


class Price(Model):
    """What all versions have in common. The right prices are (10, 11), (20, 21), ..."""

    WRITES = param(1)
    bid = 10
    ask = 11
    sequence = 0

    def write(self, number):
        self.bid = 10 * number
        self.ask = 10 * number + 1


# 13 states, 16 transitions
@expect("assertion")
@expect(nothing, runtime="gil")
class NoSequence(Price):
    """Wrong: a reader can come between the two writes, or the writer between the two reads."""

    @thread
    def writer(self):
        for number in range(2, 2 + self.WRITES):
            self.write(number)

    @thread
    def reader(self):
        bid = self.bid
        ask = self.ask
        assert ask == bid + 1


# 36 states, 55 transitions
@expect("assertion")
@expect(nothing, runtime="gil")
class LookBeforeOnly(Price):
    """Wrong: nobody is writing when the reader begins, but somebody may be before it ends."""

    @thread
    def writer(self):
        for number in range(2, 2 + self.WRITES):
            self.sequence += 1
            self.write(number)
            self.sequence += 1

    @thread
    def reader(self):
        while self.sequence % 2 == 1:
            pass  # wait
        bid = self.bid
        ask = self.ask
        assert ask == bid + 1


# 46 states, 70 transitions
@expect("assertion")
@expect(nothing, runtime="gil")
class CountOnce(Price):
    """Wrong: while the writer is in between, the number is the one of before."""

    @thread
    def writer(self):
        for number in range(2, 2 + self.WRITES):
            self.write(number)
            self.sequence += 1

    @thread
    def reader(self):
        while True:
            before = self.sequence
            bid = self.bid
            ask = self.ask
            if self.sequence == before:
                break
        assert ask == bid + 1


# WRITES=1, READERS=1: 52 states, 85 transitions
# WRITES=2, READERS=2: 2,432 states, 6,404 transitions
@expect(nothing)
class SequenceLock(Price):
    """Odd while it is being written; the same before and after, or try again."""

    READERS = param(1)

    @thread
    def writer(self):
        for number in range(2, 2 + self.WRITES):
            self.sequence += 1
            self.write(number)
            self.sequence += 1

    @thread(READERS)
    def reader(self):
        while True:
            before = self.sequence
            if before % 2 == 1:
                continue  # being written
            bid = self.bid
            ask = self.ask
            if self.sequence == before:
                break
        assert ask == bid + 1
