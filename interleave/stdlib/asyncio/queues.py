"""`Queue`, `LifoQueue` and `PriorityQueue` of `asyncio`.

After docs.python.org/3.12/library/asyncio-queue.html and Lib/asyncio/queues.py of CPython 3.12.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

from interleave.memory.bag import Line
from interleave.memory.coroutine import coroutine
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.lines import Waited, Waiters, is_woken
from interleave.stdlib.items import ByPriority, FirstIn, LastIn, in_words, visited

TASKS = "unfinished tasks"
"""What the state has only where something asks for it."""


class QueueState(NamedTuple):
    """`unfinished` is how many items were put that are not done; `joiners` wait for there to be
    none.
    """

    items: tuple[Any, ...]
    unfinished: int
    maxsize: int
    getters: Waiters = Line()
    putters: Waiters = Line()
    joiners: Waiters = Line()
    loop: Any = None
    joined_in: Any = None


class Queue(FirstIn, Waited):
    """`asyncio.Queue`. An item is for whoever comes first, though another one was woken for it."""

    _bound_by = MappingProxyType({"joiners": "joined_in"})

    @classmethod
    def initial(cls, real: Any) -> object:
        return QueueState(tuple(real._queue), real._unfinished_tasks, real.maxsize)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = type(real)(real.maxsize)
        made._queue.extend(real._queue)
        made._unfinished_tasks = real._unfinished_tasks
        return made

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return state._replace(items=visited(state.items, visit))

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        real._queue = type(real._queue)([copy(item) for item in real._queue])

    @classmethod
    def content(cls, state: Any) -> object:
        return state.items

    @classmethod
    def describe(cls, state: Any) -> str:
        words = {
            "full": 0 < state.maxsize <= len(state.items),
            f"{state.unfinished} unfinished": state.unfinished != len(state.items),
            f"{len(state.getters)} in get": state.getters,
            f"{len(state.putters)} in put": state.putters,
        }
        more = ", ".join(word for word, holds in words.items() if holds)
        return in_words(state.items) + (f" ({more})" if more else "")

    @property
    def maxsize(self) -> int:
        """The most items there may be, if positive. It never changes: looking is no access."""
        return int(self.state.maxsize)

    def qsize(self) -> int:
        return int(self.operate("qsize", lambda: len(self.state.items)))

    def empty(self) -> bool:
        return bool(self.operate("empty", lambda: not self.state.items))

    def full(self) -> bool:
        return bool(self.operate("full", self._is_full))

    @coroutine
    def put(self, item: Any) -> None:
        """Add an item, after waiting for room."""
        begun = self.operate("put", lambda: self._begin("putters", self._is_full, self._put, item))
        while not begun:
            begun = self.stand_in_line(
                "put", lambda: self._go_on("putters", self._is_full, self._put, item)
            )

    @coroutine
    def get(self) -> Any:
        """Take an item, after waiting for one."""
        found = self.operate("get", lambda: self._begin("getters", self._is_empty, self._get))
        while not found:
            found = self.stand_in_line(
                "get", lambda: self._go_on("getters", self._is_empty, self._get)
            )
        return found[0]

    def put_nowait(self, item: Any) -> None:
        """Add an item, or raise `QueueFull`."""

        def effect() -> None:
            if self._is_full():
                raise asyncio.QueueFull
            self._put(item)

        self.operate("put_nowait", effect)

    def get_nowait(self) -> Any:
        """Take an item, or raise `QueueEmpty`."""

        def effect() -> Any:
            if self._is_empty():
                raise asyncio.QueueEmpty
            return self._get()

        return self.operate("get_nowait", effect)

    def task_done(self) -> None:
        """Count an item as done. Raises `ValueError` where all that were put are."""

        def effect() -> None:
            self.must_keep(TASKS)
            if self.state.unfinished <= 0:
                raise ValueError("task_done() called too many times")
            self._set(unfinished=self.state.unfinished - 1)
            if self.state.unfinished == 0:
                for task in self._pending("joiners"):
                    task.wake()

        self.operate("task_done", effect)

    @coroutine
    def join(self) -> None:
        """Wait until there are no unfinished tasks. Who was woken does not look again."""

        def begin() -> bool:
            self.must_keep(TASKS)
            if self.state.unfinished > 0:
                self.park_in_line("joiners")
                return False
            return True

        if not self.operate("join", begin):
            self.stand_in_line("join", lambda: self.go_on_from_line("joiners"))

    # Within an access

    def _set(self, **changes: Any) -> None:
        self.state = self.state._replace(**changes)

    def _is_full(self) -> bool:
        return 0 < self.state.maxsize <= len(self.state.items)

    def _is_empty(self) -> bool:
        return not self.state.items

    def _begin(self, line: str, must_wait: Callable[[], bool], then: Any, *args: Any) -> Any:
        """Do it, as a tuple of what that gives; or get in line."""
        if not must_wait():
            return (then(*args),)
        self.park_in_line(line)
        return ()

    def _go_on(self, line: str, must_wait: Callable[[], bool], then: Any, *args: Any) -> Any:
        """The same, after waiting: one that was woken, and cannot go on, goes to the end."""
        was_woken = is_woken()
        try:
            self.go_on_from_line(line)
        except BaseException:
            if not must_wait() and was_woken:
                self._wake_next(line)
            raise
        return self._begin(line, must_wait, then, *args)

    def _wake_next(self, line: str) -> None:
        """Wake the first in line who was not cancelled, and take all up to there out of it."""
        while waiters := self._line(line):
            self._set_line(line, waiters.minus(waiters[0]))
            if waiters[0].waiter_is_pending():
                waiters[0].wake()
                return

    def _put(self, item: Any) -> None:
        items = list(self.state.items)
        self._add(items, item)
        unfinished = self.state.unfinished + 1 if self.keeps(TASKS) else len(items)
        self._set(items=tuple(items), unfinished=unfinished)
        self._wake_next("getters")

    def _get(self) -> Any:
        items = list(self.state.items)
        item = self._take(items)
        unfinished = self.state.unfinished if self.keeps(TASKS) else len(items)
        self._set(items=tuple(items), unfinished=unfinished)
        self._wake_next("putters")
        return item


class LifoQueue(LastIn, Queue):
    """`asyncio.LifoQueue`."""


class PriorityQueue(ByPriority, Queue):
    """`asyncio.PriorityQueue`."""


PRIMITIVES: dict[type, type[Primitive]] = {
    asyncio.Queue: Queue,
    asyncio.LifoQueue: LifoQueue,
    asyncio.PriorityQueue: PriorityQueue,
}
