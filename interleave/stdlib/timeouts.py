"""Timeouts: one may expire at any moment. But not every value is one; and where the model reads the
clock, it shows by then that the time has passed.
"""

from __future__ import annotations

import threading
from typing import Any

from interleave.memory.port import AccessKind, current_port


def check_timeout(timeout: float | None) -> None:
    """Raise what a real lock raises where it cannot be waited for so long."""
    if timeout is not None and timeout > 0:
        threading.Lock().acquire(True, as_plain(timeout))


def as_plain(timeout: Any) -> float:
    """A number of Python's own in the place of one that depends on readings of the clock."""
    if type(timeout).__module__ != "interleave.memory.clock":
        return timeout  # type: ignore[no-any-return]
    return 1.0 if timeout >= 0 else -2.0


def begin_waiting(timeout: Any) -> Any:
    """The moment at which a wait begins that ends after `timeout`; None where it does not matter.

    No access: that a wait begins nobody sees.
    """
    port = current_port()
    if timeout is None or not port.has_clock:
        return None
    return port.access(AccessKind(""), port.clock.begin, private=True)


def note_expired(since: Any, timeout: Any) -> None:
    """Within an access: the time has passed that a wait was to take which has begun at `since`."""
    if since is not None:
        from interleave.memory.clock import limit_of

        current_port().clock.pass_until(limit_of(since, timeout))
