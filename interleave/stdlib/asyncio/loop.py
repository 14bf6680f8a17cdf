"""Event loops: which task runs, which callbacks are ready, what may come from outside.

After Lib/asyncio/base_events.py of CPython 3.12. The loop of the declared tasks runs from the
beginning to the end, one that a thread has made while a thread runs it (`asyncio.running`).

A handle of the real loop is one of two things here. The step of a task is that task's own, and it
is ready when what it awaits is done. Everything else, callbacks and timers, is run by a thread of
the machine that stands for the loop; it is there only if there is something for it to do.

Under the order `any` no state says in which order tasks became ready. Under `fifo` the state has
the queue of handles, and only what stands first in it can run; timers and what comes from outside
join it at any time.

A loop that has nothing to run sleeps, until a timer or `call_soon_threadsafe` wakes it. What other
threads make ready by other means does not.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.coroutine import is_coroutine
from interleave.memory.identity import MODEL_PROCESS, ThreadId
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, Location, current_port
from interleave.stdlib import contextvars
from interleave.stdlib.asyncio.futures import make_future
from interleave.stdlib.asyncio.handles import (
    CallHandle,
    CallState,
    begun,
    cancelled_from_outside,
    let_pass,
    nobody_is_cancelled,
    nothing,
    run_call,
    timer_starts,
    what_it_does,
)
from interleave.stdlib.asyncio.ready import Handle, Handles, Place, Queue
from interleave.stdlib.asyncio.running import LoopState, RunByThreads, be_set
from interleave.stdlib.asyncio.tasks import begin_task
from interleave.stdlib.asyncio.threads import run_in_executor
from interleave.stdlib.signal import (
    FOR_NOBODY,
    call_from_loop,
    call_no_more_from_loop,
    checked,
)
from interleave.stdlib.time import reading
from interleave.stdlib.timeouts import begin_waiting

CALLBACKS = "callbacks"
"""What a loop must keep to have callbacks, timers, or anything else from outside."""

NAME = "event loop"

MOST_IN_ANY_ORDER = 4
"""Things of which every order is explored; more are taken in the order in which they were made."""

FEWEST_LINKS = 8
"""Handles that its queue has room for until more are met."""


class EventLoop(RunByThreads):
    """An event loop. State: None while there is no such loop, then a `LoopState`.

    Under `fifo`, all handles that are ready are in a queue; else those of tasks are in none.
    """

    stands_for = (asyncio.AbstractEventLoop,)

    def __init__(self, number: int, location: Location) -> None:
        super().__init__(number, location)
        self.fifo = False
        self.debug = False
        """Whether it complains of threads that make something ready without waking it."""
        self.cancels: Place
        """The tasks that something outside may still cancel."""

    def furnish(
        self,
        make: Callable[[Any], Place],
        tasks: Iterable[Any],
        cancels: Iterable[Any],
        *,
        fifo: bool,
        debug: bool,
    ) -> None:
        """Give it its places: `tasks` are ready, and something outside may cancel `cancels`."""
        self.fifo, self.debug = fifo, debug
        self.timers = Handles(make)
        self.cancels = make(Bag(cancels))
        self._helpers = make(Bag())
        self.ready = self._queue(make, tuple(tasks)) if fifo else Handles(make)

    def _queue(self, make: Callable[[Any], Place], tasks: tuple[Any, ...]) -> Queue:
        links = FEWEST_LINKS
        while links < len(tasks) or self.keeps(f"more than {links} handles"):
            links *= 2
        return Queue(
            make, tasks, links=links, more=lambda: self.must_keep(f"more than {links} handles")
        )

    @classmethod
    def describe(cls, state: Any) -> str:
        if state is None or state.is_closed:
            return "not made" if state is None else "closed"
        return "asleep" if state.sleeps else "awake"

    def tells(self, before: Any, after: Any) -> bool:
        return False

    # Within an access

    def can_take(self, handle: Handle, *, is_timer: bool = False) -> bool:
        """Whether it is a handle's turn, as far as the order of the loop says so.

        `is_timer`: time has made it ready.
        """
        state: LoopState = self.state
        awake = is_timer or not state.sleeps
        return self.is_free() and awake and self.ready.is_next(handle)

    def took(self, handle: Handle) -> None:
        """A handle is run: it is ready no more."""
        self._note(sleeps=False)
        if self.fifo or isinstance(handle, tuple):
            self.ready.remove(handle)

    def hear(self, *, threadsafe: bool = False) -> None:
        """Something is about to become ready. Does the loop notice, where a thread does that?"""
        if threadsafe:
            self._note(sleeps=False)
        elif not self.debug and not current_port().tasks.is_in(self) and self._is_idle():
            # It is about to look for something to do, or it has looked already.
            self._note(sleeps=bool(current_port().choose(("awake", "asleep"))))

    def _is_idle(self) -> bool:
        """Whether there is nothing to run, but for what time makes ready."""
        if not self.is_free() or self.is_over() or self.ready.next_ones():
            return False
        tasks = [] if self.fifo else self.own_tasks()
        return not any(task.may_run() and not task.sleeps() for task in tasks)

    def schedule(self, handle: Handle, *, threadsafe: bool = False) -> None:
        """A handle becomes ready, which the loop was to `hear`.

        Raises `RuntimeError` where the loop is closed; in debug mode, in another thread than the
        loop's.
        """
        is_foreign = self.runs() and not current_port().tasks.is_in(self)
        self.must_be_open()
        if self.debug and not threadsafe and is_foreign:
            raise RuntimeError(
                "Non-thread-safe operation invoked on an event loop other than the current one"
            )
        if isinstance(handle, tuple):
            self.must_keep(CALLBACKS)
        elif not self.fifo:
            return  # it is ready because what it awaits is done
        self.ready.add(handle)

    def start_timer(self, callback: Handle) -> None:
        """From now on a callback may become ready at any time."""
        self.must_keep(CALLBACKS)
        self.timers.add(callback)

    def stop_timer(self, callback: Handle) -> bool:
        """It may no more, and is not ready any more. Gives whether it was."""
        stopped = self.timers.remove(callback)
        return self.ready.remove(callback) or stopped

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
        self._note(running=thread)

    def next_callback(self) -> Handle:
        """The next callback that is ready, for the thread that runs them."""

        def effect() -> Handle:
            if not self.is_free() or self.state.sleeps:
                self.block()
            callbacks = [each for each in self.ready.next_ones() if isinstance(each, tuple)]
            handle = self._one_of(callbacks)
            current_port().tasks.does(*what_it_does(handle))
            self.took(handle)
            return begun(handle)

        return self._next(effect)

    def next_from_outside(self) -> Handle:
        """A timer that fires, or a task that is cancelled, for the thread that stands for what may
        come at any time.
        """

        def effect() -> Handle:
            if not self.is_free():
                self.block()
            timers = self.timers.next_ones()
            tasks = sorted(self.cancels.state, key=lambda task: task.runs)
            cancels = [(cancelled_from_outside, (each,)) for each in tasks if not each.is_done()]
            # That something may be cancelled is no reason to hope for it.
            nobody = [(nobody_is_cancelled, ())] if cancels and self._is_at_rest(timers) else []
            handle = self._one_of([*timers, *cancels, *nobody])
            current_port().tasks.does(*what_it_does(handle))
            self._note(sleeps=False)
            if handle in cancels:
                self.cancels.state = self.cancels.state.minus(handle[1][0])
            elif handle in nobody:
                self.cancels.state = Bag()
            else:
                self.timers.remove(handle)
                let_pass(handle)
                if self.fifo:
                    self.ready.add(handle)
                    return (nothing, ())
            return begun(handle)

        return self._next(effect)

    def _next(self, effect: Callable[[], Handle]) -> Handle:
        port = current_port()
        port.tasks.suspend()
        return port.access(AccessKind(NAME), effect)

    def _one_of(self, handles: Sequence[Handle]) -> Handle:
        if not handles:
            self.block()
        return handles[current_port().choose(handles) if len(handles) > 1 else 0]

    def _is_at_rest(self, timers: Sequence[Handle]) -> bool:
        """Whether nothing can happen of itself."""
        tasks = [each for each in self.own_tasks() if each.may_run()]
        callbacks = [each for each in self.ready.next_ones() if isinstance(each, tuple)]
        waiting = [*map(self.can_take, callbacks)]
        waiting += [self.can_take(each, is_timer=each.sleeps()) for each in tasks]
        return not (timers or any(waiting))

    # As a model sees it

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> Any:
        """Have the loop call a function of the model, later."""
        return self._call("call_soon", callback, args, context, self._call_soon)

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> Any:
        """The same, from any thread."""

        def schedule(handle: Handle) -> None:
            self._call_soon(handle, threadsafe=True)

        return self._call("call_soon_threadsafe", callback, args, context, schedule)

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> Any:
        """The same, at any time, but not too early by what the clock shows."""
        limit = begin_waiting(delay).limit
        return self._call("call_later", callback, args, context, self._start_timer, limit)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> Any:
        """The same, with the time that the clock is to show."""
        return self._call("call_at", callback, args, context, self._start_timer, when)

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:
        """Call a callback when a signal comes, which it may at any time: see `stdlib.signal`."""
        number, most = checked(sig), current_port().signals.most
        if number in FOR_NOBODY:
            raise RuntimeError(f"sig {number} cannot be caught")
        if not self.is_declared and current_port().runner != current_port().signals.main:
            raise RuntimeError("set_wakeup_fd only works in main thread of the main interpreter")
        handles = tuple([self.call_later(0, callback, *args) for _ in range(most)])
        for each in call_from_loop(number, handles):
            each.cancel()

    def remove_signal_handler(self, sig: int) -> bool:
        """Have it come no more. Gives whether a callback was there."""
        handles = call_no_more_from_loop(checked(sig))
        for each in handles or ():
            each.cancel()
        return handles is not None

    def _start_timer(self, handle: Handle) -> None:
        if current_port().tasks.is_in(self) or not self.runs():
            self.start_timer(handle)
        else:  # the loop looks at its timers when it is awake
            self._call_soon((timer_starts, handle[1]))

    def _call_soon(self, handle: Handle, *, threadsafe: bool = False) -> None:
        self.hear(threadsafe=threadsafe)
        self.schedule(handle, threadsafe=threadsafe)

    def _call(
        self,
        name: str,
        callback: Any,
        args: Any,
        context: Any,
        schedule: Callable[[Handle], None],
        limit: Any = None,
    ) -> CallHandle:
        # An object of its own: two calls of one function are two calls.
        port = current_port()
        within = contextvars.given_or_copied(context)
        state = CallState(callback, args, within, limit, loop=port.tasks.as_owner(self))
        made: CallHandle = port.make(Kind(CallHandle), state)
        self.operate(name, lambda: schedule((run_call, (made,))))
        return made

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        """`asyncio.create_task`."""
        return begin_task(coro, self, context=context)

    def create_future(self) -> Any:
        """A new future."""
        return make_future(loop=self)

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function in a thread of its own."""
        return run_in_executor(self, executor, function, *args)

    def get_debug(self) -> bool:
        return self.debug

    def time(self) -> Any:
        """What the clock shows: that of `time.monotonic`."""
        return reading()


def event_loop(self: Any, from_outside: int) -> None:
    """What a thread that stands for the loop runs, block by block."""
    while True:
        callback, arguments = next_handle(from_outside)
        callback(*arguments)
        end_handle()


def next_handle(from_outside: int) -> Handle:
    """The next callback, or what comes from outside, with its arguments."""
    loop = current_port().tasks.loop
    return loop.next_from_outside() if from_outside else loop.next_callback()


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


def set_event_loop(loop: Any) -> None:
    """`asyncio.set_event_loop`."""
    current_port().access(AccessKind(""), lambda: be_set(loop), private=True)


def new_event_loop() -> Any:
    """`asyncio.new_event_loop`."""
    port = current_port()

    def effect() -> Any:
        if port.process != MODEL_PROCESS:
            port.halt(
                ModelError(
                    "a process makes an event loop, besides that of the model",
                    remedy="start a thread in its place",
                )
            )
        made: EventLoop = port.loop_room(EventLoop, event_loop, NAME)
        made.state = LoopState()
        return made

    return port.access(AccessKind("new_event_loop"), effect, private=True)


def run(main: Any, *, debug: bool | None = None) -> Any:
    """`asyncio.run`: a loop of its own for a coroutine."""
    port = current_port()
    if port.tasks.in_loop:
        raise RuntimeError("asyncio.run() cannot be called from a running event loop")
    if not is_coroutine(main):
        raise ValueError(f"a coroutine was expected, got {main!r}")
    made = new_event_loop()
    if debug and not made.debug:
        port.halt(
            ModelError(
                "asyncio.run is asked for a loop in debug mode",
                remedy="leave `debug` out, and let the model say ASYNCIO_DEBUG = True",
            )
        )
    return made.run_once(main)
