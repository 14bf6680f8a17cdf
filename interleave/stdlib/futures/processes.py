"""`ProcessPoolExecutor`, made by a running thread.

After docs.python.org/3.12/library/concurrent.futures.html#processpoolexecutor and
Lib/concurrent/futures/process.py of CPython 3.12, by `fork`: all workers begin when the first task
is submitted, and so have what the parent had then. Calls and results are sent in copies.

A thread of the parent, the manager, takes what workers send, ends the futures, and calls what is to
be called then. It is there while a task is, and begins again with the next one: while there is
none, nobody can see it. That it moves tasks to where workers find them, from when on they cannot be
cancelled, is no step of its own either: who cancels one decides, by a choice, how far it has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadName
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, Location, current_port
from interleave.stdlib.futures.future import CANCELLED, FINISHED, NOTIFIED, Future, FutureState
from interleave.stdlib.futures.pool import Results
from interleave.stdlib.multiprocessing.handing import Handing, results_of
from interleave.stdlib.multiprocessing.messages import Packed, pack, unpack
from interleave.stdlib.multiprocessing.pools import ALL, ONE
from interleave.stdlib.multiprocessing.processes import Process
from interleave.stdlib.threads import STARTED, Made, Worker, made_thread

EXTRA = 1
"""How many tasks may be on their way to workers that are all busy: `EXTRA_QUEUED_CALLS`."""


class ExecutorState(NamedTuple):
    """What an executor was made with and where; its workers and its manager; what they do.

    A task is (future, how, message), where the message has a function and the arguments of calls,
    and `how` says whether one result is wanted or a list. `moved` is how many of those that wait
    are known to be on their way. A result is (future, how, outcome).
    """

    max_workers: int
    made_in: ThreadName
    initializer: Callable[..., Any] | None = None
    initargs: tuple[Any, ...] = ()
    workers: tuple[Any, ...] = ()
    manager: Any = None
    tasks: tuple[Any, ...] = ()
    moved: int = 0
    running: int = 0
    results: tuple[Any, ...] = ()
    is_launching: bool = False
    is_shut_down: bool = False


class ProcessPoolExecutor(Handing):
    """`concurrent.futures.ProcessPoolExecutor`."""

    stands_for = (futures.ProcessPoolExecutor,)
    WHAT = "a ProcessPoolExecutor"

    @classmethod
    def content(cls, state: Any) -> object:
        return (state.tasks, state.results)

    @classmethod
    def describe(cls, state: Any) -> str:
        words = {"running": state.running, "waiting": len(state.tasks)}
        parts = [f"{n} {word}" for word, n in words.items() if n] or ["idle"]
        return ", ".join([*parts, "shut down"] if state.is_shut_down else parts)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Have a worker call `fn`; its future. Raises `RuntimeError` after a shutdown."""
        return self._submit(fn, [(args, kwargs)], ONE)

    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Chunks:
        """Submit calls for the items, in chunks; an iterator over the results, in their order."""
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        calls: list[Any] = [(args, {}) for args in zip(*iterables, strict=False)]
        places = range(0, len(calls), chunksize)
        chunks = [calls[place : place + chunksize] for place in places]
        return Chunks([self._submit(fn, chunk, ALL) for chunk in chunks], timeout)

    def _submit(self, fn: Callable[..., Any], calls: list[Any], how: str) -> Any:
        port = current_port()
        message = self._packed(fn, calls)
        future = port.make(Kind(TaskFuture, (self,)), FutureState())

        def effect() -> bool:
            state = self._state_for()
            if state.is_shut_down:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if not state.workers:
                self.state = state._replace(is_launching=True)
                return False
            self._check_unchanged(message, fn, calls)
            manager = state.manager or self._begin_manager()
            tasks = (*state.tasks, (future, how, message))
            self.state = state._replace(tasks=tasks, manager=manager)
            future.submitted_to(Bag(each.runs for each in state.workers))
            return True

        while not self.operate("submit", effect):
            self._launch()
        if type(message) is Packed:
            port.put_off(self, (fn, calls))
        return future

    def _state_for(self) -> ExecutorState:
        """The state, for a thread that needs the lock of the executor, within an access."""
        state: ExecutorState = self.state
        port = current_port()
        if port.process != state.made_in:
            port.halt(
                ModelError(
                    "a process uses a ProcessPoolExecutor of another one, which cannot work",
                    remedy="make one in the process that submits",
                )
            )
        if state.is_launching:
            self.block()
        return state

    def _launch(self) -> None:
        """Fork all workers."""

        def look() -> tuple[Any, ...]:
            state: ExecutorState = self.state
            return state.max_workers, (self, state.initializer, state.initargs)

        port = current_port()
        number, given = port.access(AccessKind("", self._location), look, private=True)
        # Not that they are waited for at the end: the manager is, while there is a task.
        workers = tuple(made_thread(Process, worker, given, {}, daemon=True) for _ in range(number))
        for each in workers:
            each.start()

        def know() -> None:
            self.state = self.state._replace(workers=workers, is_launching=False)

        self.operate("", know)

    def _begin_manager(self) -> Any:
        """The manager, which begins, within an access."""
        port = current_port()
        room = port.thread_room(Worker, manage, daemon=False, maker=self)
        room.state = Made(STARTED, None, (), (), room.default_name)
        port.start_thread(room.runs, manage, (self,), {})
        return room

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks. `wait` until those that there are have ended."""
        if cancel_futures:
            raise ModelError(
                "a ProcessPoolExecutor is shut down with cancel_futures",
                remedy="cancel the futures: for each in waiting: each.cancel()",
            )

        def effect() -> None:
            self.state = self._state_for()._replace(is_shut_down=True)

        self.operate("shutdown", effect)
        if wait:
            self.operate("join", self._join)

    def _join(self) -> None:
        state: ExecutorState = self.state
        if state.manager is not None:
            if state.manager.runs == current_port().thread:
                raise RuntimeError("cannot join current thread")
            self.block()
        if any(each.has_started() for each in state.workers):
            self.block()

    def next_task(self) -> Any:
        """The task that a worker runs next; None where it is to end."""

        def effect() -> Any:
            state: ExecutorState = self.state
            if state.tasks:
                first, *rest = state.tasks
                self.state = state._replace(
                    tasks=tuple(rest), moved=max(state.moved - 1, 0), running=state.running + 1
                )
                return first
            if not state.is_shut_down:
                self.block()
            return None

        return self.operate("take task", effect)

    def finish(self, future: Any, how: str, outcome: tuple[bool, Any]) -> None:
        """Send what has come of a task."""

        def effect() -> None:
            state: ExecutorState = self.state
            results = (*state.results, (future, how, outcome))
            self.state = state._replace(running=state.running - 1, results=results)

        self.operate("send result", effect)

    def end_first(self) -> Any:
        """Wait for a result, and end its future, which is given; None where no task is left."""

        def effect() -> Any:
            state: ExecutorState = self.state
            if not state.results:
                if state.tasks or state.running:
                    self.block()
                return None
            (future, how, (went_well, message)), *rest = state.results
            self.state = state._replace(results=tuple(rest))
            given = unpack(message)
            future.end_with(
                result=(given[0] if how == ONE else given) if went_well else None,
                exception=None if went_well else given,
            )
            return future

        return self.operate("result", effect)

    def goes_on(self) -> bool:
        """Whether the manager has anything to wait for; else it ends."""

        def effect() -> bool:
            state: ExecutorState = self.state
            is_busy = bool(state.tasks or state.running or state.results)
            if not is_busy:
                self.state = state._replace(manager=None)
            return is_busy

        found: bool = current_port().access(AccessKind("", self._location), effect, private=True)
        return found

    def _take_out(self, future: Any) -> bool:
        """Take the task of a future out, where it is not on its way; whether it will not run.
        Within an access.
        """
        state: ExecutorState = self.state
        numbers = [each._number for each, _, _ in state.tasks]
        if future._number not in numbers:
            return bool(future.state.phase in (CANCELLED, NOTIFIED))
        place = numbers.index(future._number)
        is_moved = place < state.moved
        if not is_moved and place < state.max_workers + EXTRA:
            is_moved = current_port().choose(("it has not begun", "it has begun")) == 1
        if is_moved:
            self.state = state._replace(moved=max(state.moved, place + 1))
        else:
            tasks = (*state.tasks[:place], *state.tasks[place + 1 :])
            self.state = state._replace(tasks=tasks)
            future.state = future.state._replace(phase=NOTIFIED)
        return not is_moved

    def __enter__(self) -> ProcessPoolExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()


class TaskFuture(Future):
    """The future of a task: the executor knows whether it can be cancelled."""

    def __init__(self, number: int, location: Location, executor: Any) -> None:
        super().__init__(number, location)
        self._run_by = executor

    def be_cancelled(self) -> bool:
        return bool(self._run_by._take_out(self))

    def running(self) -> bool:
        raise ModelError(
            "it is asked whether a task of a ProcessPoolExecutor runs, which its manager decides",
            remedy="ask whether it is done",
        )

    def end_with(self, *, result: Any, exception: BaseException | None) -> None:
        """End it, within an access."""
        self.state = FutureState(
            FINISHED, result, exception, self.state.callbacks, retrieved=exception is None
        )


class Chunks(Results):
    """What `map` gives: an iterator over the results of futures, each of which is a list."""

    def __init__(self, waiting: list[Any], timeout: float | None) -> None:
        super().__init__(waiting, timeout)
        self.found: list[Any] = []

    def __next__(self) -> Any:
        while not self.found:
            self.found = [*super().__next__()]
        return self.found.pop(0)


def worker(
    executor: ProcessPoolExecutor,
    initializer: Callable[..., Any] | None,
    initargs: tuple[Any, ...],
) -> None:
    """What a worker runs."""
    if initializer is not None:
        initializer(*initargs)
    while (task := executor.next_task()) is not None:
        future, how, message = task
        function, calls = unpack(message)
        try:
            results = results_of(function, calls)
            outcome = True, pack(results)
        except BaseException as error:
            outcome = False, pack(error)
        executor.finish(future, how, outcome)


def manage(executor: ProcessPoolExecutor) -> None:
    """What the manager runs."""
    going_on = True
    while going_on:
        future = executor.end_first()
        if future is not None:
            future.call_back()
        going_on = executor.goes_on()


manage.__name__ = "manager"


def make_executor(
    max_workers: int | None = None,
    mp_context: Any = None,
    initializer: Callable[..., Any] | None = None,
    initargs: tuple[Any, ...] = (),
    *,
    max_tasks_per_child: int | None = None,
) -> Any:
    """`ProcessPoolExecutor(...)` in a running thread."""
    if max_workers is None or mp_context is not None or max_tasks_per_child is not None:
        raise ModelError(
            "a ProcessPoolExecutor has as many workers as there are processors, or makes them anew",
            remedy="say how many there are, and no more: ProcessPoolExecutor(2)",
        )
    if max_workers <= 0:
        raise ValueError("max_workers must be greater than 0")
    if initializer is not None and not callable(initializer):
        raise TypeError("initializer must be a callable")
    port = current_port()
    port.switch_point()
    state = ExecutorState(max_workers, port.process, initializer, tuple(initargs))
    return port.make(Kind(ProcessPoolExecutor), state)
