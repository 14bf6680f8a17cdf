"""What ends a check that cannot end itself: code in C that does not come back.

`sum(range(10**12))` in a model holds the interpreter's lock. No thread of this process comes to run
then, nor does the handler of any signal that is written in Python. So a second process looks on: it
is told what is known, and how long the code of the model may run. When that is over it writes what
is known, and ends the first one.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import struct
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

from interleave import interrupts
from interleave.descendants import descendants, end_all
from interleave.engine.resources import resident

LOOK_EVERY = 0.1
"""Seconds from one look to the next."""

PATIENCE = 1.0
"""Seconds after the deadline in which code in Python is ended by the process that runs it."""

LAST_WORDS = 10.0
"""Seconds that the process is given to end by a signal, on a busy machine too."""

_HEAD = struct.Struct("<QQB")
"""Before the last words: how long they are, for both outputs, and the exit code with them."""


class Watchdog:
    """Looks on from a process of its own; where there is no `fork`, nobody does."""

    def __init__(self, memory: int | None) -> None:
        self._pipe = -1
        self._process = 0
        if not hasattr(os, "fork"):
            return
        cells = memoryview(mmap.mmap(-1, 64)).cast("d")
        read, self._pipe = os.pipe()
        worker = os.getpid()
        _end_by_signals()
        self._process = os.fork()
        if not self._process:
            os.close(self._pipe)
            _look_on(worker, read, cells, memory)
        os.close(read)
        interrupts.tell(cells)

    def know(self, text: str, exit_code: int, *, message: str = "") -> None:
        """What is to be written, to standard error too, and how to end, if nothing more comes."""
        if self._process:
            parts = [each.encode(errors="replace") for each in (text, message)]
            head = _HEAD.pack(*map(len, parts), exit_code)
            try:
                _write(self._pipe, head + b"".join(parts))
            except OSError:  # somebody has ended it
                self.close()

    def close(self) -> None:
        """Look on no more."""
        if self._process:
            interrupts.tell(None)
            os.close(self._pipe)
            os.waitpid(self._process, 0)
            self._process = 0


def _end_by_signals() -> None:
    """Have signals end this process with their number as the exit code, by a handler in C.

    SIGQUIT is 3, which is our exit code for what is inconclusive, and SIGHUP is 1.
    """
    import ctypes

    library: Any = ctypes.CDLL(None)
    library.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    library.signal.restype = ctypes.c_void_p
    for number in (signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_DFL:
            library.signal(number, ctypes.cast(library._exit, ctypes.c_void_p))


def _look_on(worker: int, read: int, cells: memoryview[float], memory: int | None) -> NoReturn:
    """Wait for the end of a process; or end it, when code that it runs has taken too much."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(each, signal.SIG_IGN)  # they are for the other process
    text, message, exit_code = b"", b"", 3
    run, since = 0.0, time.monotonic()
    try:
        while True:
            if select.select([read], [], [], LOOK_EVERY)[0]:
                head = _read(read, _HEAD.size)
                if not head:
                    break
                *lengths, exit_code = _HEAD.unpack(head)
                text, message = (_read(read, length) for length in lengths)
            now, (present, deadline) = time.monotonic(), cells[:2]
            if present != run or not run:
                run, since = present, now
                continue
            too_late = deadline and now > max(deadline, since) + PATIENCE
            too_large = memory and now > since + PATIENCE and resident(worker) > memory
            if too_late or too_large:
                for file, words in ((_file_of_reports(), text), (2, message)):
                    with suppress(OSError):
                        _write(file, words)
                _end(worker, exit_code)
                break
    finally:
        os._exit(0)


def _file_of_reports() -> int:
    """Where reports go, which is not 1 where that is kept from what a model writes to it."""
    try:
        return sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return 1


def _end(process: int, exit_code: int) -> None:
    """End a process with an exit code, if it may be ended so; by force, if not."""
    left = [each for each in descendants(process) if each != os.getpid()]
    number = signal.SIGHUP if exit_code == 1 else signal.SIGQUIT
    for each in (number, signal.SIGQUIT, signal.SIGKILL):
        os.kill(process, each)
        patience = time.monotonic() + LAST_WORDS
        while time.monotonic() < patience:
            if os.getppid() != process:
                end_all(left)
                return
            time.sleep(0.01)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _read(file: int, length: int) -> bytes:
    """So many bytes; fewer at the end of the file."""
    parts = b""
    while len(parts) < length and (part := os.read(file, length - len(parts))):
        parts += part
    return parts
