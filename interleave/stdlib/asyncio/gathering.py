"""`gather`, `wait`, `shield` and `as_completed`, after Lib/asyncio/tasks.py of CPython 3.12.

What becomes of several futures is told to whoever waits by callbacks, which the loop runs one by
one, in any order or in that in which they became ready: between two of them, others may run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.coroutine import LibraryCoroutine, coroutine, is_coroutine
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, current_port
from interleave.memory.values import OrderedSet
from interleave.stdlib.asyncio.futures import (
    EXCEPTION,
    RESULT,
    Future,
    FutureState,
    KeptException,
    Outcome,
    park,
    resume,
    resumed,
    usual_loop,
)
from interleave.stdlib.asyncio.handles import in_words
from interleave.stdlib.asyncio.queues import Queue, QueueState
from interleave.stdlib.asyncio.tasks import ensure_future


def owner_of(futures: Iterable[Future], *loops: Any) -> Any:
    """What says in a state that something belongs to the loop of some futures, of which there is
    one, and which is one of `loops`, if these are given.
    """
    tasks = current_port().tasks
    found = dict.fromkeys((*loops, *(each.owning_loop() for each in futures)))
    if len(found) > 1:
        current_port().halt(
            ModelError(
                "futures of several event loops are waited for together",
                remedy="let each loop await its own; asyncio.run_coroutine_threadsafe gives a "
                "coroutine to another loop",
            )
        )
    return tasks.as_owner(*found)


class GatheringState(NamedTuple):
    """The first four are those of any future; `left` counts callbacks that are still to come."""

    outcome: Outcome | None = None
    callbacks: tuple[Any, ...] = ()
    retrieved: bool = True
    loop: Any = None
    children: tuple[Any, ...] = ()
    left: int = 0
    return_exceptions: bool = False
    cancel_requested: bool = False


class Gathering(Future):
    """What `gather` gives. To cancel it is to cancel everything that it waits for."""

    is_internal = True

    def complete(self, how: str, value: Any = None, *, threadsafe: bool = False) -> None:
        # The rest is of no interest any more, but for the callbacks that are still to come.
        super().complete(how, value, threadsafe=threadsafe)
        self.state = self.state._replace(children=())

    def request_cancel(self, args: tuple[Any, ...]) -> bool:
        if self.is_done():
            return False
        asked = [child.request_cancel(args) for child in dict.fromkeys(self.state.children)]
        if any(asked):
            self.state = self.state._replace(cancel_requested=True)
        return any(asked)

    def take_result(self) -> Any:
        results = super().take_result()
        return [each.make() if type(each) is KeptException else each for each in results]

    def one_is_done(self, child: Future) -> None:
        """A child is done, within an access."""
        state: GatheringState = self.state
        self.state = state = state._replace(left=state.left - 1)
        if state.outcome is not None:
            if not child.was_cancelled():
                child.error()
            return
        if not state.return_exceptions:
            kept = _error_of(child)
            if kept is not None:
                self.complete(EXCEPTION, kept)
                return
        if state.left == 0:
            results = tuple([_result_of(each) for each in state.children])
            if state.cancel_requested:
                self.complete(EXCEPTION, KeptException.of(asyncio.CancelledError()))
            else:
                self.complete(RESULT, results)


def _error_of(child: Future) -> KeptException | None:
    if child.was_cancelled():
        return KeptException.of(asyncio.CancelledError(*child.state.outcome.value))
    return child.error()


def _result_of(child: Future) -> Any:
    kept = _error_of(child)
    return child.take_result() if kept is None else kept


@in_words("end of")
def child_is_done(child: Future, outer: Gathering) -> None:
    """What the loop calls when a future is done that is gathered."""
    outer.operate("", lambda: outer.one_is_done(child))


def gather(*coros_or_futures: Any, return_exceptions: bool = False) -> Any:
    """`asyncio.gather`."""
    port = current_port()
    if not coros_or_futures:
        owner = port.tasks.as_owner(usual_loop())
        return port.make(Kind(Gathering), GatheringState(Outcome(RESULT, ()), loop=owner))
    known: list[tuple[Any, Future]] = []
    children: list[Future] = []
    for each in coros_or_futures:
        found = next((future for given, future in known if given is each), None)
        if found is None:
            found = ensure_future(each)
            known.append((each, found))
        children.append(found)
    single = tuple(dict.fromkeys(children))
    state = GatheringState(
        loop=owner_of(single),
        children=tuple(children),
        left=len(single),
        return_exceptions=return_exceptions,
    )
    outer: Gathering = port.make(Kind(Gathering), state)

    def effect() -> None:
        done = [child for child in single if child.is_done()]
        for child in single:
            if child not in done:
                child.call_when_done((child_is_done, (child, outer)))
        for child in done:
            outer.one_is_done(child)

    outer.operate("gather", effect)
    return outer


# wait

FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED = (
    asyncio.FIRST_COMPLETED,
    asyncio.FIRST_EXCEPTION,
    asyncio.ALL_COMPLETED,
)


class WaitingState(NamedTuple):
    """What a task waits for in `wait`: how many callbacks are still to come, until when."""

    outcome: Outcome | None = None
    callbacks: tuple[Any, ...] = ()
    retrieved: bool = True
    loop: Any = None
    left: int = 0
    return_when: str = ALL_COMPLETED
    has_timer: bool = False


class Waiting(Future):
    """The future that a task waits for in `wait`."""

    is_internal = True

    def one_is_done(self, child: Future) -> None:
        """A future that it waits for is done, within an access."""
        left, when = self.state.left - 1, self.state.return_when
        self.state = self.state._replace(left=left)
        failed = when == FIRST_EXCEPTION and not child.was_cancelled() and child.error() is not None
        if left <= 0 or when == FIRST_COMPLETED or failed:
            self.release()

    def release(self) -> None:
        """The task need wait no longer, within an access."""
        if self.state.has_timer:
            current_port().tasks.loop.stop_timer((wait_expires, (self,)))
        if not self.is_done():
            self.complete(RESULT)


@in_words("end of")
def awaited_is_done(child: Future, waiting: Waiting) -> None:
    """What the loop calls when a future is done that a task waits for in `wait`."""
    waiting.operate("", lambda: waiting.one_is_done(child))


@in_words("time is up for")
def wait_expires(waiting: Waiting) -> None:
    """What the loop calls when the time of a `wait` is up."""
    waiting.operate("", waiting.release)


@coroutine
def wait(fs: Any, timeout: Any = None, return_when: str = ALL_COMPLETED) -> Any:
    """`asyncio.wait`. It suspends the task, whatever is done already."""
    if is_coroutine(fs) or isinstance(fs, Future):
        raise TypeError(f"expect a list of futures, not {type(fs).__name__}")
    if not fs:
        raise ValueError("Set of Tasks/Futures is empty.")
    if return_when not in (FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED):
        raise ValueError(f"Invalid return_when value: {return_when}")
    futures = list(dict.fromkeys(fs))
    if any(map(is_coroutine, futures)):
        raise TypeError("Passing coroutines is forbidden, use tasks explicitly.")
    has_timer = timeout is not None
    state = WaitingState(
        loop=owner_of(futures, current_port().tasks.loop),
        left=len(futures),
        return_when=return_when,
        has_timer=has_timer,
    )
    waiting: Waiting = current_port().make(Kind(Waiting), state)

    def begin() -> None:
        if has_timer:
            current_port().tasks.loop.start_timer((wait_expires, (waiting,)))
        for each in futures:
            each.call_when_done((awaited_is_done, (each, waiting)))
        park(waiting)

    def go_on() -> list[bool]:
        try:
            resumed()
        finally:
            loop = current_port().tasks.loop
            if has_timer:
                loop.stop_timer((wait_expires, (waiting,)))
            for each in futures:
                handle = (awaited_is_done, (each, waiting))
                if not each.call_no_more(handle):
                    loop.stop_timer(handle)  # it would do nothing any more
        return [each.is_done() for each in futures]

    waiting.operate("wait", begin)
    done = resume(waiting, "wait", go_on)
    ended = [each for each, is_done in zip(futures, done, strict=True) if is_done]
    rest = [each for each, is_done in zip(futures, done, strict=True) if not is_done]
    return OrderedSet(ended), OrderedSet(rest)


# shield


def shield(arg: Any) -> Any:
    """`asyncio.shield`."""
    inner = ensure_future(arg)
    port = current_port()
    if inner.operate("shield", inner.is_done):
        return inner
    outer: Future = port.make(Kind(Future), FutureState(loop=owner_of([inner])))

    def effect() -> None:
        inner.call_when_done((inner_is_done, (inner, outer)))
        outer.call_when_done((outer_is_done, (outer, inner)))

    outer.operate("shield", effect)
    return outer


@in_words("end of")
def inner_is_done(inner: Future, outer: Future) -> None:
    """What the loop calls when a future is done that is shielded."""

    def effect() -> None:
        if outer.was_cancelled():
            if not inner.was_cancelled():
                inner.error()
        elif inner.was_cancelled():
            outer.request_cancel(())
        elif not outer.is_done():
            kept = inner.error()
            outer.call_no_more((outer_is_done, (outer, inner)))  # it would do nothing
            if kept is None:
                outer.complete(RESULT, inner.take_result())
            else:
                outer.complete(EXCEPTION, kept)

    outer.operate("", effect)


@in_words("end of")
def outer_is_done(outer: Future, inner: Future) -> None:
    """What the loop calls when the shield of a future is gone."""

    def effect() -> None:
        if not inner.is_done():
            inner.call_no_more((inner_is_done, (inner, outer)))

    inner.operate("", effect)


# as_completed


class NextCompleted(LibraryCoroutine):
    """One of the awaitables of `as_completed`, which really are made one by one."""

    is_missed = False


NextCompleted.__name__ = "coroutine"


class Completing(Queue):
    """The queue of what is done that `as_completed` has: (future,), or () for time that is up."""

    is_internal = True


def as_completed(fs: Iterable[Any], *, timeout: float | None = None) -> list[Any]:
    """`asyncio.as_completed`: awaitables, in the order in which futures get done."""
    if is_coroutine(fs) or isinstance(fs, Future):
        raise TypeError(f"expect an iterable of futures, not {type(fs).__name__}")
    given = tuple(dict.fromkeys(fs))
    places = current_port().access(
        AccessKind("as_completed"),
        lambda: current_port().tasks.loop.in_any_order(tuple(range(len(given)))),
    )
    futures = list(dict.fromkeys([ensure_future(given[place]) for place in places]))
    owner_of(futures, current_port().tasks.loop)
    queue: Completing = current_port().make(Kind(Completing), QueueState((), 0, 0))

    def effect() -> None:
        for each in futures:
            each.call_when_done((completed, (each, queue, tuple(futures))))
        if timeout is not None and futures:
            current_port().tasks.loop.start_timer((completion_expires, (queue, tuple(futures))))

    queue.operate("as_completed", effect)
    return [NextCompleted(next_completed, {"queue": queue}) for _ in futures]  # type: ignore[arg-type]


@in_words("end of")
def completed(future: Future, queue: Completing, futures: tuple[Future, ...]) -> None:
    """What the loop calls when a future is done that `as_completed` was given."""

    def effect() -> None:
        queue._put((future,))
        if all(each.is_done() for each in futures):
            current_port().tasks.loop.stop_timer((completion_expires, (queue, futures)))

    queue.operate("", effect)


@in_words("time is up for")
def completion_expires(queue: Completing, futures: tuple[Future, ...]) -> None:
    """What the loop calls when the time of `as_completed` is up."""

    def effect() -> None:
        for each in futures:
            handle = (completed, (each, queue, futures))
            waits = each.call_no_more(handle)
            if waits or current_port().tasks.loop.stop_timer(handle):
                queue._put(())

    queue.operate("", effect)


def next_completed(queue: Completing) -> Any:
    """What awaiting the next of them gives."""
    found: tuple[Future, ...] = Queue.get(queue).run()
    if not found:
        raise TimeoutError
    return found[0].result()
