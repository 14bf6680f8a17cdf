"""Ctrl-C while the command starts: there is nothing to report yet, and no traceback is one.

Imported before all else, so it imports next to nothing.
"""

from __future__ import annotations

import os
import signal
from os import _exit

EXIT_INTERRUPTED = 3
"""What an interrupt is to the command: inconclusive."""


def end_at_once(*_: object) -> None:
    """What SIGINT does until the command listens to it."""
    os.write(2, b"interrupted\n")
    _exit(EXIT_INTERRUPTED)


def end_by_interrupts() -> None:
    """Have Ctrl-C end this process from now on, unless somebody has decided otherwise."""
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, end_at_once)
