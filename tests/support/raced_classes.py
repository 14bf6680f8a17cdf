"""Classes to be raced."""

import asyncio
import collections
import functools
import itertools
import queue
import threading


class Counter:
    def __init__(self):
        self.n = 0
        self.lock = threading.Lock()

    def add(self):
        self.n += 1

    def locked(self):
        with self.lock:
            self.n += 1
            return self.n

    def get(self):
        return self.n

    def take(self):
        if not self.n:
            raise LookupError("empty")
        self.n = 0

    def drop(self, k):
        del self.__dict__[k]


class Cache:
    def __init__(self):
        self.kept = {}
        self.lock = threading.Lock()

    def add(self, key, value):
        if key in self.kept:
            return False
        self.kept[key] = value
        return True

    def locked(self, key, value):
        with self.lock:
            return self.add(key, value)

    def remove(self, key):
        if key in self.kept:
            del self.kept[key]


def filled_cache():
    cache = Cache()
    cache.kept["k"] = 1
    return cache


class Node:
    def __init__(self):
        self.value = 0


class Lazy:
    def __init__(self):
        self.node = None
        self.lock = threading.Lock()

    def get(self):
        if self.node is None:
            self.node = Node()
        return self.node

    def locked(self):
        with self.lock:
            return self.get()

    def fresh(self):
        return Node()

    def nothing(self):
        pass


class Log:
    """Gives its own list, which others go on to change."""

    def __init__(self):
        self.items = []
        self.other = []

    def add(self, item):
        self.items.append(item)
        self.other.append(item)
        return self.items

    def copy(self, item):
        self.items.append(item)
        return list(self.items)

    def chain(self, item):
        self.items.append(item)
        return self

    def each(self):
        return iter(self.items)

    def lazily(self):
        return (item for item in self.items)

    def later(self):
        return functools.partial(self.add, 1)


class Filled:
    """Containers into which a generator of the model's own is put, item by item."""

    def __init__(self):
        self.start = (1, 2)
        self.items = []
        self.queue = collections.deque()
        self.set = set()
        self.table = {}
        self.counts = collections.defaultdict(int)

    def given(self):
        yield from self.start

    def extend(self):
        self.items.extend(each for each in self.start)

    def extend_by_method(self):
        self.items.extend(self.given())

    def add(self):
        self.items += self.given()

    def extend_queue(self):
        self.queue.extendleft(each for each in self.start)

    def update_set(self):
        self.set.update(each for each in self.start)

    def update_table(self):
        self.table.update((each, 0) for each in self.start)

    def update_counts(self):
        self.counts.update((each, 0) for each in self.start)

    def look(self):
        return (
            len(self.items) + len(self.queue) + len(self.set) + len(self.table) + len(self.counts)
        )


class TwoCopies:
    """What is written comes first to one copy, then to the other."""

    def __init__(self):
        self.a = self.b = 0

    def write(self, value):
        self.a = value
        self.b = value

    def read_a(self):
        return self.a

    def read_b(self):
        return self.b


class Meeting:
    """Two that wait for each other, by looking again and again."""

    def __init__(self):
        self.first = self.second = False

    def one(self):
        self.first = True
        while not self.second:
            pass

    def two(self):
        self.second = True
        while not self.first:
            pass


class Workers:
    """Whose calls start threads and wait for them, or do not."""

    def __init__(self):
        self.n = 0

    def _add(self):
        self.n += 1

    def both(self):
        thread = threading.Thread(target=self._add)
        thread.start()
        thread.join()
        return self.n

    def later(self):
        threading.Thread(target=self._add).start()


class Turns:
    """Tasks."""

    def __init__(self):
        self.n = 0
        self.queue = asyncio.Queue()

    async def slow(self):
        seen = self.n
        await asyncio.sleep(0)
        self.n = seen + 1
        return seen

    async def quick(self):
        self.n += 1
        return self.n

    async def get(self):
        return await self.queue.get()

    def put(self, item):
        self.queue.put_nowait(item)

    async def timed(self):
        """Waits for a time, and for nobody else."""
        seen = self.n
        passed = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(1, passed.set_result, None)
        await passed
        self.n = seen + 1
        return seen


COUNT = 0


class Elsewhere:
    """Whose state is not in its attributes."""

    made = 0

    def in_class(self):
        type(self).made += 1

    def in_module(self):
        global COUNT
        COUNT += 1

    def in_slot(self):
        return Slot()


class Slot:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 0

    def add(self):
        self.value += 1


class Exchange:
    """A rendezvous: each leaves something for the other, and waits."""

    def __init__(self):
        self.there, self.back = queue.Queue(), queue.Queue()

    def ask(self):
        self.there.put(1)
        return self.back.get()

    def answer(self):
        item = self.there.get()
        self.back.put(item)


class Box:
    def __init__(self):
        self.queue = queue.Queue(1)

    def put(self, item):
        self.queue.put(item)

    def get(self):
        return self.queue.get()

    def get_soon(self):
        try:
            return self.queue.get(timeout=1)
        except queue.Empty:
            return None


def made_and_counted():
    Elsewhere.made += 1
    return Elsewhere()


class Pool:
    """Keeps all that it has made."""

    def __init__(self):
        self.nodes = []

    def new(self):
        node = Node()
        self.nodes.append(node)
        return node


class Ids:
    """Numbers, each given once; one can begin anew."""

    def __init__(self) -> None:
        self.kept = itertools.count(1)

    def take(self) -> int:
        return next(self.kept)

    def begin_anew(self) -> None:
        self.kept = itertools.count(1)
