"""Tasks, after Lib/asyncio/tasks.py of CPython 3.12.

A task is a thread of the machine. Its object says what others can know of it: whether it is done
and how, what it waits for, whether it is to be cancelled. A task waits for one thing at a time: for
a future, or for a future of its own that only a lock, an event or a queue knows. That one is no
object here: the lock has the task in its list, and the task has the state of the future.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

from interleave.errors import ModelError
from interleave.memory.coroutine import (
    Coroutine,
    LibraryCoroutine,
    coroutine,
    is_coroutine,
    stepwise_coroutine,
    taken,
)
from interleave.memory.identity import ThreadId, ThreadName
from interleave.memory.port import AccessKind, current_port
from interleave.memory.values import OrderedSet
from interleave.runtimes.asyncio import TASK
from interleave.stdlib import contextvars
from interleave.stdlib.asyncio.futures import (
    CANCELLED,
    EXCEPTION,
    RESULT,
    Future,
    KeptException,
    Outcome,
    park,
    resume,
    resumed,
    usual_loop,
)
from interleave.stdlib.asyncio.handles import in_words
from interleave.stdlib.timeouts import begin_waiting

RESULTS = "results"
CANCELLING = "cancelling"
"""What the state of a task has only where something asks for it."""

SUBMITTED, NEW, READY, WAITING = "submitted", "new", "ready", "waiting"
"""SUBMITTED: the loop is to make it."""

PENDING, WOKEN = "pending", "woken"


class TaskState(NamedTuple):
    """The first four are those of any future.

    `phase` says whether it has begun, and whether it waits; `awaits` for which future, None for
    one of its own, of which `own` is the state: pending, woken, or the arguments of a
    CancelledError. `must_cancel` are the arguments of the one that is raised at the next step.
    `is_forgotten`: what it waits for is done, and the loop was never told.
    """

    outcome: Outcome | None = None
    callbacks: tuple[Any, ...] = ()
    retrieved: bool = True
    loop: Any = None
    phase: str = NEW
    awaits: Any = None
    own: Any = PENDING
    must_cancel: tuple[Any, ...] | None = None
    is_forgotten: bool = False
    cancels: int = 0
    """How often it was asked to cancel itself; see `Task.cancelling`."""
    names: tuple[tuple[str, Any], ...] = ()


class Task(Future):
    """`asyncio.Task`. State: None while there is no such task, then a `TaskState`."""

    stands_for: ClassVar[tuple[type, ...]] = (asyncio.Task,)

    is_run = True
    thread_kind = TASK
    runs = ThreadId(-1)
    """The thread that it stands for."""
    default_name = ThreadName("")
    is_declared = False
    """Whether it is a method of the model, and no task made it."""

    @classmethod
    def describe(cls, state: Any) -> str:
        if state is None:
            return "not made"
        if state.outcome is not None:
            return CANCELLED if state.outcome.how == CANCELLED else "done"
        cancels = state.must_cancel is not None or isinstance(state.own, tuple)
        return "to be cancelled" if cancels else "pending"

    def tells(self, before: Any, after: Any) -> bool:
        # That one has ended which the model declares can be seen in its lane.
        is_end = after.outcome is not None and after.outcome.how == RESULT
        if self.is_declared and is_end:
            return False
        return self.describe(before) != self.describe(after)

    def holders(self, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:  # type: ignore[override]
        return (self.runs,) if state is not None and state.outcome is None else ()

    # Within an access

    def is_ready(self) -> bool:
        """Whether it could run, if it were its turn."""
        state: TaskState = self.state
        if state.is_forgotten or state.phase == SUBMITTED:
            return False
        if state.phase != WAITING:
            return True
        return state.own != PENDING if state.awaits is None else state.awaits.is_done()

    def is_made(self) -> bool:
        """Whether the loop has made it."""
        return bool(self.state.phase != SUBMITTED)

    def begin(self) -> None:
        """The loop makes it, which was asked to."""
        self._change(phase=NEW)
        self.owning_loop().schedule(self)

    def may_run(self) -> bool:
        """Whether it is there, and could run."""
        return self.state is not None and not self.is_done() and self.is_ready()

    def sleeps(self) -> bool:
        """Whether it may be time that makes it ready, of which there is no other trace."""
        return self.state.phase == READY and not self.owning_loop().fifo

    def waiter_is_pending(self) -> bool:
        """Whether the future of its own that it waits for is neither done nor cancelled."""
        return bool(self.state.own == PENDING)

    def waiter_was_cancelled(self) -> bool:
        """Whether that was cancelled."""
        return isinstance(self.state.own, tuple)

    def wake(self) -> None:
        """That future is done."""
        self._set_own(WOKEN)

    def _change(self, **changes: Any) -> None:
        state: TaskState = self.state
        self.state = state._replace(**changes)

    def _set_own(self, own: Any) -> None:
        loop = self.owning_loop()
        loop.hear()
        self.state = self.state._replace(own=own)
        try:
            loop.schedule(self)
        except RuntimeError:
            self.lose_wakeup()
            raise

    def lose_wakeup(self) -> None:
        """An exception has kept from the loop that the future which the task awaits is done."""
        self._change(is_forgotten=True)

    def park(self, on: Future | None) -> None:
        """It is about to wait."""
        state = self.state
        cancels = state.must_cancel
        self.state = state._replace(phase=WAITING, awaits=on, own=PENDING)
        if on is not None and self.owning_loop().fifo:
            on.call_when_done(self)
        if cancels is not None and self._cancel_what_it_awaits(cancels):
            self._change(must_cancel=None)

    def give_way(self) -> None:
        """It is about to let others run, as if by a bare `yield`."""
        self.owning_loop().schedule(self)

    def go_on(self) -> Any:
        """It is resumed: see `futures.resumed`."""
        loop = self.owning_loop()
        if not (self.is_ready() and loop.can_take(self, is_timer=self.sleeps())):
            self.block()
        loop.took(self)
        state: TaskState = self.state
        self.state = state._replace(phase=READY, awaits=None, own=PENDING, must_cancel=None)
        cancels = state.own if isinstance(state.own, tuple) else state.must_cancel
        if state.must_cancel is not None and state.awaits is not None:
            if not state.awaits.was_cancelled():
                state.awaits.error()
        if cancels is not None:
            raise asyncio.CancelledError(*cancels)
        return None if state.awaits is None else state.awaits.take_result()

    def request_cancel(self, args: tuple[Any, ...]) -> bool:
        """Ask it to cancel itself. False where it is done."""
        state: TaskState = self.state
        if state.outcome is not None:
            return False
        if self.keeps(CANCELLING):
            self.state = state._replace(cancels=state.cancels + 1)
        if not (state.phase == WAITING and self._cancel_what_it_awaits(args)):
            self.state = self.state._replace(must_cancel=args)
        return True

    def _cancel_what_it_awaits(self, args: tuple[Any, ...]) -> bool:
        awaits: Future | None = self.state.awaits
        if awaits is not None:
            return awaits.request_cancel(args)
        if self.state.own != PENDING:
            return False
        self._set_own(args)
        return True

    def take_result(self) -> Any:
        self.must_keep(RESULTS)
        return super().take_result()

    def finish(self, how: str, value: Any) -> None:
        """Its code has ended."""
        state: TaskState = self.state
        if how == RESULT and state.must_cancel is not None:
            how, value = CANCELLED, state.must_cancel
        if how == EXCEPTION:
            value = KeptException.of(value)
        elif how == RESULT and not self.keeps(RESULTS):
            value = None
        # What it was doing is of no interest any more.
        self.state = TaskState(phase=READY, callbacks=state.callbacks, loop=state.loop)
        self.complete(how, value)

    def cancels_so_far(self) -> int:
        """How often it was asked to cancel itself."""
        self.must_keep(CANCELLING)
        return int(self.state.cancels)

    def forget_cancel(self) -> int:
        """One of these is dealt with; how many are left."""
        self.must_keep(CANCELLING)
        left = max(0, self.state.cancels - 1)
        self.state = self.state._replace(cancels=left)
        return int(left)

    # As a model sees it

    def set_result(self, result: Any) -> None:
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: Any) -> None:
        raise RuntimeError("Task does not support set_exception operation")

    def cancelling(self) -> int:
        return int(self.operate("cancelling", self.cancels_so_far))

    def uncancel(self) -> int:
        return int(self.operate("uncancel", self.forget_cancel))

    def get_name(self) -> str:
        return self.default_name

    def set_name(self, value: object) -> None:
        current_port().halt(
            ModelError(
                "a task is given a name after it was made",
                remedy="leave it out: reports name tasks after what they run",
            )
        )

    def end_with(self, future: Any) -> None:
        """What is called when the future is done that `run_coroutine_threadsafe` has given: one
        that is cancelled has the loop cancel this.
        """
        if future.was_cancelled():
            self.operate("", self._have_cancelled)

    def _have_cancelled(self) -> None:
        self.owning_loop().hear(threadsafe=True)
        self.owning_loop().schedule((cancel, (self,)), threadsafe=True)

    def _await(self) -> Any:
        if current_port().tasks.current() is self:
            raise RuntimeError(f"Task cannot await on itself: {self.default_name}")
        return super()._await()


@in_words("cancel")
def cancel(task: Task) -> None:
    """What the loop calls where another thread has cancelled what a task is to give."""
    task.operate("", lambda: task.request_cancel(()))


def new_task(coro: Coroutine, loop: Any, context: Any, *, phase: str = NEW) -> Task:
    """A task of a loop that runs a coroutine, in a context, within an access. The loop was to
    `hear` of it.
    """
    loop.must_be_open()
    function, names = coro.function, coro.names
    if isinstance(coro, LibraryCoroutine):
        function, names = (
            run_coroutine.__wrapped__,
            {"function": coro.function, "args": coro.arguments},
        )
    tasks = current_port().tasks
    room: Task = tasks.room(function, coro.function.__name__)
    if phase == NEW:
        loop.schedule(room)
    room.state = TaskState(names=tuple(names.items()))  # what is mutable is shared
    shared = dict(room.state.names)
    room.state = TaskState(phase=phase, loop=tasks.as_owner(loop))
    contextvars.begin_in(context, room.runs)
    tasks.start(room.runs, function, shared)
    return room


def create_task(coro: Any, *, name: str | None = None, context: Any = None) -> Task:
    """`asyncio.create_task`: the task begins later."""
    tasks = current_port().tasks
    if not tasks.in_loop:
        raise RuntimeError("no running event loop")
    return begin_task(coro, tasks.loop, context=context)


def begin_task(coro: Any, loop: Any, *, context: Any = None) -> Task:
    """A new task of a loop, in whatever thread this is."""
    coro = taken(coro)
    if not isinstance(coro, Coroutine):
        raise TypeError(f"a coroutine was expected, got {coro!r}")
    port = current_port()
    within = contextvars.given_or_copied(context)

    def effect() -> Task:
        loop.hear()
        return new_task(coro, loop, within)

    made: Task = coro.started_by(lambda: port.access(AccessKind("create_task"), effect))
    port.switch_point()
    return made


def ensure_future(coro_or_future: Any, *, loop: Any = None) -> Future:
    """`asyncio.ensure_future`."""
    if isinstance(coro_or_future, Future):
        if loop is not None:
            _must_be_of(loop, coro_or_future)
        return coro_or_future
    if not is_coroutine(coro_or_future):
        if not hasattr(type(coro_or_future), "__await__"):
            raise TypeError("An asyncio.Future, a coroutine or an awaitable is required")
        coro_or_future = await_in_task(coro_or_future)
    if loop is None and current_port().tasks.declared is not None:
        return create_task(coro_or_future)
    return begin_task(coro_or_future, usual_loop() if loop is None else loop)


def _must_be_of(loop: Any, future: Future) -> None:
    def effect() -> None:
        if future.owning_loop() is not loop:
            raise ValueError(
                "The future belongs to a different loop than the one specified as the loop argument"
            )

    future.operate("ensure_future", effect)


@stepwise_coroutine
async def await_in_task(awaitable: Any) -> Any:
    """What a task runs that was made of an object with `__await__`."""
    return await awaitable


@stepwise_coroutine
async def run_coroutine(function: Any, args: Any) -> Any:
    """What a task runs that was made of a coroutine of the library."""
    return await coroutine_of(function, args)


def coroutine_of(function: Any, args: tuple[Any, ...]) -> LibraryCoroutine:
    """The coroutine again, in the task that runs it."""
    return LibraryCoroutine(function, dict(enumerate(args)))  # type: ignore[arg-type]


@coroutine
def sleep(delay: float, result: Any = None) -> Any:
    """`asyncio.sleep`: others may run meanwhile; for any time, if it is above zero."""
    task = current_port().tasks.current()
    loop = current_port().tasks.loop
    waiting = begin_waiting(delay)

    def wake() -> None:
        resumed()
        waiting.expire()

    if delay <= 0 or not (loop.fifo or loop.debug):
        # Whether a timer or the loop itself makes it ready is all the same where any may be next,
        # unless a thread that cancels it is to raise an exception.
        _access("sleep", task.give_way)
        resume(None, "sleep", wake)
        return result

    timer = (time_is_up, (task,))

    def begin() -> None:
        park()
        loop.start_timer(timer)

    def go_on() -> None:
        try:
            wake()
        except asyncio.CancelledError:
            loop.stop_timer(timer)
            raise

    _access("sleep", begin)
    resume(None, "sleep", go_on)
    return result


@in_words("time is up for")
def time_is_up(task: Task) -> None:
    """What the loop calls when a task has slept long enough."""

    def effect() -> None:
        if task.waiter_is_pending():
            task.wake()

    task.operate("", effect)


def _access(kind: str, effect: Callable[[], Any]) -> Any:
    return current_port().access(AccessKind(kind), effect)


def current_task(loop: Any = None) -> Any:
    """`asyncio.current_task`."""
    return current_port().tasks.current_or_none()


def all_tasks(loop: Any = None) -> Any:
    """`asyncio.all_tasks`: those that are not done."""

    def effect() -> list[Any]:
        tasks = (current_port().tasks.loop if loop is None else loop).own_tasks()
        return [each for each in tasks if each.is_made() and not each.is_done()]

    return OrderedSet(_access("all_tasks", effect))
