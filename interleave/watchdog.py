"""What ends a check that cannot end itself: code in C that does not come back.

`sum(range(10**12))` in a model holds the interpreter's lock. No thread of this process comes to run
then, nor does the handler of any signal that is written in Python. So a second process looks on: it
is told what is known, how long the code of the model may run, and of each signal when it comes
(`signal.set_wakeup_fd`). When the time is over, or somebody wants it to end, it writes what is
known, and ends the first one.
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
from typing import Any, Literal, NamedTuple, NoReturn

from interleave import interrupts
from interleave.descendants import descendants, end_all
from interleave.engine.resources import resident

LOOK_EVERY = 0.1
"""Seconds from one look to the next."""

PATIENCE = 1.0
"""Seconds after the deadline, or a signal, in which code in Python is ended by the process that
runs it.
"""

LAST_WORDS = 10.0
"""Seconds that the process is given to end by a signal, on a busy machine too."""

_HEAD = struct.Struct("<BQQB")
"""Before last words: at which end, how long they are, for both outputs, and the exit code."""

_OVER = 255
"""In place of an end: there is nothing more to look on."""

End = Literal["limit", "interrupt"]
_ENDS: tuple[End, ...] = ("limit", "interrupt")
_INTERRUPTS = bytes((signal.SIGINT, signal.SIGTERM))


class _Words(NamedTuple):
    """What is written at an end, to both outputs, and the exit code."""

    text: bytes = b""
    message: bytes = b""
    exit_code: int = 3


class Watchdog:
    """Looks on from a process of its own; where there is no `fork`, nobody does."""

    def __init__(self, memory: int | None) -> None:
        self._pipe = -1
        self._process = 0
        self._signals: tuple[int, int] = (-1, -1)
        if not hasattr(os, "fork"):
            return
        cells = memoryview(mmap.mmap(-1, 64)).cast("d")
        read, self._pipe = os.pipe()
        self._signals = os.pipe()
        for end in self._signals:
            os.set_blocking(end, False)
        worker = os.getpid()
        _end_by_signals()
        self._process = os.fork()
        if not self._process:
            os.close(self._pipe)
            _look_on(worker, read, self._signals[0], cells, memory)
        os.close(read)
        signal.set_wakeup_fd(self._signals[1], warn_on_full_buffer=False)
        interrupts.tell(cells)

    def know(self, end: End, text: str, exit_code: int, *, message: str = "") -> None:
        """What is to be written, to standard error too, and how to end, if nothing more comes until
        a limit is reached, or somebody wants it to end.
        """
        if self._process:
            parts = [each.encode(errors="replace") for each in (text, message)]
            head = _HEAD.pack(_ENDS.index(end), *map(len, parts), exit_code)
            try:
                _write(self._pipe, head + b"".join(parts))
            except OSError:  # somebody has ended it
                self.close()

    def close(self) -> None:
        """Look on no more."""
        if self._process:
            interrupts.tell(None)
            signal.set_wakeup_fd(-1)
            # A process that the model has started may keep the pipe open.
            with suppress(OSError):
                _write(self._pipe, _HEAD.pack(_OVER, 0, 0, 0))
            for each in (self._pipe, *self._signals):
                os.close(each)
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


def _look_on(
    worker: int, read: int, signals: int, cells: memoryview[float], memory: int | None
) -> NoReturn:
    """Wait for the end of a process; or end it, when code that it runs has taken too much, or does
    not come back when it is wanted to.
    """
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(each, signal.SIG_IGN)  # they are for the other process
    known = dict.fromkeys(_ENDS, _Words())
    run, since, wanted = 0.0, time.monotonic(), 0.0
    try:
        while os.getppid() == worker:  # a process that the model has started may keep the pipe open
            if select.select([read], [], [], LOOK_EVERY)[0]:
                head = _read(read, _HEAD.size)
                if not head or head[0] == _OVER:
                    break
                end, *lengths, exit_code = _HEAD.unpack(head)
                text, message = (_read(read, length) for length in lengths)
                known[_ENDS[end]] = _Words(text, message, exit_code)
            now, (present, deadline) = time.monotonic(), cells[:2]
            wanted = wanted or (now if _is_interrupted(signals) else 0.0)
            if present != run or not run:
                run, since = present, now
                continue
            is_wanted = wanted and now > max(wanted, since) + PATIENCE
            too_late = deadline and now > max(deadline, since) + PATIENCE
            too_large = memory and now > since + PATIENCE and resident(worker) > memory
            if is_wanted or too_late or too_large:
                words = known["interrupt" if is_wanted else "limit"]
                for file, part in ((_file_of_reports(), words.text), (2, words.message)):
                    with suppress(OSError):
                        _write(file, part)
                _end(worker, words.exit_code)
                break
    finally:
        os._exit(0)


def _is_interrupted(signals: int) -> bool:
    """Whether one of the signals that have come since the last time wants the process to end."""
    came = b""
    with suppress(BlockingIOError):
        came = os.read(signals, 1 << 16)
    return any(each in _INTERRUPTS for each in came)


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
