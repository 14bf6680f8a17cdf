"""Read, wait, write: a lost update that happens in practice, not just in theory.

Between reading a balance and writing the new one, the program does something that takes a while: it
asks another service, writes a file, or just sleeps. Any other thread can run meanwhile, under
CPython's global interpreter lock as well, because a thread that waits gives that lock away.

A sleep orders nothing. `time.sleep(0.1)` is a step after which any other thread may run for as long
as it likes: a longer sleep makes nothing safer, and no sleep is long enough to wait for somebody.
"""

import threading
import time

from interleave import Model, expect, nothing, postcondition, thread


# 21 states, 28 transitions
@expect("lost-update", "postcondition")
class ReadSleepWrite(Model):
    """Two deposits of 10; each waits between its read and its write."""

    balance = 100

    @thread(2)
    def deposit(self):
        current = self.balance
        time.sleep(0.1)  # ask the fraud service
        self.balance = current + 10

    @postcondition
    def both_deposits_count(self):
        return self.balance == 120

    SCENARIO = "read, wait, write"


# 27 states, 36 transitions
@expect(nothing)
class SleepFirst(Model):
    """The fix: wait first, then read and write under a lock."""

    balance = 100
    lock = threading.Lock()

    @thread(2)
    def deposit(self):
        time.sleep(0.1)  # ask the fraud service
        with self.lock:
            self.balance = self.balance + 10

    @postcondition
    def both_deposits_count(self):
        return self.balance == 120
