"""The event loop: which task runs, which callbacks are ready, what may come from outside.

After Lib/asyncio/base_events.py of CPython 3.12. A handle of the real loop is one of two things
here. The step of a task is that task's own, and it is ready when what it awaits is done. Everything
else, callbacks and timers, is run by a thread of the machine that stands for the loop; it is there
only if there is something for it to do.

Under the order `any` no state says in which order tasks became ready. Under `fifo` the state has
the queue of handles, and only what stands first in it can run; timers and what comes from outside
join it at any time.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.memory.values import Freezer, Key
from interleave.stdlib import contextvars

CALLBACKS = "callbacks"
"""What a loop must keep to have callbacks, timers, or anything else from outside."""

NAME = "event loop"

MOST_IN_ANY_ORDER = 4
"""Things of which every order is explored; more are taken in the order in which they were made."""

Handle = Any
"""A task, whose next step is ready; or a callback, with its arguments."""

Handles = tuple[Handle, ...]
"""Those that are ready: in order under `fifo`, else a `Bag`."""


class LoopState(NamedTuple):
    """What the loop is doing.

    `running` is the thread whose code it runs, where that can be interrupted; `ready` the handles
    that are ready (under `any` without those of tasks); `timers`
    the callbacks that may become ready at any time; `cancels` the tasks that something outside may
    still cancel.
    """

    running: ThreadId | None = None
    ready: Handles = Bag()
    timers: Bag[Handle] = Bag()
    cancels: Bag[Any] = Bag()


class _Option(NamedTuple):
    """A callback that could be run next; the timer that fires, or the task that is cancelled.

    `gives_up`: no task is cancelled any more.
    """

    handle: Handle
    timer: Handle | None = None
    cancels: Any = None
    gives_up: bool = False


class EventLoop(Primitive):
    """The one event loop of a model, whose state is a `LoopState`."""

    fifo = False
    """Whether handles are run in the order in which they became ready."""

    @classmethod
    def describe(cls, state: Any) -> str:
        return f"{len(state.ready)} ready"

    def tells(self, before: Any, after: Any) -> bool:
        return False

    # Within an access

    def is_free(self) -> bool:
        """Whether no code is running that was interrupted."""
        return self.state.running is None

    def is_next(self, handle: Handle) -> bool:
        """Whether it is a handle's turn, as far as the order of the loop says so."""
        return not self.fifo or _same(self.state.ready[:1], (handle,))

    def took(self, handle: Handle) -> None:
        """A handle is run: it is ready no more."""
        if self.fifo or isinstance(handle, tuple):
            self._set(ready=_without(self.state.ready, handle))

    def schedule(self, handle: Handle, *, threadsafe: bool = False) -> None:
        """A handle becomes ready. Raises `RuntimeError` in a thread that is not the loop's."""
        if not threadsafe and not current_port().tasks.in_loop:
            # What a loop in debug mode says, where others may wait for ever.
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one"
            )
        if isinstance(handle, tuple):
            self.must_keep(CALLBACKS)
        elif not self.fifo:
            return  # it is ready because what it awaits is done
        self._set(ready=_with(self.state.ready, handle))

    def start_timer(self, callback: Handle) -> None:
        """From now on a callback may become ready at any time."""
        self.must_keep(CALLBACKS)
        self._set(timers=self.state.timers.plus(callback))

    def stop_timer(self, callback: Handle) -> None:
        """It may no more, and is not ready any more; nothing, where it has run."""
        for name in ("timers", "ready"):
            handles = getattr(self.state, name)
            left = _without(handles, callback)
            if len(left) < len(handles):
                self._set(**{name: left})

    def _set(self, **changes: Any) -> None:
        self.state = self.state._replace(**changes)

    def in_any_order(self, items: Any) -> Any:
        """What the real library goes through in the order of a set: every order is explored.

        Where any handle may run next, it makes no difference.
        """
        if not self.fifo or not 1 < len(items) <= MOST_IN_ANY_ORDER:
            return items
        orders = list(itertools.permutations(items))
        return orders[current_port().choose(orders)]

    def note_running(self, thread: ThreadId | None) -> None:
        """Note whose code runs, and is interrupted."""
        if self.state.running != thread:
            self._set(running=thread)

    def next_handle(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The next thing that the loop does of itself, for the thread that stands for it."""
        port = current_port()
        port.tasks.suspend()

        def effect() -> Handle:
            if not self.is_free():
                self.block()
            options = self._options()
            if not options:
                self.block()
            does = options[port.choose(options) if len(options) > 1 else 0]
            port.tasks.does(*_in_words(does.handle))
            if does.timer is not None:
                self.stop_timer(does.timer)
                if self.fifo:
                    self._set(ready=_with(self.state.ready, does.timer))
                    return (nothing, ())
            elif does.cancels is not None:
                self._set(cancels=self.state.cancels.minus(does.cancels))
            elif does.gives_up:
                self._set(cancels=Bag())
            else:
                self.took(does.handle)
            contextvars.begin_in(_context_of(does.handle))
            return _what_it_calls(does.handle)

        found: tuple[Callable[..., Any], tuple[Any, ...]] = port.access(AccessKind(NAME), effect)
        return found

    def _options(self) -> list[_Option]:
        """What could be next: callbacks that are ready, timers that fire, tasks to be cancelled."""
        state: LoopState = self.state
        callbacks = [each for each in _different(state.ready) if isinstance(each, tuple)]
        tasks = sorted(state.cancels, key=lambda task: task.runs)
        cancels = [task for task in tasks if not task.is_done()]
        options = [
            *[_Option(each) for each in callbacks if self.is_next(each)],
            *[_Option(each, timer=each) for each in _different(state.timers)],
            *[_Option((cancelled_from_outside, (task,)), cancels=task) for task in cancels],
        ]
        others = current_port().tasks.all_tasks()
        if cancels and len(options) == len(cancels) and not any(map(_may_run, others)):
            # That something may be cancelled is no reason to hope for it.
            options.append(_Option((nobody_is_cancelled, ()), gives_up=True))
        return options

    # As a model sees it

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Any:
        """Have the loop call a function of the model, later."""
        return self._call("call_soon", callback, args, context, self.schedule)

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> Any:
        """The same, from any thread."""

        def schedule(handle: Handle) -> None:
            self.schedule(handle, threadsafe=True)

        return self._call("call_soon_threadsafe", callback, args, context, schedule)

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> Any:
        """The same, at any time."""
        return self._call("call_later", callback, args, context, self.start_timer)

    def _call(
        self,
        name: str,
        callback: Any,
        args: Any,
        context: Any,
        schedule: Callable[[Handle], None],
    ) -> CallHandle:
        # An object of its own: two calls of one function are two calls.
        state = CallState(callback, args, contextvars.given_or_copied(context))
        made: CallHandle = current_port().make(Kind(CallHandle), state)
        self.operate(name, lambda: schedule((run_call, (made,))))
        return made

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        """`asyncio.create_task`."""
        from interleave.stdlib.asyncio.tasks import create_task

        return create_task(coro, name=name, context=context)

    def create_future(self) -> Any:
        """A new future."""
        from interleave.stdlib.asyncio.futures import make_future

        return make_future()

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function in a thread of its own."""
        from interleave.stdlib.asyncio.threads import run_in_executor

        return run_in_executor(executor, function, *args)

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return False

    def time(self) -> Any:
        """Not in a model."""
        current_port().halt(
            ModelError(
                "a task asks the loop for the time: a model has no clock",
                remedy="let choose([True, False]) say whether the time has come",
            )
        )


class CallState(NamedTuple):
    """What is to be called, in which context, and whether that was taken back."""

    callback: Any
    args: tuple[Any, ...]
    context: Any = None
    cancelled: bool = False


class CallHandle(Primitive):
    """`asyncio.Handle` and `asyncio.TimerHandle`: what `call_soon` and `call_later` give."""

    is_internal = True

    def cancel(self) -> None:
        """Have it not called, if it has not been yet."""

        def effect() -> None:
            state: CallState = self.state
            if not state.cancelled:
                current_port().tasks.loop.stop_timer((run_call, (self,)))
                self.state = state._replace(cancelled=True)

        self.operate("cancel call", effect)

    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return bool(self.operate("cancelled", lambda: self.state.cancelled))


def _may_run(task: Any) -> bool:
    """Whether a task is there, and can go on."""
    return task.state is not None and not task.is_done() and bool(task.is_ready())


def _key(handle: Handle) -> Key:
    """What a handle is compared by: to compare shared lists would be an access."""
    return Freezer().freeze(handle)


def _same(one: Handle, other: Handle) -> bool:
    return _key(one) == _key(other)


def _with(handles: Handles, handle: Handle) -> Handles:
    return type(handles)((*handles, handle))


def _without(handles: Handles, handle: Handle) -> Handles:
    for place, each in enumerate(handles):
        if _same(each, handle):
            return type(handles)((*handles[:place], *handles[place + 1 :]))
    return handles


def _different(handles: Handles) -> list[Handle]:
    return list({_key(each): each for each in handles}.values())


def _in_words(handle: Handle) -> tuple[str, Any]:
    """What a report calls the running of a callback, and what it concerns."""
    callback, args = handle
    if callback is nobody_is_cancelled:
        return "nobody is cancelled", None
    words = getattr(callback, "__interleave_words__", None)
    if words is not None:
        return words, args[0].subject()
    called, _ = _what_it_calls(handle)
    return f"call {getattr(called, '__name__', 'a callback')}", None


def _what_it_calls(handle: Handle) -> Handle:
    """The function that a callback stands for, with its arguments."""
    callback, args = handle
    if callback is run_in:
        _, callback, *rest = args
        return callback, tuple(rest)
    if callback is not run_call:
        return handle
    state: CallState = args[0].state
    return state.callback, state.args


def _context_of(handle: Handle) -> Any:
    """The context in which a callback runs; None for code of the library, which needs none."""
    callback, args = handle
    if callback is run_in:
        return args[0]
    return args[0].state.context if callback is run_call else None


def in_context(context: Any, callback: Any, args: tuple[Any, ...]) -> Handle:
    """The handle of a function of the model that is to run in a context, if there are any."""
    return (callback, args) if context is None else (run_in, (context, callback, *args))


def calls(handle: Handle, callback: Any) -> bool:
    """Whether a handle is one that `in_context` gives for a function."""
    return not isinstance(handle, Primitive) and _same(_what_it_calls(handle)[0], callback)


def in_words(words: str) -> Callable[[Callable[..., Any]], Any]:
    """Say what reports call a callback of the library; its first argument is what it concerns."""

    def note(callback: Callable[..., Any]) -> Any:
        callback.__interleave_words__ = words  # type: ignore[attr-defined]
        return callback

    return note


@in_words("cancel")
def cancelled_from_outside(task: Any) -> None:
    """Something outside the model cancels a task."""
    task.operate("", lambda: task.request_cancel(()))


def nobody_is_cancelled() -> None:
    """What is run where nothing can happen any more, unless somebody cancels a task."""


def run_call(call: CallHandle) -> None:
    """Stands for the call of a function of the model: see `_what_it_calls`."""


def run_in(context: Any, callback: Any, *args: Any) -> None:
    """Stands for the call of a function of the model in a context: see `_what_it_calls`."""


def nothing() -> None:
    """What is run where a timer has only joined the queue of handles."""


def event_loop(self: Any) -> None:
    """What the thread that stands for the loop runs, block by block."""
    while True:
        callback, arguments = next_handle()
        callback(*arguments)
        end_handle()


def next_handle() -> Any:
    """The next callback, with its arguments."""
    return current_port().tasks.loop.next_handle()


def end_handle() -> None:
    """The callback has returned: its context is that of no other one."""
    port = current_port()
    if port.has_contexts:
        kind = AccessKind("", port.context())
        port.access(kind, lambda: contextvars.begin_in(None), private=True)


def get_running_loop() -> Any:
    """`asyncio.get_running_loop`."""
    tasks = current_port().tasks
    if not tasks.in_loop:
        raise RuntimeError("no running event loop")
    return tasks.loop


def get_event_loop() -> Any:
    """`asyncio.get_event_loop`: in a model there is one, and every thread may know it."""
    return current_port().tasks.loop
