"""Callbacks as an event loop has them: the call of a function of the model, or code of the library.

After Lib/asyncio/events.py of CPython 3.12. A handle that is no task is a function with its
arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib import contextvars
from interleave.stdlib.asyncio.ready import Handle, same


class CallState(NamedTuple):
    """What is to be called, in which context, and whether that was taken back."""

    callback: Any
    args: tuple[Any, ...]
    context: Any = None
    limit: Any = None
    """What the clock shows by then, at least, where that is known."""
    cancelled: bool = False
    loop: Any = None
    """The loop that is to call it, where a thread has made that one."""


class CallHandle(Primitive):
    """`asyncio.Handle` and `asyncio.TimerHandle`: what `call_soon` and `call_later` give."""

    stands_for = (asyncio.TimerHandle,)
    is_internal = True

    def cancel(self) -> None:
        """Have it not called, if it has not been yet."""

        def effect() -> None:
            state: CallState = self.state
            if not state.cancelled:
                loop = current_port().tasks.loop_of(self)
                loop.stop_timer((run_call, (self,)))
                loop.ready.remove((timer_starts, (self,)))
                self.state = state._replace(cancelled=True)

        self.operate("cancel call", effect)

    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return bool(self.operate("cancelled", lambda: self.state.cancelled))


def let_pass(timer: Handle) -> None:
    """Note that the time has come of a timer, where code reads the clock."""
    port = current_port()
    _, args = timer
    if port.has_clock and isinstance(args[0], Primitive):
        limit = getattr(args[0].state, "limit", None)
        if limit is not None:
            port.clock.pass_until(limit)


def what_it_does(handle: Handle) -> tuple[str, Any]:
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


def begun(handle: Handle) -> Handle:
    """What a callback calls, which begins now, in its context."""
    contextvars.begin_in(_context_of(handle))
    return _what_it_calls(handle)


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
    return not isinstance(handle, Primitive) and same(_what_it_calls(handle)[0], callback)


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


@in_words("start timer")
def timer_starts(call: CallHandle) -> None:
    """What the loop does with a timer that another thread has given it."""
    loop = current_port().tasks.loop
    call.operate("", lambda: loop.start_timer((run_call, (call,))))


def nothing() -> None:
    """What is run where a timer has only joined the queue of handles."""
