"""`timeout`, `timeout_at` and `wait_for`, after Lib/asyncio of CPython 3.12: timeouts.py, tasks.py.

A timeout may expire at any moment at which the loop runs something else, and then the clock shows
that its time has passed.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from interleave.memory.coroutine import coroutine, stepwise_coroutine
from interleave.memory.made import Kind
from interleave.memory.port import CLOCK, Location, current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.futures import Future, park, resume, resumed
from interleave.stdlib.asyncio.gathering import owner_of
from interleave.stdlib.asyncio.handles import in_words
from interleave.stdlib.asyncio.tasks import ensure_future
from interleave.stdlib.timeouts import begin_waiting

CREATED, ENTERED, EXPIRING, EXPIRED, EXITED = (
    "created",
    "active",
    "expiring",
    "expired",
    "finished",
)


class TimeoutState(NamedTuple):
    """`ends` says whether it can expire at all, `cancelling` how often the task had been asked to
    cancel itself when it was entered, `limit` what the clock shows when it expires, at least, where
    code reads it.
    """

    phase: str
    ends: bool
    limit: Any = None
    task: Any = None
    cancelling: int = 0


class Timeout(Primitive):
    """`asyncio.Timeout`."""

    stands_for = (asyncio.Timeout,)

    is_internal = True

    written_in_python = True

    @classmethod
    def describe(cls, state: Any) -> str:
        return str(state.phase)

    def subject(self) -> Location:
        subject: Location = self.state.task.location
        return subject

    @coroutine
    def __aenter__(self) -> Timeout:
        def effect() -> Timeout:
            if self.state.phase != CREATED:
                raise RuntimeError("Timeout has already been entered")
            task = current_port().tasks.current()
            cancelling = task.cancels_so_far()
            state: TimeoutState = self.state
            self.state = state._replace(phase=ENTERED, task=task, cancelling=cancelling)
            if state.ends:
                current_port().tasks.loop.start_timer((expire, (self,)))
            return self

        entered: Timeout = self.operate("enter timeout", effect)
        return entered

    @coroutine
    def __aexit__(self, kind: Any, error: Any, traceback: Any) -> None:
        def effect() -> bool:
            state: TimeoutState = self.state
            if state.phase == ENTERED:
                if state.ends:
                    current_port().tasks.loop.stop_timer((expire, (self,)))
                self.state = TimeoutState(EXITED, state.ends)
                return False
            self.state = TimeoutState(EXPIRED, state.ends)
            left = state.task.forget_cancel()
            return bool(left <= state.cancelling and kind is asyncio.CancelledError)

        if self.operate("leave timeout", effect):
            raise TimeoutError from error

    def expired(self) -> bool:
        """Whether it has expired."""
        return bool(self.operate("expired", lambda: self.state.phase in (EXPIRING, EXPIRED)))

    def when(self) -> Any:
        """What the clock shows when it expires; None where it does not."""
        state: TimeoutState = self.operate("when", lambda: self.state)
        if state.ends and state.limit is None:
            current_port().begin_again(CLOCK)
        return state.limit

    def reschedule(self, when: float | None) -> None:
        """Let it expire at any time, or, with None, never. Raises `RuntimeError` outside it."""

        def effect() -> None:
            state: TimeoutState = self.state
            if state.phase != ENTERED:
                if state.phase == CREATED:
                    raise RuntimeError("Timeout has not been entered")
                raise RuntimeError(f"Cannot change state of {state.phase} Timeout")
            loop = current_port().tasks.loop
            loop.stop_timer((expire, (self,)))
            limit = when if current_port().has_clock else None
            self.state = state._replace(ends=when is not None, limit=limit)
            if when is not None:
                loop.start_timer((expire, (self,)))

        self.operate("reschedule", effect)


@in_words("time is up for")
def expire(timeout: Timeout) -> None:
    """What the loop calls when the time is up."""

    def effect() -> None:
        state: TimeoutState = timeout.state
        state.task.request_cancel(())
        timeout.state = state._replace(phase=EXPIRING)

    timeout.operate("", effect)


def make_timeout(delay: float | None) -> Any:
    """`asyncio.timeout`."""
    limit = begin_waiting(delay).limit
    return current_port().make(Kind(Timeout), TimeoutState(CREATED, delay is not None, limit))


def make_timeout_at(when: float | None) -> Any:
    """`asyncio.timeout_at`."""
    port = current_port()
    limit = when if port.has_clock else None
    return port.make(Kind(Timeout), TimeoutState(CREATED, when is not None, limit))


@stepwise_coroutine
async def wait_for(fut: Any, timeout: Any) -> Any:
    """`asyncio.wait_for`: in the task itself, as from 3.12 on."""
    if timeout is not None and timeout <= 0:
        return await at_once(fut)
    async with make_timeout(timeout):
        return await fut


@coroutine
def at_once(fut: Any) -> Any:
    """`asyncio.wait_for` without any time."""
    future = ensure_future(fut)
    owner_of([future], current_port().tasks.loop)

    def is_done() -> bool:
        if future.is_done():
            return True
        future.request_cancel(())
        return False

    if not future.operate("wait_for", is_done):
        wait_until_done(future, "wait_for")
        if future.cancelled():
            raise TimeoutError
    return future.result()


def wait_until_done(future: Future, kind: str) -> None:
    """Wait until a future is done, however it is. If the task is cancelled, the future is not."""
    task = current_port().tasks.current()
    handle = (wake_from, (future, task))

    def begin() -> None:
        park()
        future.call_when_done(handle)

    def go_on() -> None:
        try:
            resumed()
        finally:
            future.call_no_more(handle)

    future.operate(kind, begin)
    resume(future, kind, go_on)


@in_words("end of")
def wake_from(future: Future, task: Any) -> None:
    """What the loop calls when a future is done that a task waits for so."""

    def effect() -> None:
        if task.waiter_is_pending() and task.state.outcome is None:
            task.wake()

    task.operate("", effect)
