"""`ThreadPoolExecutor`.

After docs.python.org/3.12/library/concurrent.futures.html#threadpoolexecutor and
Lib/concurrent/futures/thread.py of CPython 3.12.

A worker is there while it has something to do: one that finds no task ends, and a task that is
submitted while fewer than `max_workers` are there begins one more. An idle worker does nothing that
others could see, so this is the same as keeping it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.futures.future import Future, FutureState
from interleave.stdlib.threads import STARTED, Made, Worker


class PoolState(NamedTuple):
    """What a pool was made with, its tasks in order, the workers that are there, and its end.

    A task is (future, function, args, kwargs).
    """

    max_workers: int
    tasks: tuple[Any, ...] = ()
    workers: tuple[int, ...] = ()
    is_shut_down: bool = False


class ThreadPoolExecutor(Primitive):
    """`concurrent.futures.ThreadPoolExecutor`."""

    written_in_python = True

    @classmethod
    def initial(cls, real: Any) -> object:
        if real._threads:
            raise ModelError(
                "a ThreadPoolExecutor has run tasks before the threads start",
                remedy="submit them in a thread",
            )
        if real._initializer is not None:
            raise ModelError(
                "a ThreadPoolExecutor has an initializer",
                remedy="do what it does at the beginning of each task",
            )
        return PoolState(real._max_workers, is_shut_down=real._shutdown)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = futures.ThreadPoolExecutor(real._max_workers)
        made._shutdown = real._shutdown
        return made

    @classmethod
    def describe(cls, state: Any) -> str:
        words = {"running": len(state.workers), "queued": len(state.tasks)}
        parts = [f"{n} {word}" for word, n in words.items() if n] or ["idle"]
        return ", ".join([*parts, "shut down"] if state.is_shut_down else parts)

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        workers: tuple[int, ...] = state.workers
        return workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Have a worker call `fn`; its future. Raises `RuntimeError` after a shutdown."""
        port = current_port()
        future = port.make(Kind(Future), FutureState())

        def effect() -> None:
            state: PoolState = self.state
            if state.is_shut_down:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if len(state.workers) < state.max_workers:
                state = state._replace(workers=self._with_one_more(state.workers))
            task = (future, fn, args, tuple(kwargs.items()))
            self.state = state._replace(tasks=(*state.tasks, task))
            for each, *_ in self.state.tasks:
                each.state = each.state._replace(workers=state.workers)

        self.operate("submit", effect)
        return future

    def _with_one_more(self, workers: tuple[int, ...]) -> tuple[int, ...]:
        port = current_port()
        room = port.thread_room(Worker, work, daemon=False, maker=self)
        room.state = Made(STARTED, None, (), (), room.default_name)
        port.start_thread(room.runs, work, (self,), {})
        return tuple(sorted((*workers, room.runs)))

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Results:
        """Submit a call for each of the items; an iterator over the results, in their order."""
        return Results([self.submit(fn, *args) for args in zip(*iterables, strict=False)], timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks. `wait` until those that there are have ended, or were cancelled."""

        def effect() -> None:
            self.state = self.state._replace(is_shut_down=True)

        self.operate("shutdown", effect)
        while cancel_futures and (task := self.operate("take task", self._taken)) is not None:
            task[0].cancel()
        if wait:
            self.operate("join", self._join)

    def _join(self) -> None:
        workers = self.state.workers
        if current_port().thread in workers:
            raise RuntimeError("cannot join current thread")
        if workers:
            self.block()

    def _taken(self) -> Any:
        """The first task, taken out, within an access; None where there is none."""
        state: PoolState = self.state
        if not state.tasks:
            return None
        first, *rest = state.tasks
        self.state = state._replace(tasks=tuple(rest))
        return first

    def next_task(self) -> Any:
        """The task that a worker is to run next; None where it has none, and is to end."""
        me = current_port().thread

        def effect() -> Any:
            task = self._taken()
            if task is None:
                workers = tuple(each for each in self.state.workers if each != me)
                self.state = self.state._replace(workers=workers)
                return None
            future, fn, args, kwargs = task
            future.state = future.state._replace(workers=(me,))
            return future, fn, args, dict(kwargs)

        return self.operate("take task", effect)

    def __enter__(self) -> ThreadPoolExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()


def work(pool: ThreadPoolExecutor) -> None:
    """What a worker runs."""
    while (task := pool.next_task()) is not None:
        future, fn, args, kwargs = task
        if future.set_running_or_notify_cancel():
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001  (as in CPython)
                future.set_exception(error)
            else:
                future.set_result(result)


class Results:
    """What `map` gives: an iterator over the results of futures."""

    def __init__(self, waiting: list[Any], timeout: float | None) -> None:
        self.waiting = waiting
        self.timeout = timeout

    def __iter__(self) -> Results:
        return self

    def __next__(self) -> Any:
        if not self.waiting:
            raise StopIteration
        try:
            return self.waiting.pop(0).result(self.timeout)
        except Exception:
            for each in self.waiting:
                each.cancel()
            self.waiting.clear()
            raise
