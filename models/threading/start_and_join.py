"""Threads that a running thread starts, and the `join` that was left out.

This is how a threading tutorial begins: make some threads, start them, join them, print the total.
The other models mark their threads with `@thread`, and all of these start at once; here one thread
makes the others, as in a program.

`start` says "begin some time", and nothing about when. Who looks at the total before `join` may
look before the first thread has done anything. It is rarely seen to go wrong, for a thread that
does little is often done by the time one looks.

And `join` is no lock: it waits for the end of a thread, and does not keep threads apart that run at
the same time. Without a lock, two of them lose an update before they are joined. (If each thread is
joined before the next one is started, nothing is lost, for nothing happens at the same time.)
"""

import threading

from interleave import Model, expect, nothing, param, thread


class Total(Model):
    """What all versions have in common."""

    THREADS = param(2)
    total = 0
    lock = threading.Lock()

    def add(self):
        with self.lock:
            self.total += 1


# 42 states, 61 transitions
@expect("assertion")
class NoJoin(Total):
    """Wrong: looks at the total while the threads may still be running."""

    @thread
    def main(self):
        for _ in range(self.THREADS):
            threading.Thread(target=self.add).start()
        assert self.total == self.THREADS

    SCENARIO = "read the total too early"


# 26 states, 33 transitions
@expect("lost-update", "assertion")
@expect(nothing, runtime="gil")
class JoinWithoutLock(Total):
    """Wrong: waits for the threads, which have lost an update by then."""

    def add(self):
        self.total += 1

    @thread
    def main(self):
        threads = [threading.Thread(target=self.add) for _ in range(self.THREADS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert self.total == self.THREADS


# 30 states, 38 transitions
@expect(nothing)
class LockAndJoin(Total):
    """Right: a lock while they run, and a join before one looks."""

    @thread
    def main(self):
        threads = [threading.Thread(target=self.add) for _ in range(self.THREADS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert self.total == self.THREADS

    SCENARIO = "read the total when all are done"


# 15 states, 14 transitions
@expect(nothing)
class OneAfterTheOther(Total):
    """Right, and of no use: each thread ends before the next one starts. One interleaving."""

    @thread
    def main(self):
        for _ in range(self.THREADS):
            each = threading.Thread(target=self.add)
            each.start()
            each.join()
        assert self.total == self.THREADS
