"""Publication: a thread makes something, and sets a flag that says that it is there.

The flag is a variable like any other. One thread writes it while another one reads it, with nothing
to keep them apart: a data race. In Python nothing bad comes of it. Reads and writes take effect in
the order of the program, so who sees the flag sees the result as well, and the check of what comes
out (without `--races`) verifies that.

In C, C++, Go and Java it is a mistake. There the compiler and the processor may carry out the two
writes, or the two reads, in the other order, unless the program uses what the language has for this:
a lock, a channel, an atomic variable. The race on the flag also hides another one: the reader gets to
the result only when it has seen the flag, so no state shows the two accesses to the result side by
side. Mend the race that is reported, and see whether there is another one.

Under the lock, who sees the flag has taken the lock after the writer gave it back.
"""

import threading

from interleave import Model, expect, nothing, thread


# 5 states, 6 transitions
@expect("data-race")
@expect(nothing, runtime="gil")
class FlagWithoutALock(Model):
    """Right in Python, which keeps to the order of the program; a race in other languages."""

    rate = 0
    ready = False

    @thread
    def maker(self):
        self.rate = 107
        self.ready = True

    @thread
    def user(self):
        while not self.ready:
            pass
        assert self.rate == 107


# 13 states, 16 transitions
@expect(nothing, races=True)
@expect(nothing, runtime="gil")
class FlagUnderALock(Model):
    """The lock keeps the accesses to the flag apart, and orders those to the result."""

    rate = 0
    ready = False
    lock = threading.Lock()

    def is_ready(self):
        with self.lock:
            return self.ready

    @thread
    def maker(self):
        self.rate = 107
        with self.lock:
            self.ready = True

    @thread
    def user(self):
        while not self.is_ready():
            pass
        assert self.rate == 107
