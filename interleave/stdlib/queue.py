"""The `queue` module, after docs.python.org/3.12/library/queue.html and Lib/queue.py there.

Every operation is one access: the mutex of the real ones keeps what is between from being seen. A
thread that waits in `put`, `get` or `join` looks again when it is woken, so the state need not say
who waits.
"""

from __future__ import annotations

import math
import queue
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.identity import ThreadIdent, ThreadName
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.items import ByPriority, FirstIn, LastIn, in_words, visited
from interleave.stdlib.registry import made_by_threads
from interleave.stdlib.timeouts import Waiting, as_plain, begin_waiting

_INNER = {"queue", "mutex", "not_empty", "not_full", "all_tasks_done", "is_shutdown"}
"""Attributes of the real ones that are not meant for others."""

_OUTER = {"maxsize", "shutdown", "unfinished_tasks"}
"""Attributes of their instances, and of later versions of Python, that are."""

_TASKS = "unfinished tasks"
_LAYOUT = "layout of the heap"


class _AnyQueue(Primitive):
    """What all of them share."""

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item. Where there is none: wait, or raise `queue.Empty` if not for ever."""
        raise NotImplementedError

    def get_nowait(self) -> Any:
        """Take an item, or raise `queue.Empty`."""
        return self.get(block=False)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item."""
        raise NotImplementedError

    def put_nowait(self, item: Any) -> None:
        """Add an item, or raise `queue.Full`."""
        return self.put(item, block=False)

    def qsize(self) -> int:
        """How many items there are."""
        return int(self.operate("qsize", lambda: len(self._items())))

    def empty(self) -> bool:
        """Whether there is no item."""
        return bool(self.operate("empty", lambda: not self._items()))

    def _items(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name in _INNER:
            port = current_port()
            if name == "queue" and port.thread < 0:
                return list(self._items())  # a property may look at it
            port.halt(
                ModelError(
                    f"{self._location.name}.{name} is inside the queue, and is not modelled",
                    remedy="use its methods: put, get, qsize, empty, full, task_done, join",
                )
            )
        return super().__getattr__(name)


class Queue(FirstIn, _AnyQueue):
    """`queue.Queue`. State: (items, unfinished tasks, maxsize, whether it was shut down).

    Unfinished tasks are counted once something asks for them (`task_done`, `join`); until then the
    state has the number of items instead, or it would never come back to what it was.
    """

    besides = frozenset(_INNER | _OUTER)
    written_in_python = True
    under_lock = True

    @classmethod
    def initial(cls, real: Any) -> object:
        if not isinstance(real.maxsize, int):
            raise ModelError(
                f"a queue has maxsize={real.maxsize!r}",
                remedy="give it a whole number: 0, where it has no bound",
            )
        closed = getattr(real, "is_shutdown", False)  # from 3.13 on
        return (tuple(real.queue), real.unfinished_tasks, real.maxsize, closed)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = type(real)(real.maxsize)
        made.queue.extend(real.queue)
        made.unfinished_tasks = real.unfinished_tasks
        if getattr(real, "is_shutdown", False):
            made.is_shutdown = True
        return made

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        items, *rest = state
        return (visited(items, visit), *rest)

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        real.queue = type(real.queue)([copy(item) for item in real.queue])

    @classmethod
    def content(cls, state: Any) -> object:
        return state[0]

    @classmethod
    def describe(cls, state: Any) -> str:
        items, unfinished, maxsize, closed = state
        words = {
            "full": 0 < maxsize <= len(items),
            f"{unfinished} unfinished": unfinished != len(items),
            "shut down": closed,
        }
        more = ", ".join(word for word, holds in words.items() if holds)
        return in_words(items) + (f" ({more})" if more else "")

    @property
    def maxsize(self) -> int:
        """The most items there may be, if positive. It never changes: looking is no access."""
        return self.state[2]

    @property
    def unfinished_tasks(self) -> int:
        """How many items were put for which `task_done` was not called."""
        port = current_port()
        access = AccessKind("read", port.locate(self._location), ".unfinished_tasks")
        return int(port.access(access, self._unfinished))

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item. Where there is no room: wait, or raise `queue.Full` if not for ever.

        A timeout may expire whenever there is no room.
        """
        waiting = begin_waiting(timeout if block else None)

        def effect() -> None:
            items, _, maxsize, closed = self.state
            if closed:
                raise queue.ShutDown  # type: ignore[attr-defined]
            if maxsize > 0:
                self._wait(len(items) < maxsize, block, waiting, queue.Full)
            contents, added = list(items), 0
            try:
                self._add(contents, item)
                added = 1
            finally:
                self._store(contents, added)

        self.operate(_named("put", block, timeout), effect)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item. Where there is none: wait, or raise `queue.Empty` if not for ever.

        A timeout may expire whenever there is no item.
        """
        waiting = begin_waiting(timeout if block else None)

        def effect() -> Any:
            items, _, _, closed = self.state
            if closed and not items:
                raise queue.ShutDown  # type: ignore[attr-defined]
            self._wait(bool(items), block, waiting, queue.Empty)
            contents = list(items)
            try:
                return self._take(contents)
            finally:
                self._store(contents, 0)

        return self.operate(_named("get", block, timeout), effect)

    def full(self) -> bool:
        """Whether there is no room for another item."""

        def effect() -> bool:
            items, _, maxsize, _ = self.state
            return bool(0 < maxsize <= len(items))

        return bool(self.operate("full", effect))

    def task_done(self) -> None:
        """Count an item as done. Raises `ValueError` where all that were put are."""

        def effect() -> None:
            if not self._unfinished():
                raise ValueError("task_done() called too many times")
            self._store(self._items(), -1)

        self.operate("task_done", effect)

    def join(self) -> None:
        """Wait until there are no unfinished tasks."""

        def effect() -> None:
            if self._unfinished():
                self.block()

        self.operate("join", effect)

    def shutdown(self, immediate: bool = False) -> None:
        """Have `put`, and `get` once there are no items, raise `queue.ShutDown` (from 3.13 on)."""
        if not hasattr(queue.Queue, "shutdown"):
            current_port().halt(
                ModelError(
                    f"{self._location.name}.shutdown() is new in Python 3.13",
                    remedy="put an item that tells a consumer to end, one for each of them",
                )
            )

        def effect() -> None:
            items, unfinished, maxsize, _ = self.state
            self.state = (items, unfinished, maxsize, True)
            contents = list(items)
            while immediate and contents:
                self._take(contents)
                self._store(contents, -1 if self.state[1] > 0 else 0)

        self.operate("shutdown", effect)

    def _wait(
        self, is_ready: bool, block: bool, waiting: Waiting, otherwise: type[Exception]
    ) -> None:
        """Go on if ready; else wait, or raise `otherwise`."""
        timeout = waiting.timeout
        if block and timeout is not None:
            if timeout < 0:
                raise ValueError("'timeout' must be a non-negative number")
            0.0 + timeout  # raises what adding it to the time would
        if not is_ready:
            if block and timeout is None:
                self.block()
            waiting.expire()
            raise otherwise

    def _items(self) -> tuple[Any, ...]:
        items: tuple[Any, ...] = self.state[0]
        return items

    def _unfinished(self) -> int:
        self.must_keep(_TASKS)
        return int(self.state[1])

    def _store(self, items: Any, more_tasks: int) -> None:
        _, unfinished, maxsize, closed = self.state
        unfinished = unfinished + more_tasks if self.keeps(_TASKS) else len(items)
        self.state = (tuple(items), unfinished, maxsize, closed)


class LifoQueue(LastIn, Queue):
    """`queue.LifoQueue`."""


class PriorityQueue(ByPriority, Queue):
    """`queue.PriorityQueue`.

    Items of which no two can be mistaken for each other come out in one order, however they lie in
    the heap: they are kept sorted (which is a heap). Others keep the layout that they have in
    CPython: it decides which of two that compare equal comes first, and which are compared at all.
    """

    def _add(self, items: list[Any], item: Any) -> None:
        shapes = {_shape(each) for each in items}
        if len(items) > 2 and _are_alike(shapes) and _shape(item) not in shapes:
            self.must_keep(_LAYOUT)
        super()._add(items, item)

    def _store(self, items: Any, more_tasks: int) -> None:
        if not self.keeps(_LAYOUT) and _are_alike({_shape(each) for each in items}):
            items = sorted(items)
        super()._store(items, more_tasks)


class SimpleQueue(_AnyQueue):
    """`queue.SimpleQueue`. State: the items."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return _all_of(real)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for item in _all_of(real):
            made.put(item)
        return made

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return visited(state, visit)

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        for _ in range(real.qsize()):
            real.put(copy(real.get()))

    @classmethod
    def content(cls, state: Any) -> object:
        return state

    @classmethod
    def describe(cls, state: Any) -> str:
        return in_words(state)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item, at once: `block` and `timeout` mean nothing."""

        def effect() -> None:
            self.state = (*self.state, item)

        self.operate("put", effect)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item. Where there is none: wait, or raise `queue.Empty` if not for ever.

        A timeout may expire whenever there is no item.
        """
        real: queue.SimpleQueue[None] = queue.SimpleQueue()
        real.put(None)
        real.get(block, as_plain(timeout))  # raises what this Python raises
        waiting = begin_waiting(timeout if block else None)

        def effect() -> Any:
            if not self.state:
                if block and timeout is None:
                    self.block()
                waiting.expire()
                raise queue.Empty
            first, *rest = self.state
            self.state = tuple(rest)
            return first

        return self.operate(_named("get", block, timeout), effect)

    def _items(self) -> tuple[Any, ...]:
        items: tuple[Any, ...] = self.state
        return items


def _all_of(real: queue.SimpleQueue[Any]) -> tuple[Any, ...]:
    """The items of a real queue that shows them only to those who take them."""
    items = tuple([real.get() for _ in range(real.qsize())])
    for item in items:
        real.put(item)
    return items


def _named(operation: str, block: bool, timeout: float | None) -> str:
    return operation if block and timeout is None else f"try {operation}"


def _shape(item: object) -> object:
    """What two items must have in common so that neither of them is less only if they are the same.

    None where that cannot be told.
    """
    kind = type(item)
    if kind in (int, str, bytes, bool, ThreadIdent, ThreadName):
        return kind
    if isinstance(item, float) and kind is float:
        is_minus_zero = item == 0 and math.copysign(1, item) < 0
        return None if is_minus_zero or math.isnan(item) else float
    if isinstance(item, tuple) and kind is tuple:
        shapes = tuple([type(None) if each is None else _shape(each) for each in item])
        return None if None in shapes else shapes
    return None


def _are_alike(shapes: set[object]) -> bool:
    return len(shapes) == 1 and None not in shapes


PRIMITIVES: dict[type, type[Primitive]] = {
    queue.Queue: Queue,
    queue.LifoQueue: LifoQueue,
    queue.PriorityQueue: PriorityQueue,
    queue.SimpleQueue: SimpleQueue,
}
FUNCTIONS = {real.__name__: made_by_threads(real, kind) for real, kind in PRIMITIVES.items()}
