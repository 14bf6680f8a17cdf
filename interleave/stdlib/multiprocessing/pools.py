"""`multiprocessing.Pool`, made by a running thread.

After docs.python.org/3.12/library/multiprocessing.html#module-multiprocessing.pool and
Lib/multiprocessing/pool.py of CPython 3.12. The workers fork when the pool is made, and so have
what the parent had then. Tasks, which are several calls where `map` is given many, and results are
sent in copies. The threads of the parent that hand them over have no steps of their own: nobody can
tell when a task that was taken was on its way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from multiprocessing import TimeoutError as PoolTimeout
from multiprocessing import pool as real
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.stdlib.multiprocessing.handing import Handing, results_of
from interleave.stdlib.multiprocessing.locks import Between
from interleave.stdlib.multiprocessing.messages import Packed, pack, unpack
from interleave.stdlib.multiprocessing.processes import Process
from interleave.stdlib.threads import made_thread
from interleave.stdlib.timeouts import begin_waiting

RUN, CLOSE, TERMINATE = "open", "closed", "terminated"


class PoolState(NamedTuple):
    """The worker processes, the tasks that wait in order, how many run, and whether more may come.

    A task is (result, place, message), where the message has a function and the arguments of calls.
    """

    workers: tuple[Any, ...] = ()
    tasks: tuple[Any, ...] = ()
    running: int = 0
    phase: str = RUN


class Pool(Handing):
    """`multiprocessing.Pool`."""

    stands_for = (real.Pool,)
    WHAT = "a Pool"

    @classmethod
    def content(cls, state: Any) -> object:
        return state.tasks

    @classmethod
    def describe(cls, state: Any) -> str:
        words = {"running": state.running, "waiting": len(state.tasks)}
        parts = [f"{n} {word}" for word, n in words.items() if n] or ["idle"]
        return ", ".join([*parts, state.phase] if state.phase != RUN else parts)

    def apply(
        self, func: Callable[..., Any], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}
    ) -> Any:
        """Call a function in a worker; what it gives."""
        return self.apply_async(func, args, kwds).get()

    def apply_async(
        self,
        func: Callable[..., Any],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] = {},
        callback: Any = None,
        error_callback: Any = None,
    ) -> Any:
        """Have a worker call a function; what its result will be in."""
        _refuse_callbacks(callback, error_callback)
        return self._submit(func, [[(tuple(args), dict(kwds))]], ONE)

    def map(self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: Any = None) -> Any:
        """Call a function for each item; the list of what comes of them, in their order."""
        return self.map_async(func, iterable, chunksize).get()

    def map_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> Any:
        """The same, without waiting for it."""
        calls = [(each,) for each in iterable]
        return self._map_calls(func, calls, chunksize, callback, error_callback)

    def starmap(
        self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: Any = None
    ) -> Any:
        """`map`, where each item has the arguments of one call."""
        return self.starmap_async(func, iterable, chunksize).get()

    def starmap_async(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Any = None,
        error_callback: Any = None,
    ) -> Any:
        """The same, without waiting for it."""
        calls = [tuple(each) for each in iterable]
        return self._map_calls(func, calls, chunksize, callback, error_callback)

    def imap(
        self, func: Callable[..., Any], iterable: Iterable[Any], chunksize: int = 1
    ) -> Results:
        """Call a function for each item; an iterator over what comes of them, in their order."""
        chunks = self._chunks([(each,) for each in iterable], chunksize)
        return Results([self._submit(func, [each], ALL) for each in chunks])

    def close(self) -> None:
        """Take no more tasks: the workers end when there are none."""

        def effect() -> None:
            if self.state.phase == RUN:
                self.state = self.state._replace(phase=CLOSE)

        self.operate("close", effect)

    def terminate(self) -> None:
        """End the workers, by a signal where one of them has something to do."""

        def effect() -> tuple[Any, ...]:
            state: PoolState = self.state
            self.state = state._replace(phase=TERMINATE, tasks=())
            return state.workers if state.running else ()

        for each in self.operate("terminate", effect):
            each.terminate()
        self.join()

    def join(self) -> None:
        """Wait until the workers have ended. Raises `ValueError` where more tasks may come."""

        def effect() -> None:
            if self.state.phase == RUN:
                raise ValueError("Pool is still running")
            if any(each.has_started() for each in self.state.workers):
                self.block()

        self.operate("join", effect)

    def next_task(self) -> Any:
        """The task that a worker runs next; None where it is to end."""

        def effect() -> Any:
            state: PoolState = self.state
            if state.tasks:
                first, *rest = state.tasks
                self.state = state._replace(tasks=tuple(rest), running=state.running + 1)
                return first
            if state.phase == RUN:
                self.block()
            return None

        return self.operate("take task", effect)

    def finish(self, result: Any, place: int, outcome: tuple[bool, Any]) -> None:
        """Send what has come of a task."""

        def effect() -> None:
            self.state = self.state._replace(running=self.state.running - 1)
            result.take_outcome(place, outcome)

        self.operate("result", effect)

    def __enter__(self) -> Pool:
        current_port().switch_point()
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    def _map_calls(
        self,
        func: Callable[..., Any],
        calls: list[tuple[Any, ...]],
        chunksize: int | None,
        *callbacks: object,
    ) -> Any:
        _refuse_callbacks(*callbacks)
        return self._submit(func, self._chunks(calls, chunksize), ALL)

    def _chunks(self, calls: list[tuple[Any, ...]], size: int | None) -> list[list[Any]]:
        """What each task calls: as in `Pool._map_async`."""
        if size is None:
            workers: int = self.operate("", lambda: len(self.state.workers))
            size, extra = divmod(len(calls), workers * 4)
            size += bool(extra)
        every = range(0, len(calls), max(size, 1))
        return [[(call, {}) for call in calls[start : start + size]] for start in every]

    def _submit(self, func: Callable[..., Any], tasks: list[list[Any]], how: str) -> Any:
        port = current_port()
        messages = [self._packed(func, task) for task in tasks]
        result = port.make(Kind(Result), ResultState(how, (None,) * len(messages)))

        def effect() -> None:
            if self.state.phase != RUN:
                raise ValueError("Pool not running")
            for message, task in zip(messages, tasks, strict=True):
                self._check_unchanged(message, func, task)
            more = tuple((result, place, each) for place, each in enumerate(messages))
            self.state = self.state._replace(tasks=(*self.state.tasks, *more))

        self.operate("submit", effect)
        if any(type(each) is Packed for each in messages):
            port.put_off(self, (func, tasks))
        return result


ONE, ALL = "one", "all"


class ResultState(NamedTuple):
    """Whether one thing or a list is wanted; of each task None, or whether it went well, and its
    results, or what it has raised.
    """

    how: str
    outcomes: tuple[tuple[bool, Any] | None, ...] = ()

    @property
    def failure(self) -> tuple[Any, ...]:
        """What the first task that failed has raised, as a tuple of one; () where none did."""
        found = (unpack(each[1]) for each in self.outcomes if each is not None and not each[0])
        return next(((each,) for each in found), ())

    @property
    def is_ready(self) -> bool:
        return None not in self.outcomes


class Result(Between):
    """What `apply_async` and `map_async` give."""

    stands_for = (real.ApplyResult,)

    @classmethod
    def content(cls, state: Any) -> object:
        return state.outcomes

    @classmethod
    def describe(cls, state: Any) -> str:
        return "ready" if state.is_ready else "not ready"

    def take_outcome(self, place: int, outcome: tuple[bool, Any]) -> None:
        """Note what has come of a task, within an access."""
        before = self.state.outcomes
        outcomes = (*before[:place], outcome, *before[place + 1 :])
        self.state = self.state._replace(outcomes=outcomes)

    def get(self, timeout: float | None = None) -> Any:
        """Wait for what has come of it. Raises what the call has raised, and `TimeoutError`."""
        waiting = begin_waiting(timeout)

        def effect() -> Any:
            state: ResultState = self.state
            if not state.is_ready:
                if timeout is None:
                    self.block()
                waiting.expire()
                raise PoolTimeout
            if state.failure:
                raise state.failure[0]
            found = [each for outcome in state.outcomes for each in unpack(outcome[1])]  # type: ignore[index]
            return found[0] if state.how == ONE else found

        return self.operate("get", effect)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is there, or a timeout has expired."""
        waiting = begin_waiting(timeout)

        def effect() -> None:
            if not self.state.is_ready:
                if timeout is None:
                    self.block()
                waiting.expire()

        self.operate("wait", effect)

    def ready(self) -> bool:
        """Whether it is there."""
        return bool(self.operate("ready", lambda: self.state.is_ready))

    def successful(self) -> bool:
        """Whether nothing was raised. Raises `ValueError` where it is not there."""

        def effect() -> bool:
            if not self.state.is_ready:
                raise ValueError(f"{self!r} not ready")
            return not self.state.failure

        return bool(self.operate("successful", effect))


class Results:
    """An iterator over what results give, each of which is a list."""

    def __init__(self, waiting: list[Any]) -> None:
        self.waiting = waiting
        self.found: list[Any] = []

    def __iter__(self) -> Results:
        return self

    def __next__(self) -> Any:
        while not self.found:
            if not self.waiting:
                raise StopIteration
            self.found = self.waiting.pop(0).get()
        return self.found.pop(0)


def worker(pool: Pool, initializer: Callable[..., Any] | None, initargs: tuple[Any, ...]) -> None:
    """What a worker runs: what the pool was made with, and then tasks."""
    if initializer is not None:
        initializer(*initargs)
    while (task := pool.next_task()) is not None:
        result, place, message = task
        function, calls = unpack(message)
        try:
            results = results_of(function, calls)
            outcome = True, pack(results)
        except Exception as error:
            outcome = False, pack(error)
        pool.finish(result, place, outcome)


def make_pool(
    processes: int | None = None,
    initializer: Callable[..., Any] | None = None,
    initargs: Iterable[Any] = (),
    maxtasksperchild: int | None = None,
) -> Any:
    """`multiprocessing.Pool(...)` in a running thread."""
    if processes is None or maxtasksperchild is not None:
        raise ModelError(
            "a Pool has as many workers as there are processors, or makes them anew",
            remedy="say how many there are, and no more: Pool(2)",
        )
    if processes < 1:
        raise ValueError("Number of processes must be at least 1")
    port = current_port()
    port.switch_point()
    pool = port.make(Kind(Pool), PoolState())
    given = (pool, initializer, tuple(initargs))
    workers = tuple(made_thread(Process, worker, given, {}, daemon=True) for _ in range(processes))

    def know() -> None:
        pool.state = PoolState(workers)

    pool.operate("", know)
    for each in workers:
        each.start()
    return pool


def _refuse_callbacks(*callbacks: object) -> None:
    if any(each is not None for each in callbacks):
        raise ModelError(
            "a Pool is given a callback, which a thread of its own would call",
            remedy="wait for the result, and call it then: pool.apply_async(...).get()",
        )
