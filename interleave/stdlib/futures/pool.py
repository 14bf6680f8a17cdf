"""`ThreadPoolExecutor`.

After docs.python.org/3.12/library/concurrent.futures.html#threadpoolexecutor and
Lib/concurrent/futures/thread.py of CPython 3.12.

A worker is there while it has something to do. A task that is submitted while fewer than
`max_workers` are there begins one more, which has that task from the start; the others wait, and a
worker that has done its task goes on with the first of them in the same step, or ends. That nobody
can see: an idle worker does nothing, any of several would do, and a worker that has a task need not
begin at once. Only `shutdown(cancel_futures=True)` can tell whether a task was taken: where a model
calls that, taking one is a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.memory.values import Freezer, Uncapturable
from interleave.stdlib.futures.future import Future, FutureState
from interleave.stdlib.threads import NEW, STARTED, Made, Worker

_TAKING = "whether a task was taken"


class PoolState(NamedTuple):
    """What a pool was made with, the tasks that wait in order, its workers, and its end.

    A task is (future, function, args, kwargs). A worker is (thread, future), where the future is
    that of a task which it has not taken as yet, and is None from then on.
    """

    max_workers: int
    tasks: tuple[Any, ...] = ()
    workers: Bag[tuple[ThreadId, Any]] = Bag()
    is_shut_down: bool = False

    @property
    def threads(self) -> Bag[ThreadId]:
        return Bag(thread for thread, _ in self.workers)

    def with_worker(self, thread: ThreadId, future: Any) -> PoolState:
        """The state in which a worker has another task, or is there at all."""
        workers = {**dict(self.workers), thread: future}
        return self._replace(workers=Bag(workers.items()))

    def without_worker(self, thread: ThreadId) -> PoolState:
        return self._replace(workers=self.workers.where(lambda each: each[0] != thread))


class ThreadPoolExecutor(Primitive):
    """`concurrent.futures.ThreadPoolExecutor`."""

    is_run = True

    written_in_python = True
    under_lock = True
    without_lock = frozenset({"cancel task", "join", "take task"})

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
    def content(cls, state: Any) -> object:
        return state.tasks

    @classmethod
    def describe(cls, state: Any) -> str:
        words = {"running": len(state.workers), "waiting": len(state.tasks)}
        parts = [f"{n} {word}" for word, n in words.items() if n] or ["idle"]
        return ", ".join([*parts, "shut down"] if state.is_shut_down else parts)

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        threads: tuple[int, ...] = state.threads
        return threads

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Have a worker call `fn`; its future. Raises `RuntimeError` after a shutdown."""
        _check(fn)
        port = current_port()
        future = port.make(Kind(Future), FutureState())

        def effect() -> None:
            state: PoolState = self.state
            if state.is_shut_down:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if len(state.workers) < state.max_workers:
                room = port.thread_room(Worker, worker, daemon=False, maker=self)
                # What the state gives back is shared from now on.
                room.state = Made(NEW, fn, args, tuple(kwargs.items()), room.default_name)
                made: Made = room.state
                task = (self, future, made.target, made.args, made.kwargs)
                room.state = Made(STARTED, None, (), (), room.default_name)
                port.start_thread(room.runs, worker, task, {})
                self._assign(future, room.runs)
            else:
                waiting = (future, fn, args, tuple(kwargs.items()))
                self.state = state._replace(tasks=(*state.tasks, waiting))
                future.submitted_to(state.threads)

        self.operate("submit", effect)
        return future

    def _assign(self, future: Any, thread: ThreadId) -> None:
        """Give a worker its task, within an access."""
        self.state = self.state.with_worker(thread, future if self.keeps(_TAKING) else None)
        future.submitted_to(Bag((thread,)))

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
        while cancel_futures and (future := self.operate("cancel task", self._cancel)) is not None:
            future.call_back()
        if wait:
            self.operate("join", self._join)

    def _cancel(self) -> Any:
        """Cancel the first task that is not taken, within an access; its future, or None."""
        self.must_keep(_TAKING)
        state: PoolState = self.state
        future: Any = None
        for thread, untaken in state.workers:
            if untaken is not None and future is None:
                future = untaken
                self.state = state.with_worker(thread, None)
        if future is None and state.tasks:
            (future, *_), *rest = state.tasks
            self.state = state._replace(tasks=tuple(rest))
        if future is not None:
            future.be_cancelled()
        return future

    def _join(self) -> None:
        threads = self.state.threads
        if current_port().runner in threads:
            raise RuntimeError("cannot join current thread")
        if threads:
            self.block()

    def take(self) -> bool:
        """Take the task that this worker has; False where it was cancelled before."""
        me = current_port().thread

        def effect() -> bool:
            state: PoolState = self.state
            self.state = state.with_worker(me, None)
            return dict(state.workers)[me] is not None

        return not self.keeps(_TAKING) or bool(self.operate("take task", effect))

    def next_task(self) -> Any:
        """The task that this worker is to run next; None where there is none, and it ends."""
        port = current_port()

        def effect() -> Any:
            state: PoolState = self.state
            if not state.tasks:
                self.state = state.without_worker(port.thread)
                return None
            (future, fn, args, kwargs), *rest = state.tasks
            self.state = state._replace(tasks=tuple(rest))
            self._assign(future, port.thread)
            return future, fn, args, kwargs

        return port.access(AccessKind("", self._location), effect, private=True)

    def __enter__(self) -> ThreadPoolExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()


def worker(
    pool: ThreadPoolExecutor,
    future: Future,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
) -> None:
    """What a worker runs: its task, and those that wait."""
    while True:
        if pool.take() and future.begins():
            try:
                result = fn(*args, **dict(kwargs))
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
        task = pool.next_task()
        if task is None:
            return
        future, fn, args, kwargs = task


def _check(fn: Callable[..., Any]) -> None:
    """Raise `ModelError` where a function cannot wait for a worker."""
    try:
        Freezer(mutable=True).freeze(fn)
    except Uncapturable as error:
        raise ModelError(
            f"a pool cannot keep this task: {error.why}",
            remedy="submit a method of the model, or a function of its file, with its arguments: "
            "submit(self.work, 1)",
        ) from None


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
