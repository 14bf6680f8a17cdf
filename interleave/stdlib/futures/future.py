"""`Future`, after docs.python.org/3.12/library/concurrent.futures.html#future-objects.

Where that is silent: Lib/concurrent/futures/_base.py of CPython 3.12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import Any, NamedTuple

from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.said import shown_by
from interleave.showing import show
from interleave.stdlib.timeouts import Waiting, begin_waiting, check_timeout

PENDING, RUNNING, FINISHED = "PENDING", "RUNNING", "FINISHED"
CANCELLED, NOTIFIED = "CANCELLED", "CANCELLED_AND_NOTIFIED"
"""The names that CPython has for the states of a future. NOTIFIED: a worker has come across it."""

_CANCEL = "whether it runs"


class FutureState(NamedTuple):
    """How far it is, what came of it, what is to be called then, and the threads it waits for.

    That a task runs is only kept where some code could tell: where it may be cancelled, say. An
    exception is `retrieved` once somebody has asked for it, or for the result.
    """

    phase: str = PENDING
    result: Any = None
    exception: BaseException | None = None
    callbacks: tuple[Callable[[Any], object], ...] = ()
    workers: Bag[ThreadId] = Bag()
    retrieved: bool = True

    @property
    def is_done(self) -> bool:
        return self.phase in (FINISHED, CANCELLED, NOTIFIED)


class Future(Primitive):
    """`concurrent.futures.Future`."""

    is_run = True

    written_in_python = True

    @classmethod
    def initial(cls, real: Any) -> object:
        callbacks = tuple(real._done_callbacks)
        return FutureState(real._state, real._result, real._exception, callbacks)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made: Any = futures.Future()
        made._state, made._result, made._exception = real._state, real._result, real._exception
        made._done_callbacks = [*real._done_callbacks]
        return made

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return state._replace(
            result=visit(state.result, ".result"),
            callbacks=tuple(visit(each, ".callback") for each in state.callbacks),
        )

    @classmethod
    def copy_parts(cls, real: Any, copy: Callable[[Any], Any]) -> None:
        real._result = copy(real._result)

    @classmethod
    def content(cls, state: Any) -> object:
        return state.phase

    @classmethod
    def describe(cls, state: Any) -> str:
        if state.phase in (CANCELLED, NOTIFIED):
            return "cancelled"
        if state.phase != FINISHED:
            return "submitted" if state.phase == PENDING and state.workers else state.phase.lower()
        if state.exception is not None:
            return f"raised {type(state.exception).__name__}"
        return f"result {show(state.result)}"

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        return () if state.is_done else state.workers

    @classmethod
    def lost_with(cls, state: Any) -> list[str]:
        if state is None or state.retrieved:
            return []
        return [f"the exception of a future was never retrieved: {shown_by(state.exception)}"]

    def result(self, timeout: float | None = None) -> Any:
        """What came of it; raises what it raised. Waits until it is done.

        A timeout may expire whenever it is not done. Raises `CancelledError` where it was
        cancelled.
        """
        waiting = begin_waiting(timeout)

        def effect() -> Any:
            state = self._done_in(waiting)
            if state.exception is not None:
                raise state.exception
            return state.result

        return self.operate(_named("result", timeout), effect)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What it raised, or None. Waits, and raises, as `result`."""
        waiting = begin_waiting(timeout)
        found: BaseException | None = self.operate(
            _named("exception", timeout), lambda: self._done_in(waiting).exception
        )
        return found

    def _done_in(self, waiting: Waiting) -> FutureState:
        state: FutureState = self.state
        if not state.is_done:
            if waiting.timeout is None:
                self.block()
            check_timeout(waiting.timeout)
            waiting.expire()
            raise futures.TimeoutError
        if state.phase != FINISHED:
            raise futures.CancelledError
        if not state.retrieved:
            self.state = state._replace(retrieved=True)
        return state

    def done(self) -> bool:
        """Whether it has come to an end, or was cancelled."""
        return bool(self.operate("done", lambda: self.state.is_done))

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return bool(self.operate("cancelled", lambda: self.state.phase in (CANCELLED, NOTIFIED)))

    def was_cancelled(self) -> bool:
        """The same of one that is done, which nothing changes any more: looking is no step."""
        kind = AccessKind("", self._location)
        phase = current_port().access(kind, lambda: self.state.phase, private=True)
        return phase in (CANCELLED, NOTIFIED)

    def running(self) -> bool:
        """Whether it runs."""

        def effect() -> bool:
            self.must_keep(_CANCEL)
            return bool(self.state.phase == RUNNING)

        return bool(self.operate("running", effect))

    def cancel(self) -> bool:
        """Keep it from running, if it has not begun; whether it will not run."""
        if not self.operate("cancel", self.be_cancelled):
            return False
        self.call_back()
        return True

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        """Have `fn` called with this future once it is done: at once, if it is."""

        def effect() -> bool:
            state: FutureState = self.state
            self.state = state._replace(callbacks=(*state.callbacks, fn))
            return state.is_done

        if self.operate("add_done_callback", effect):
            self.call_back()

    def begins(self) -> bool:
        """Begin it, where anybody could tell; False where it was cancelled."""
        return not self.keeps(_CANCEL) or self.set_running_or_notify_cancel()

    def set_running_or_notify_cancel(self) -> bool:
        """Begin it. False where it was cancelled; raises `RuntimeError` where it has begun."""

        def effect() -> bool:
            self.must_keep(_CANCEL)
            state: FutureState = self.state
            if state.phase not in (PENDING, CANCELLED):
                raise RuntimeError("Future in unexpected state")
            phase = RUNNING if state.phase == PENDING else NOTIFIED
            self.state = state._replace(phase=phase)
            return phase == RUNNING

        return bool(self.operate("begin", effect))

    def set_result(self, result: Any) -> None:
        """End it with a result."""
        self._end("set_result", result=result)

    def set_exception(self, exception: BaseException | None) -> None:
        """End it with an exception."""
        self._end("set_exception", exception=exception)

    def _end(self, kind: str, **what: Any) -> None:
        def effect() -> None:
            state: FutureState = self.state
            if state.is_done:
                raise futures.InvalidStateError(f"{state.phase}: {self.location.name}")
            is_seen = what.get("exception") is None
            self.state = FutureState(FINISHED, callbacks=state.callbacks, retrieved=is_seen, **what)

        self.operate(kind, effect)
        self.call_back()

    def submitted_to(self, workers: Bag[ThreadId]) -> None:
        """Note which threads may run it, within an access."""
        self.state = self.state._replace(workers=workers)

    def be_cancelled(self) -> bool:
        """Cancel it, within an access; whether it will not run. Then `call_back`."""
        self.must_keep(_CANCEL)
        state: FutureState = self.state
        if state.phase == PENDING:
            self.state = state._replace(phase=CANCELLED)
        return state.phase in (PENDING, CANCELLED, NOTIFIED)

    def call_back(self) -> None:
        """Call what is to be called now that it is done: once."""
        port = current_port()

        def effect() -> tuple[Any, ...]:
            state: FutureState = self.state
            if state.callbacks:
                self.state = state._replace(callbacks=())
            return state.callbacks

        callbacks = port.access(AccessKind("", self._location), effect, private=True)
        for each in callbacks:
            try:
                each(self)
            except Exception:  # noqa: S112  (the real one logs it)
                continue


def _named(operation: str, timeout: float | None) -> str:
    return operation if timeout is None else f"try {operation}"
