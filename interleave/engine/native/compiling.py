"""Compiling the kernel, which takes a while for the first time.

numba keeps what it has compiled beside the package, or, where nothing can be written there, in the
user's cache directory.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds after which it is said what takes so long. What was compiled before loads in less."""

_announced = threading.Event()


@contextmanager
def announced() -> Iterator[None]:
    """Say what is being done if it takes long: once, on standard error."""
    timer = threading.Timer(PATIENCE, _announce)
    timer.daemon = True
    if not _announced.is_set():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _announce() -> None:
    if not _announced.is_set():
        _announced.set()
        print(
            "interleave: compiling the native engine: each part when it is first needed, once for "
            "this installation; all of it takes about a minute",
            file=sys.stderr,
        )
