"""`Queue`, `LifoQueue` and `PriorityQueue` of `asyncio`.

After docs.python.org/3.12/library/asyncio-queue.html and Lib/asyncio/queues.py of CPython 3.12.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.memory.coroutine import coroutine
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.showing import show
from interleave.stdlib.asyncio.futures import park, resume, resumed
from interleave.stdlib.asyncio.locks import without

TASKS = "unfinished tasks"
"""What the state has only where something asks for it."""

LONGEST_SHOWN = 50
"""Characters that the items may take in a report; beyond that, it says how many."""


class QueueState(NamedTuple):
    """`unfinished` is how many items were put that are not done; `joiners` wait for there to be
    none.
    """

    items: tuple[Any, ...]
    unfinished: int
    maxsize: int
    getters: tuple[Any, ...] = ()
    putters: tuple[Any, ...] = ()
    joiners: tuple[Any, ...] = ()


class Queue(Primitive):
    """`asyncio.Queue`. An item is for whoever comes first, though another one was woken for it."""

    written_in_python = True

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
        items = tuple([visit(item, f"[{place}]") for place, item in enumerate(state.items)])
        return state._replace(items=items)

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        real._queue = type(real._queue)([copy(item) for item in real._queue])

    @classmethod
    def content(cls, state: Any) -> object:
        return state.items

    @classmethod
    def describe(cls, state: Any) -> str:
        text = show(list(state.items)) if state.items else "empty"
        if len(text) > LONGEST_SHOWN:
            text = f"{len(state.items)} items"
        words = {
            "full": 0 < state.maxsize <= len(state.items),
            f"{state.unfinished} unfinished": state.unfinished != len(state.items),
            f"{len(state.getters)} in get": state.getters,
            f"{len(state.putters)} in put": state.putters,
        }
        more = ", ".join(word for word, holds in words.items() if holds)
        return text + (f" ({more})" if more else "")

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
            begun = resume(
                self, "put", lambda: self._go_on("putters", self._is_full, self._put, item)
            )

    @coroutine
    def get(self) -> Any:
        """Take an item, after waiting for one."""
        found = self.operate("get", lambda: self._begin("getters", self._is_empty, self._get))
        while not found:
            found = resume(self, "get", lambda: self._go_on("getters", self._is_empty, self._get))
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
                for task in self.state.joiners:
                    if task.waiter_is_pending():
                        task.wake()

        self.operate("task_done", effect)

    @coroutine
    def join(self) -> None:
        """Wait until there are no unfinished tasks. Who was woken does not look again."""

        def begin() -> bool:
            self.must_keep(TASKS)
            if self.state.unfinished > 0:
                self._set(joiners=(*self.state.joiners, park()))
                return False
            return True

        def go_on() -> None:
            task = current_port().tasks.current()
            try:
                resumed()
            finally:
                self._set(joiners=without(self.state.joiners, task))

        if not self.operate("join", begin):
            resume(self, "join", go_on)

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
        self._set(**{line: (*getattr(self.state, line), park())})
        return ()

    def _go_on(self, line: str, must_wait: Callable[[], bool], then: Any, *args: Any) -> Any:
        """The same, after waiting: one that was woken, and cannot go on, goes to the end."""
        task = current_port().tasks.current()
        was_woken = not (task.waiter_is_pending() or task.waiter_was_cancelled())
        try:
            resumed()
        except BaseException:
            waiters = getattr(self.state, line)
            if task in waiters:
                self._set(**{line: without(waiters, task)})
            if not must_wait() and was_woken:
                self._wake_next(line)
            raise
        return self._begin(line, must_wait, then, *args)

    def _wake_next(self, line: str) -> None:
        """Wake the first in line who was not cancelled, and take all up to there out of it."""
        waiters = getattr(self.state, line)
        while waiters:
            first, *rest = waiters
            waiters = tuple(rest)
            self._set(**{line: waiters})
            if first.waiter_is_pending():
                first.wake()
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

    def _add(self, items: list[Any], item: Any) -> None:
        items.append(item)

    def _take(self, items: list[Any]) -> Any:
        return items.pop(0)


class LifoQueue(Queue):
    """`asyncio.LifoQueue`: a stack."""

    def _take(self, items: list[Any]) -> Any:
        return items.pop()


class PriorityQueue(Queue):
    """`asyncio.PriorityQueue`: a heap, by `heapq`."""

    def _add(self, items: list[Any], item: Any) -> None:
        heapq.heappush(items, item)

    def _take(self, items: list[Any]) -> Any:
        return heapq.heappop(items)


PRIMITIVES: dict[type, type[Primitive]] = {
    asyncio.Queue: Queue,
    asyncio.LifoQueue: LifoQueue,
    asyncio.PriorityQueue: PriorityQueue,
}
