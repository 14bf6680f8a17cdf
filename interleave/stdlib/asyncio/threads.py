"""`to_thread` and `run_in_executor`: a function of the model, run by a real thread.

After Lib/asyncio/threads.py and base_events.py of CPython 3.12. The thread goes on when whoever
awaits it is cancelled. An executor has as many threads as it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interleave.memory.coroutine import coroutine
from interleave.memory.port import AccessKind, current_port
from interleave.stdlib import contextvars
from interleave.stdlib.asyncio.futures import EXCEPTION, RESULT, Future, KeptException, make_future
from interleave.stdlib.threads import make_thread


@coroutine
def to_thread_call(func: Any, args: Any, kwargs: Any) -> Any:
    """What a task does that awaits `to_thread`."""
    loop = current_port().tasks.loop
    return start(loop, func, args, kwargs, contextvars.given_or_copied(None))._await()


def to_thread(func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """`asyncio.to_thread`: the thread starts where that is awaited."""
    return to_thread_call(func, args, tuple(kwargs.items()))


def run_in_executor(loop: Any, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
    """`loop.run_in_executor`: the thread starts now."""
    return start(loop, func, args, (), None, is_of_loop=executor is None)


def start(
    loop: Any,
    func: Callable[..., Any],
    args: Any,
    kwargs: Any,
    context: Any,
    *,
    is_of_loop: bool = True,
) -> Future:
    """Start a thread that runs a function, in a context; a future of `loop` for what that gives.

    `is_of_loop`: `asyncio.run` waits for its end, where a thread has made the loop.
    """
    future = make_future(loop=loop)
    thread = make_thread(target=executor, args=(func, args, kwargs, future), daemon=True)
    if context is not None:
        port = current_port()
        kind = AccessKind("", port.context(thread.runs))
        port.access(kind, lambda: contextvars.begin_in(context, thread.runs), private=True)
    if is_of_loop and not loop.is_declared:
        loop.operate("", lambda: loop.gets_help_of(thread.runs))
    thread.start()
    return future


def executor(func: Any, args: Any, kwargs: Any, future: Any) -> None:
    """What such a thread runs, block by block."""
    try:
        result = func(*args, **dict(kwargs))
    except BaseException as error:
        tell_error(future, error)
    else:
        tell(future, result)


def tell(future: Future, result: Any) -> None:
    """The function has returned."""
    _complete(future, RESULT, lambda: result)


def tell_error(future: Future, error: BaseException) -> None:
    """The function has raised an exception."""
    _complete(future, EXCEPTION, lambda: KeptException.of(error))


def _complete(future: Future, how: str, value: Callable[[], Any]) -> None:
    def effect() -> None:
        loop = future.owning_loop()
        if not loop.is_declared:
            loop.has_no_more_help_of(current_port().thread)
            if loop.state.is_closed:
                return  # what the pool logs then, nobody sees
        if not future.is_done():
            future.complete(how, value(), threadsafe=True)

    future.operate("end of thread", effect)
