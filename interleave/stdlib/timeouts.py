"""Timeouts. A model has no clock: one may expire at any moment. But not every value is one."""

from __future__ import annotations

import threading


def check_timeout(timeout: float | None) -> None:
    """Raise what a real lock raises where it cannot be waited for so long."""
    if timeout is not None and timeout > 0:
        threading.Lock().acquire(True, timeout)
