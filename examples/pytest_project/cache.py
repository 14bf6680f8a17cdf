"""What the project is about: the first who adds a key wins."""

import threading


class Cache:
    def __init__(self):
        self.items = {}

    def add(self, key, value):
        if key in self.items:
            return False
        self.items[key] = value
        return True


class LockedCache(Cache):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()

    def add(self, key, value):
        with self.lock:
            return super().add(key, value)
