"""Two threads wait for each other for ever, and the program still says that it is well.

An order thread takes the lock of the book and then the lock of the log; a cleaner takes them the
other way round. One day each has one lock and waits for the other. A third thread sends a heartbeat
and needs neither, so it goes on: the process runs, its monitor is green, and no order is sent.

For the whole program that is no deadlock, since a thread can move. The check calls the two threads
stuck: whatever happens from there, they never take another step, while others go on for ever.

The fix is that of bank_transfer.py: take the locks in the same order everywhere. A heartbeat that
is worth something is sent by the thread that does the work.
"""

import threading
import time

from interleave import Model, expect, nothing, thread


class Program(Model):
    """What both versions have in common. The orders and the cleaning never end either."""

    book = threading.Lock()
    log = threading.Lock()

    def book_then_log(self):
        with self.book:
            with self.log:
                pass  # write down what is in the book

    def log_then_book(self):
        with self.log:
            with self.book:
                pass  # remove from the book what is in the log

    def beat(self):
        while True:
            time.sleep(1)  # and tell the monitor that all is well


# 10 states, 24 transitions
@expect("stuck")
class OppositeOrders(Program):
    """Wrong: two locks in opposite orders. Two threads are stuck, and the heart beats."""

    @thread
    def orders(self):
        while True:
            self.book_then_log()

    @thread
    def cleaner(self):
        while True:
            self.log_then_book()

    @thread
    def heartbeat(self):
        self.beat()


# 7 states, 15 transitions
@expect(nothing)
class OneOrder(Program):
    """The fix: first the book, then the log."""

    @thread
    def orders(self):
        while True:
            self.book_then_log()

    @thread
    def cleaner(self):
        while True:
            self.book_then_log()

    @thread
    def heartbeat(self):
        self.beat()
