"""Futures, after Lib/asyncio/futures.py of CPython 3.12, and how a task waits for one.

The methods that stand under "within an access" are parts of operations; those of the real class
each are one operation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from interleave.errors import ModelError
from interleave.memory.coroutine import Awaiting
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.memory.values import Freezer, Key, Thawer, Uncapturable, register_immutable
from interleave.said import shown_by
from interleave.stdlib import contextvars
from interleave.stdlib.asyncio.handles import calls, in_context
from interleave.stdlib.asyncio.ready import same

RESULT, EXCEPTION, CANCELLED = "result", "exception", "cancelled"


class KeptException:
    """An exception as a shared value: raised anew from its key, wherever it is asked for."""

    def __init__(self, error: BaseException, key: Key, shared: Any = None) -> None:
        self._error = error
        self._key = key
        self._shared = shared

    @classmethod
    def of(cls, error: BaseException) -> KeptException:
        """Keep an exception. Raises `ModelError` for one that no state can hold."""
        try:
            return cls(error, Freezer(mutable=True).freeze(error.with_traceback(None)))
        except Uncapturable as why:
            name = type(error).__name__
            current_port().halt(
                ModelError(
                    f"a task raises {name}, which no state can hold: {why.why}",
                    remedy="give exceptions numbers, strings and the like",
                )
            )
            raise AssertionError from None  # halt does not return

    def make(self) -> BaseException:
        """The exception."""
        if self._shared is None:
            return self._error
        made: BaseException = Thawer(self._shared).thaw(self._key)
        return made

    def __repr__(self) -> str:
        return shown_by(self._error)


register_immutable(
    KeptException,
    lambda _, kept: (KeptException, kept._key),
    lambda thawer, key: KeptException(Thawer(thawer._shared).thaw(key[1]), key[1], thawer._shared),
)


class Outcome(NamedTuple):
    """How a future ended: with a result, an exception (a `KeptException`), or by being cancelled
    (with the arguments of the `CancelledError`).
    """

    how: str
    value: Any = None


class FutureState(NamedTuple):
    """`callbacks` are handles of the loop that become ready when it is done, in order."""

    outcome: Outcome | None = None
    callbacks: tuple[Any, ...] = ()
    retrieved: bool = True
    """Whether somebody has seen the exception, if there is one."""
    loop: Any = None
    """The loop that it belongs to, where a thread has made that one."""


class Future(Primitive):
    """`asyncio.Future`."""

    stands_for: ClassVar[tuple[type, ...]] = (asyncio.Future,)
    besides = frozenset({"_exception"})

    written_in_python = True

    @classmethod
    def initial(cls, real: Any) -> object:
        return FutureState()

    @classmethod
    def content(cls, state: Any) -> object:
        return None if state is None else state.outcome

    @classmethod
    def describe(cls, state: Any) -> str:
        outcome = state.outcome
        if outcome is None:
            return "pending"
        return CANCELLED if outcome.how == CANCELLED else f"{outcome.how} {shown_by(outcome.value)}"

    @classmethod
    def lost_with(cls, state: Any) -> list[str]:
        if state is None or state.outcome is None or state.retrieved:
            return []
        return [f"the exception of a future was never retrieved: {shown_by(state.outcome.value)}"]

    # Within an access

    def owning_loop(self) -> Any:
        """The event loop that it belongs to."""
        return current_port().tasks.loop_of(self)

    def is_done(self) -> bool:
        return self.state.outcome is not None

    def was_cancelled(self) -> bool:
        outcome = self.state.outcome
        return outcome is not None and outcome.how == CANCELLED

    def take_result(self) -> Any:
        """The result of one that is done. Raises its exception, or `CancelledError`."""
        how, value = self.state.outcome
        if how == CANCELLED:
            raise asyncio.CancelledError(*value)
        if how == EXCEPTION:
            self.retrieve()
            raise value.make()
        return value

    def error(self) -> KeptException | None:
        """The exception of one that is done and was not cancelled, if there is one."""
        how, value = self.state.outcome
        if how == EXCEPTION:
            self.retrieve()
        return value if how == EXCEPTION else None

    def retrieve(self) -> None:
        """Note that somebody has seen the exception."""
        if not self.state.retrieved:
            self.state = self.state._replace(retrieved=True)

    def complete(self, how: str, value: Any = None, *, threadsafe: bool = False) -> None:
        """It is done."""
        tasks, callbacks, loop = current_port().tasks, self.state.callbacks, self.owning_loop()
        # Where they are not among the callbacks, to be ready is all that the loop's own code does.
        waiting = [] if loop.fifo or tasks.is_in(loop) else tasks.waiting_for(self)
        if callbacks or waiting or threadsafe:
            loop.hear(threadsafe=threadsafe)
        self.state = self.state._replace(
            outcome=Outcome(how, value), callbacks=(), retrieved=how != EXCEPTION
        )
        try:
            for each in (*callbacks, *waiting):
                loop.schedule(each, threadsafe=threadsafe)
        except RuntimeError:
            for task in tasks.waiting_for(self):
                task.lose_wakeup()
            raise

    def request_cancel(self, args: tuple[Any, ...]) -> bool:
        """Cancel it, as a task does that waits for it. False where it is done."""
        if self.is_done():
            return False
        self.complete(CANCELLED, args)
        return True

    def call_when_done(self, callback: Any) -> None:
        """Have the loop run a handle when it is done."""
        if self.is_done():
            self.owning_loop().hear()
            self.owning_loop().schedule(callback)
        else:
            self.state = self.state._replace(callbacks=(*self.state.callbacks, callback))

    def call_no_more(self, callback: Any) -> int:
        """Take back all of `call_when_done` of a handle that have not led to anything."""
        return self._leave_out(lambda each: same(each, callback))

    def _leave_out(self, is_out: Callable[[Any], bool]) -> int:
        left = tuple(each for each in self.state.callbacks if not is_out(each))
        removed = len(self.state.callbacks) - len(left)
        if removed:
            self.state = self.state._replace(callbacks=left)
        return removed

    # As a model sees it

    def done(self) -> bool:
        return bool(self.operate("done", self.is_done))

    def cancelled(self) -> bool:
        return bool(self.operate("cancelled", self.was_cancelled))

    def result(self) -> Any:
        def effect() -> Any:
            if not self.is_done():
                raise asyncio.InvalidStateError("Result is not set.")
            return self.take_result()

        return self.operate("result", effect)

    def exception(self) -> BaseException | None:
        def effect() -> BaseException | None:
            if not self.is_done():
                raise asyncio.InvalidStateError("Exception is not set.")
            if self.was_cancelled():
                self.take_result()
            kept = self.error()
            return None if kept is None else kept.make()

        found: BaseException | None = self.operate("exception", effect)
        return found

    def set_result(self, result: Any) -> None:
        self._set("set_result", RESULT, lambda: result)

    def set_exception(self, exception: Any) -> None:
        error = exception() if isinstance(exception, type) else exception
        if type(error) is StopIteration:
            raise TypeError(
                "StopIteration interacts badly with generators and cannot be raised into a Future"
            )
        self._set("set_exception", EXCEPTION, lambda: KeptException.of(error))

    def _set(self, name: str, how: str, value: Callable[[], Any]) -> None:
        def effect() -> None:
            if self.is_done():
                raise asyncio.InvalidStateError("invalid state")
            self.complete(how, value())

        self.operate(name, effect)

    def cancel(self, msg: Any = None) -> bool:
        args = () if msg is None else (msg,)
        return bool(self.operate("cancel", lambda: self.request_cancel(args)))

    def add_done_callback(self, callback: Callable[..., Any], *, context: Any = None) -> None:
        handle = in_context(contextvars.given_or_copied(context), callback, (self,))
        self.operate("add_done_callback", lambda: self.call_when_done(handle))

    def remove_done_callback(self, callback: Callable[..., Any]) -> int:
        def effect() -> int:
            return self._leave_out(lambda handle: calls(handle, callback))

        return int(self.operate("remove_done_callback", effect))

    @property
    def _exception(self) -> BaseException | None:
        """What `exception()` gives, without having been asked for it."""

        def effect() -> BaseException | None:
            outcome = self.state.outcome
            return outcome.value.make() if outcome and outcome.how == EXCEPTION else None

        found: BaseException | None = self.operate("exception", effect)
        return found

    def get_loop(self) -> Any:
        return self.owning_loop()

    def __await__(self) -> Awaiting:
        return Awaiting(self)

    __iter__ = __await__

    def _await(self) -> Any:
        """What a task does that awaits it: without waiting, where it is done."""

        def begin() -> tuple[str, Any]:
            if self.is_done():
                return "done", self.take_result()
            task = current_port().tasks.current()
            if self.owning_loop() is not task.owning_loop():
                task.give_way()
                return "foreign", None
            park(self)
            return "parked", None

        how, result = self.operate("await", begin)
        if how == "foreign":
            self.resume("await", resumed)
            raise RuntimeError("Task got Future attached to a different loop")
        return result if how == "done" else self.resume("await", resumed)

    def resume(self, kind: str, effect: Callable[[], Any]) -> Any:
        """The operation that a task is suspended in, after it has parked: see `resume`."""
        return resume(self, kind, effect)


def make_future(*, loop: Any = None) -> Future:
    """`asyncio.Future()` in a running task, or of some loop."""
    port = current_port()
    owner = port.tasks.as_owner(usual_loop() if loop is None else loop)
    made: Future = port.make(Kind(Future), FutureState(loop=owner))
    return made


def usual_loop() -> Any:
    """The loop that runs this; where none does, that of the declared tasks, or the one that is set
    for the thread. Raises `RuntimeError` where there is none.
    """
    port = current_port()
    tasks = port.tasks
    if tasks.in_loop or tasks.declared is not None:
        return tasks.loop

    def effect() -> Any:
        made = (each for each in tasks.made_loops if each.state is not None)
        return next((each for each in made if port.thread in each.state.is_set_in), None)

    found = port.access(AccessKind(""), effect, private=True)
    if found is not None:
        return found
    if port.is_started:
        raise RuntimeError("There is no current event loop in this thread")
    return port.halt(
        ModelError(
            "a thread asks for its event loop, and none is running",
            remedy="keep what asyncio.new_event_loop() gives in a variable; or ask in a coroutine",
        )
    )


# How a task waits. `park` and `resumed` are parts of operations, which they belong to.


def park(on: Future | None = None) -> Any:
    """The present task is about to wait: for a future, or to be woken by whoever has a list of
    those who wait. It must `resume` next. Gives the task.
    """
    task = current_port().tasks.current()
    task.park(on)
    return task


def resume(at: Primitive | None, kind: str, effect: Callable[[], Any]) -> Any:
    """The present task is suspended, until `effect`, which calls `resumed`, does not block."""
    port = current_port()
    port.tasks.suspend()
    location = None if at is None else port.locate(at.location)
    return port.access(AccessKind(kind, location), effect)


def resumed() -> Any:
    """The present task goes on, if it is its turn. Raises `CancelledError` if it was cancelled.

    Gives the result of the future that it has waited for, or raises its exception.
    """
    return current_port().tasks.current().go_on()
