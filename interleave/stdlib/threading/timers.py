"""`Timer`, made and started by a running thread.

After docs.python.org/3.12/library/threading.html#timer-objects. A timer comes due at any
moment after it was started, unless it was cancelled before; then the clock shows that it is time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from interleave.errors import ModelError
from interleave.stdlib.threads import Made, Thread, captured, made_thread
from interleave.stdlib.timeouts import Waiting, begin_waiting


class Timer(Thread):
    """`threading.Timer`."""

    stands_for = (threading.Timer,)
    besides = frozenset({"args", "finished", "function", "interval", "kwargs"})

    def entry(self, made: Made) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        return run, (self, made.target, made.args, made.kwargs), {}

    def cancel(self) -> None:
        """Have it do nothing, if it has not come due."""

        def effect() -> None:
            self.state = self.state._replace(cancelled=True)

        self.operate("cancel", effect)

    def comes_due(self, waiting: Waiting) -> bool:
        """Whether it does what it is for: it may at any moment, unless it was cancelled."""

        def effect() -> bool:
            if self.state.cancelled:
                return False
            waiting.expire()
            return True

        return bool(self.operate("come due", effect))


def run(
    timer: Timer,
    function: Callable[..., Any],
    interval_and_args: tuple[Any, ...],
    kwargs: tuple[tuple[str, Any], ...],
) -> None:
    """What the thread of a timer runs."""
    interval, *args = interval_and_args
    if timer.comes_due(begin_waiting(interval)):
        function(*args, **dict(kwargs))


def make_timer(
    interval: float,
    function: Callable[..., Any],
    args: Iterable[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Thread:
    """`threading.Timer(...)` in a running thread."""
    return made_thread(Timer, function, (interval, *(args or ())), kwargs)


def capture_timer(walk: Any, real: threading.Timer, path: str) -> Any:
    """The stand-in of a timer that `setup` has made. See `program.capture`."""
    runs = real.function, (real.interval, *real.args), tuple(real.kwargs.items())
    made = captured(walk, Timer, real, path, runs)
    if real.finished.is_set():
        raise ModelError(
            f"{path} is a Timer that was cancelled before the threads start",
            remedy="leave it out",
        )
    return made
