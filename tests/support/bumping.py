"""Models whose two threads call `bump`, which a test defines with `value`: racy, and locked."""

RACY = """
class M(Model):
    @thread(2)
    def worker(self):
        bump()
"""

LOCKED = """
class M(Model):
    lock = threading.Lock()

    @thread(2)
    def worker(self):
        with self.lock:
            bump()
"""

TWICE = """
    @postcondition
    def twice(self):
        return value() == 2
"""
