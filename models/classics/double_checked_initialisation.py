"""Double-checked initialisation: look, take the lock, look again.

A settings object is loaded when it is first needed. A lock around that is right but is taken each
time (lazy_initialisation.py). Once the settings are there, a look without the lock is enough. So:
look without the lock; if they are missing, take the lock, look again, and load them.

Two ways to get it wrong. To look only before taking the lock: then two threads that both saw
nothing load one after the other. And to make the object visible before it is ready: then a thread
that looks without the lock takes settings that are still being loaded. The lock does not help, for
that thread never takes it.

The fix loads into a local variable, and publishes the result in one write, as the last thing. That
is right because writes take effect in the order of the program, as in Python. In languages where
they do not (Java before 5, C++ before 11), double-checked locking became famous for being broken.

(D. C. Schmidt and T. Harrison, "Double-checked locking", Pattern Languages of Program Design 3,
1996; D. Bacon and others, "The 'Double-Checked Locking is Broken' Declaration", about 2000.)
"""

import threading

from interleave import Model, atomic, expect, nothing, postcondition, thread


class Settings:
    """Settings that are made empty, and filled when they are loaded."""

    def __init__(self):
        self.port = None


class LoadsOnce(Model):
    """What all versions have in common."""

    settings = None
    loads = 0
    lock = threading.Lock()

    def load(self, settings):
        with atomic():  # the server counts right
            self.loads += 1
        settings.port = 8080

    @postcondition
    def loaded_once(self):
        return self.loads == 1


# 96 states, 148 transitions
@expect("lost-update", "postcondition")
class LookedOnce(LoadsOnce):
    """Wrong: who waited for the lock does not know that the settings are there by now."""

    @thread(2)
    def worker(self):
        if self.settings is None:
            with self.lock:
                fresh = Settings()
                self.load(fresh)
                self.settings = fresh
        assert self.settings.port == 8080


# 102 states, 154 transitions
@expect("assertion")
class PublishedTooEarly(LoadsOnce):
    """Wrong: the settings can be seen before they are loaded."""

    @thread(2)
    def worker(self):
        if self.settings is None:
            with self.lock:
                if self.settings is None:
                    self.settings = Settings()
                    self.load(self.settings)
        assert self.settings.port == 8080


# 68 states, 106 transitions
@expect(nothing)
class DoubleChecked(LoadsOnce):
    """The fix: look twice, and publish when everything is ready."""

    @thread(2)
    def worker(self):
        if self.settings is None:
            with self.lock:
                if self.settings is None:
                    fresh = Settings()
                    self.load(fresh)
                    self.settings = fresh
        assert self.settings.port == 8080
