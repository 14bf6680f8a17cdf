"""Two threads ask each other, over and over, whether the other is ready; and nobody ever is.

Each half of a program starts up, waits for the other half, and then says that it is ready itself.
Both look under a lock, and both sleep in between, so no lock is held for long and the processor is
idle: all looks well. But each waits for a flag that the other one raises only afterwards.

No thread is blocked, so for a debugger this is no deadlock. The check calls it a livelock: from here
on threads take steps for ever, change nothing, and look at nothing that changes. A third thread,
which waits for a signal from one of them, is named in the same report.

The fix is to say first that one is ready, and then to wait; and to wait with a Condition, which
needs no polling, is better still.
"""

import threading
import time

from interleave import Model, expect, nothing, postcondition, thread


class TwoHalves(Model):
    """What all versions have in common."""

    lock = threading.Lock()
    left_is_ready = False
    right_is_ready = False

    @postcondition
    def both_are_ready(self):
        return self.left_is_ready and self.right_is_ready


# 12 states, 20 transitions
@expect("livelock")
class WaitsAndThenSaysSo(TwoHalves):
    """Wrong: each waits for the other before it says that it is ready."""

    started = threading.Event()

    @thread
    def left(self):
        while True:
            with self.lock:
                if self.right_is_ready:
                    break
            time.sleep(0.1)
        self.left_is_ready = True
        self.started.set()

    @thread
    def right(self):
        while True:
            with self.lock:
                if self.left_is_ready:
                    break
            time.sleep(0.1)
        self.right_is_ready = True

    @thread
    def user(self):
        self.started.wait()


# 41 states, 56 transitions
@expect(nothing)
class SaysSoAndThenWaits(TwoHalves):
    """The fix: each says that it is ready, and then waits for the other."""

    @thread
    def left(self):
        with self.lock:
            self.left_is_ready = True
        while True:
            with self.lock:
                if self.right_is_ready:
                    break
            time.sleep(0.1)

    @thread
    def right(self):
        with self.lock:
            self.right_is_ready = True
        while True:
            with self.lock:
                if self.left_is_ready:
                    break
            time.sleep(0.1)


# 26 states, 26 transitions
@expect(nothing)
class WaitsForASignal(TwoHalves):
    """Better: nobody polls."""

    changed = threading.Condition()

    @thread
    def left(self):
        with self.changed:
            self.left_is_ready = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.right_is_ready)

    @thread
    def right(self):
        with self.changed:
            self.right_is_ready = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.left_is_ready)
