"""N threads increment a shared counter K times each, without a lock.

Each read and each write is a step. What a thread has read is dead once it is written back, and is
no part of the state then.

    N   K       states    transitions
    3   5      169,771        460,203
    3   7    1,448,448      4,070,139
    4   4    3,892,125     13,955,872
    3   9    7,231,391     20,683,839
"""

from interleave import Model, expect, param, thread


@expect("lost-update")
class Counter(Model):
    """Updates are lost, and that is all that is looked for."""

    N = param(3)
    K = param(5)
    counter = 0

    @thread(N)
    def increment(self):
        for _ in range(self.K):
            temp = self.counter
            self.counter = temp + 1
