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
"""Before last words: at which end, how long they are, for both outputs, and the signal after it."""

EXIT_INCONCLUSIVE = 3

_OVER = 255
"""In place of an end: there is nothing more to look on."""

End = Literal["limit", "interrupt"]
_ENDS: tuple[End, ...] = ("limit", "interrupt")
_INTERRUPTS = bytes((signal.SIGINT, signal.SIGTERM))


class _Words(NamedTuple):
    """What is written at an end, to both outputs, and the signal that ends the process."""

    text: bytes = b""
    message: bytes = b""
    signal: int = 0


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
        self._ends = _Ends()
        usual = self._ends.signal_for(EXIT_INCONCLUSIVE)
        self._process = os.fork()
        if not self._process:
            os.close(self._pipe)
            _look_on(worker, read, self._signals[0], cells, memory, usual)
        os.close(read)
        signal.set_wakeup_fd(self._signals[1], warn_on_full_buffer=False)
        interrupts.tell(cells)

    def know(self, end: End, text: str, exit_code: int, *, message: str = "") -> None:
        """What is to be written, to standard error too, and how to end, if nothing more comes until
        a limit is reached, or somebody wants it to end.
        """
        if self._process:
            parts = [each.encode(errors="replace") for each in (text, message)]
            head = _HEAD.pack(_ENDS.index(end), *map(len, parts), self._ends.signal_for(exit_code))
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


class _Ends:
    """Signals that end this process with an exit code, by handlers in C."""

    def __init__(self) -> None:
        self._signals: dict[int, int] = {}
        self._spare = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGVTALRM]
        self._engines: list[Any] = []
        """They have the compiled handlers, for as long as the process lasts."""

    def signal_for(self, exit_code: int) -> int:
        """The signal that ends this process with an exit code; 0 where none can.

        To end with the number of a signal is a function of the C library, and SIGHUP is 1, SIGQUIT
        is 3. For other exit codes, and where the process is to ignore these, as under `nohup` or in
        the background of a script, a function is compiled, and a signal taken that nobody sends.
        """
        if exit_code not in self._signals:
            self._signals[exit_code] = self._arrange(exit_code)
        return self._signals[exit_code]

    def _arrange(self, exit_code: int) -> int:
        import ctypes

        library: Any = ctypes.CDLL(None)
        library.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
        library.signal.restype = ctypes.c_void_p
        for number in (signal.SIGHUP, signal.SIGQUIT):
            if number == exit_code and signal.getsignal(number) == signal.SIG_DFL:
                library.signal(number, ctypes.cast(library._exit, ctypes.c_void_p))
                return number
        while self._spare:
            number = self._spare.pop(0)
            if signal.getsignal(number) == signal.SIG_DFL:
                with suppress(ImportError):
                    library.signal(number, self._compiled(exit_code))
                    return number
        return 0

    def _compiled(self, exit_code: int) -> int:
        """The address of a handler that ends the process. Raises `ImportError` without LLVM."""
        from llvmlite import binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        code = f"""
        declare void @_exit(i32)
        define void @end(i32 %signal) {{
            call void @_exit(i32 {exit_code})
            unreachable
        }}
        """
        machine = llvm.Target.from_default_triple().create_target_machine()
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(code), machine)
        engine.finalize_object()
        self._engines.append(engine)
        return int(engine.get_function_address("end"))


def _look_on(
    worker: int,
    read: int,
    signals: int,
    cells: memoryview[float],
    memory: int | None,
    usual: int,
) -> NoReturn:
    """Wait for the end of a process; or end it, when code that it runs has taken too much, or does
    not come back when it is wanted to. `usual` is the signal by which it is inconclusive.
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
                end, *lengths, number = _HEAD.unpack(head)
                text, message = (_read(read, length) for length in lengths)
                known[_ENDS[end]] = _Words(text, message, number)
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
                _end(worker, [words.signal, usual])
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


def _end(process: int, signals: list[int]) -> None:
    """End a process by the first of the signals that does it; by force, if none does."""
    left = [each for each in descendants(process) if each != os.getpid()]
    for each in dict.fromkeys([*filter(None, signals), signal.SIGKILL]):
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
