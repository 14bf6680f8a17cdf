"""Event loops that threads make: who runs one, until when, and what becomes of its tasks then.

After Lib/asyncio/base_events.py and Lib/asyncio/runners.py of CPython 3.12. A thread that runs a
loop waits in one operation until that is over; meanwhile the tasks of the loop run, which are
threads of the machine like those of any other loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.coroutine import Coroutine, coroutine, taken
from interleave.memory.identity import MODEL_PROCESS, ThreadId, ThreadName
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.runtimes.asyncio import LOOP
from interleave.stdlib import contextvars
from interleave.stdlib.asyncio.handles import in_words
from interleave.stdlib.asyncio.ready import Handles, Place, Queue
from interleave.stdlib.asyncio.tasks import Task, new_task
from interleave.stdlib.signal import must_not_interrupt_a_loop


class LoopState(NamedTuple):
    """What a loop is doing.

    `running` is the thread whose code it runs, where that can be interrupted. `sleeps`: it has not
    noticed that something is ready. `runner` is the thread that runs the loop, if a thread has made
    it, and one runs it: until all tasks are done that are `awaited`, if there are any, and, where
    it `is_ending`, all threads that help; or until `is_stopping`.
    """

    running: ThreadId | None = None
    sleeps: bool = False
    runner: ThreadId | None = None
    awaited: tuple[Any, ...] = ()
    is_set_in: Bag[ThreadId] = Bag()
    """The threads for which `set_event_loop` was called with it."""
    is_stopping: bool = False
    is_ending: bool = False
    is_closed: bool = False


class RunByThreads(Primitive):
    """What an event loop is to the thread that runs it, or has it stop."""

    thread_kind = LOOP
    default_name = ThreadName("")
    is_declared = False
    """Whether it runs the declared tasks, from the beginning to the end, and no thread has made it.
    """

    ready: Handles | Queue
    timers: Handles
    _helpers: Place
    """The threads that run functions for it."""

    written_in_python = True

    def operate(self, kind: str, effect: Callable[[], Any]) -> Any:
        port = current_port()
        if port.process != MODEL_PROCESS:
            port.halt(
                ModelError(
                    "a process uses an event loop of the one that has started it",
                    remedy="give it a queue or a pipe",
                )
            )
        return super().operate(kind, effect)

    # Within an access

    def runs(self) -> bool:
        """Whether it is running."""
        return self.is_declared or (self.state is not None and self.state.runner is not None)

    def is_free(self) -> bool:
        """Whether it runs, and no code is running that was interrupted."""
        return self.runs() and self.state.running is None

    def own_tasks(self) -> list[Any]:
        """Those of its tasks that are there."""
        found: list[Any] = current_port().tasks.tasks_of(self)
        return found

    def _note(self, **changes: Any) -> None:
        """Change some of its state."""
        state = self.state._replace(**changes)
        if state != self.state:
            self.state = state

    def must_be_open(self) -> None:
        """Raise `RuntimeError` where it is closed."""
        if not self.is_declared and self.state.is_closed:
            raise RuntimeError("Event loop is closed")

    def hear(self, *, threadsafe: bool = False) -> None:
        """Something is about to become ready."""
        raise NotImplementedError

    def in_any_order(self, items: Any) -> Any:
        """What the real library goes through in the order of a set."""
        raise NotImplementedError

    def ask_to_stop(self) -> None:
        """It is to stop, soon."""
        self._note(is_stopping=True)

    def be_set_in(self, threads: Bag[ThreadId]) -> None:
        """It is what `get_event_loop` gives in some threads."""
        self._note(is_set_in=threads)

    def gets_help_of(self, thread: ThreadId) -> None:
        """A thread is about to run a function for it."""
        self._helpers.state = self._helpers.state.plus(thread)

    def has_no_more_help_of(self, thread: ThreadId) -> None:
        """A thread has run a function for it."""
        self._helpers.state = self._helpers.state.minus(thread)

    def _must_be_able_to_run(self) -> None:
        self.must_be_open()
        if self.runs():
            raise RuntimeError("This event loop is already running")
        if current_port().tasks.in_loop:
            raise RuntimeError("Cannot run the event loop while another loop is running")
        must_not_interrupt_a_loop()

    def is_over(self) -> bool:
        """Whether the thread that runs it is to return from that."""
        state: LoopState = self.state
        left = self._undone() or (state.is_ending and self._helpers.state)
        return state.is_stopping or (bool(state.awaited or state.is_ending) and not left)

    def _undone(self) -> list[Any]:
        return [each for each in self.state.awaited if not each.is_done()]

    def _begin_to_run(self, awaited: Sequence[Any] = (), *, is_ending: bool = False) -> None:
        """The present thread runs it from now on. Raises `RuntimeError` where it cannot."""
        self._must_be_able_to_run()
        self._note(
            runner=current_port().thread,
            sleeps=False,
            awaited=tuple(awaited),
            is_ending=is_ending,
        )

    def _end_to_run(self, awaited: Any = None) -> None:
        """The present thread runs it no more, or waits until that is over; if need be, for
        something that is awaited.
        """
        if not self.is_free() or self.state.sleeps or not self.is_over():
            waits_for = (*self._undone(), self if awaited is None else awaited)[0]
            self.block(AccessKind("run", waits_for.location))
        self._note(runner=None, awaited=(), is_stopping=False)

    def _wind_up(self) -> bool:
        """Close it; or, where tasks are left, cancel them, and run on until they are done, and the
        threads that help. Gives whether it does that.
        """
        left = [each for each in self.own_tasks() if each.is_made() and not each.is_done()]
        for each in self.in_any_order(left):
            each.request_cancel(())
        runs_on = bool(left or self._helpers.state)
        if runs_on:
            self._begin_to_run(left, is_ending=True)
        else:
            self._shut()
        return runs_on

    def _end_all(self) -> None:
        """Close it, when it has run on for so long. Raises `RuntimeError` where it was to stop."""
        left = self._undone()
        self._end_to_run()
        self._shut()
        if left:
            raise RuntimeError(STOPPED)

    def wind_up(self) -> None:
        """Cancel the tasks that are left, wait for them and for threads that help, and close it."""

        def begin() -> bool:
            be_set(None)
            return self._wind_up()

        if self.operate("run", begin):
            self.operate("run", self._end_all)

    def _shut(self) -> None:
        """Close it, and let go of all that it still has to run."""
        if not self.state.is_closed:
            self.state = LoopState(is_closed=True, is_set_in=self.state.is_set_in)
            self.ready.clear()
            self.timers.clear()

    def _begin_until(self, kind: str, given: Any) -> Any:
        """The operation that begins to run it until a future is done, or a coroutine in a task:
        the one or the other.
        """
        is_new = isinstance(given, Coroutine)
        within = contextvars.given_or_copied(None) if is_new else None

        def effect() -> Any:
            self._must_be_able_to_run()
            awaited = new_task(given, self, within) if is_new else given
            if awaited.owning_loop() is not self:
                raise ValueError(
                    "The future belongs to a different loop than the one specified as the loop "
                    "argument"
                )
            is_task = type(awaited) is Task
            if not is_task:
                awaited.call_when_done((stop_running, (awaited,)))
            self._begin_to_run([awaited] if is_task else [])
            return awaited

        def begin() -> Any:
            return self.operate(kind, effect)

        return given.started_by(begin) if is_new else begin()

    # As a model sees it

    def run_forever(self) -> None:
        """Run until `stop` is called."""
        self.operate("run_forever", self._begin_to_run)
        self.operate("run_forever", self._end_to_run)

    def run_until_complete(self, future: Any) -> Any:
        """Run until a future is done, or a coroutine, in a task, and give its result."""
        awaited = self._begin_until("run_until_complete", taken(future))

        def end() -> Any:
            self._end_to_run(awaited)
            awaited.call_no_more((stop_running, (awaited,)))
            return _result_of(awaited)

        return self.operate("run_until_complete", end)

    def run_once(self, main: Any) -> Any:
        """What `asyncio.run` does with a new loop: run a coroutine, and close the loop. The tasks
        that are left are cancelled, and waited for, as are threads that run functions for the loop.

        Those that are ready when the coroutine ends may go on before.
        """
        awaited = self._begin_until("run", taken(main))

        def end() -> tuple[bool, bool]:
            self._end_to_run()
            be_set(None)
            return awaited.is_done(), self._wind_up()

        is_done, runs_on = self.operate("run", end)
        if runs_on:
            self.operate("run", self._end_all)
        if not is_done:
            raise RuntimeError(STOPPED)
        port = current_port()
        result = AccessKind("", awaited.location)
        return port.access(result, lambda: _result_of(awaited), private=True)

    def stop(self) -> None:
        """Have it stop, soon."""

        def effect() -> None:
            if self.is_declared:
                current_port().halt(
                    ModelError(
                        "the event loop of the declared tasks is stopped",
                        remedy="have a thread make a loop and run it, which can be stopped",
                    )
                )
            self.hear()
            self.ask_to_stop()

        self.operate("stop", effect)

    def close(self) -> None:
        """Let go of all that it still has to run. Raises `RuntimeError` while it runs."""

        def effect() -> None:
            if self.runs():
                raise RuntimeError("Cannot close a running event loop")
            self._shut()

        self.operate("close", effect)

    @coroutine
    def shutdown_asyncgens(self) -> None:
        """Close asynchronous generators: there are none that anybody misses."""

    @coroutine
    def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads that run functions for it."""

        def effect() -> None:
            if self._helpers.state:
                current_port().halt(
                    ModelError(
                        "a task waits for functions that run_in_executor has begun, and nobody "
                        "awaits",
                        remedy="await each of them; or run the loop by asyncio.run, which waits",
                    )
                )

        self.operate("shutdown_default_executor", effect)

    def is_running(self) -> bool:
        """Whether some thread runs it."""
        return self.is_declared or bool(self.operate("is_running", self.runs))

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return not self.is_declared and bool(
            self.operate("is_closed", lambda: self.state.is_closed)
        )


def be_set(loop: RunByThreads | None) -> None:
    """What `get_event_loop` gives in the present thread where no loop runs, within an access."""
    port = current_port()
    me = port.thread
    for each in port.tasks.made_loops:
        if each.state is not None and me in each.state.is_set_in and each is not loop:
            each.be_set_in(each.state.is_set_in.minus(me))
    if loop is not None and not loop.is_declared and me not in loop.state.is_set_in:
        loop.be_set_in(loop.state.is_set_in.plus(me))


STOPPED = "Event loop stopped before Future completed."


def _result_of(awaited: Any) -> Any:
    """The result of a future that a loop was to run until it is done, within an access."""
    if not awaited.is_done():
        raise RuntimeError(STOPPED)
    return awaited.take_result()


@in_words("stop after")
def stop_running(awaited: Any) -> None:
    """What a loop calls when a future is done until which it was to run."""
    loop = current_port().tasks.loop
    loop.operate("", loop.ask_to_stop)
