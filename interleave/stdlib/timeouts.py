"""Timeouts: one may expire at any moment. But not every value is one; and where the model reads the
clock, it shows by then that the time has passed.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from interleave.memory.port import AccessKind, current_port


def check_timeout(timeout: float | None) -> None:
    """Raise what a real lock raises where it cannot be waited for so long."""
    if timeout is not None and timeout > 0:
        threading.Lock().acquire(True, as_plain(timeout))


def as_plain(timeout: Any) -> float:
    """A number of Python's own in the place of one that depends on readings of the clock."""
    if type(timeout).__module__ != "interleave.memory.clock":
        return timeout
    return 1.0 if timeout >= 0 else -2.0


class Waiting(NamedTuple):
    """A wait, with the moment at which it has begun; that is None where no code reads the clock."""

    timeout: Any
    since: Any = None

    @property
    def limit(self) -> Any:
        """What the clock shows when the timeout comes, at least; None where nobody reads it."""
        if self.since is None:
            return None
        from interleave.memory.clock import limit_of

        return limit_of(self.since, self.timeout)

    def expire(self) -> None:
        """The timeout comes, within an access: by now the time has passed."""
        if self.since is not None:
            current_port().clock.pass_until(self.limit)


def begin_waiting(timeout: Any) -> Waiting:
    """A wait that begins, and ends after `timeout` if that is not None; or one that has begun.

    No step: that a wait begins nobody sees.
    """
    if type(timeout) is Waiting:
        return timeout
    port = current_port()
    is_over = type(timeout) in (int, float) and timeout <= 0
    if timeout is None or is_over or not port.has_clock:
        return Waiting(timeout)
    return Waiting(timeout, port.access(AccessKind(""), port.clock.begin, private=True))
