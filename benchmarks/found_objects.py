"""Objects of libraries, with methods to call: for `interleave race`, and for `found.py`.

Each library is imported when such an object is made, so that those not installed are not missed.
"""

from __future__ import annotations

from typing import Any


class Listener:
    """vine: a callback that comes when the promise is fulfilled."""

    def __init__(self) -> None:
        from vine import promise

        self.promise = promise()
        self.got: list[int] = []

    def fulfil(self) -> None:
        self.promise(1)

    def listen(self) -> None:
        self.promise.then(self.got.append)


class Changes:
    """Events: two listeners for an event that has none."""

    def __init__(self) -> None:
        from events import Events

        self.events = Events()
        self.got: list[int] = []

    def listen(self) -> None:
        self.events.on_change += self.got.append

    def listeners(self) -> int:
        return len(self.events.on_change)


class Services:
    """kink: a service that is made once."""

    def __init__(self) -> None:
        from kink import Container

        self.container = Container()
        self.made = 0
        self.container["service"] = lambda _: self.make()

    def make(self) -> int:
        self.made += 1
        return self.made

    def get(self) -> Any:
        return self.container["service"]


class Circuits:
    """purgatory: the breaker of one circuit."""

    def __init__(self) -> None:
        from purgatory.service._sync.circuitbreaker import SyncCircuitBreakerFactory

        self.factory = SyncCircuitBreakerFactory()

    def get(self) -> str:
        return str(self.factory.get_breaker("circuit").context.name)


class Documents:
    """tinydb: two documents in one table in memory."""

    def __init__(self) -> None:
        from tinydb import TinyDB
        from tinydb.storages import MemoryStorage

        self.table = TinyDB(storage=MemoryStorage).table("documents")

    def insert(self, value: int) -> int:
        return int(self.table.insert({"value": value}))


class Matter:
    """transitions: a machine that can melt once."""

    def __init__(self) -> None:
        from transitions import Machine

        states, ways = ["solid", "liquid"], [["melt", "solid", "liquid"]]
        Machine(self, states=states, transitions=ways, initial="solid", auto_transitions=False)


class Batch:
    """statsd: a pipeline that has one statistic to send."""

    def __init__(self) -> None:
        from statsd.client.udp import Pipeline

        self.sent: list[str] = []
        self._prefix, self._maxudpsize = None, 512
        self.pipeline = Pipeline(self)
        self.pipeline.incr("requests")

    def _after(self, data: str) -> None:
        self.sent.append(data)

    def send(self) -> None:
        self.pipeline.send()


class Naturals:
    """An iterator written in Python."""

    def __init__(self) -> None:
        self.last = 0

    def __iter__(self) -> Naturals:
        return self

    def __next__(self) -> int:
        self.last += 1
        return self.last


class Numbers:
    """more-itertools: numbers that can be looked at before they are taken."""

    def __init__(self) -> None:
        from more_itertools import peekable

        self.numbers = peekable(Naturals())
        self.numbers.peek()

    def take(self) -> Any:
        return next(self.numbers)


class Squares:
    """toolz: a function whose results are kept."""

    def __init__(self) -> None:
        from toolz import memoize

        self.calls = 0
        self.kept = memoize(self.square)

    def square(self, number: int) -> int:
        self.calls += 1
        return number * number

    def get(self) -> Any:
        return self.kept(3)


class Receivers:
    """signalslot: one slot, connected twice to a signal that is not `threadsafe`."""

    def __init__(self) -> None:
        from signalslot import Signal

        self.signal = Signal()
        self.calls = 0

    def receive(self, **_: object) -> None:
        self.calls += 1

    def connect(self) -> None:
        self.signal.connect(self.receive)

    def connected(self) -> int:
        return len(self.signal._slots)


class Two:
    """bidict: two keys for one value, of which one is refused."""

    def __init__(self) -> None:
        from bidict import bidict

        self.pairs = bidict()

    def put(self, key: str) -> int:
        self.pairs[key] = 1
        return len(self.pairs)


class Tasks:
    """graphlib: one task, for one of two workers."""

    def __init__(self) -> None:
        from graphlib import TopologicalSorter

        self.sorter = TopologicalSorter({"second": ["first"]})
        self.sorter.prepare()

    def take(self) -> Any:
        return self.sorter.get_ready()
