"""Running one command, and measuring it: wall time, processor time, peak memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    wall: float
    """Seconds from the start of the process to its end."""
    cpu: float
    """Seconds of processor time, of all its threads together."""
    peak: int
    """Bytes of memory at most (resident set size)."""
    code: int
    """Its exit code; negative: the signal that ended it."""
    out: str
    err: str
    stopped: bool
    """It took too long, and was stopped."""


class Failed(Exception):
    """A command that should have succeeded did not."""


def measure(
    command: Sequence[str | Path], folder: Path | None = None, limit: float | None = None
) -> Finished:
    """Run a command to its end, or stop it after `limit` seconds."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - the commands are our own
            list(map(str, command)), cwd=folder, stdout=out, stderr=err
        )
        inherited = _peak_of("self")
        watch = _Watch(process.pid, limit)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        watch.end()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        peak = usage.ru_maxrss * 1024
        # What the system says of a child is never less than what its parent had.
        if peak <= inherited and watch.peak:
            peak = watch.peak
        return Finished(
            wall=wall,
            cpu=usage.ru_utime + usage.ru_stime,
            peak=peak,
            code=process.returncode,
            out=out.read(),
            err=err.read(),
            stopped=watch.stopped,
        )


def succeed(
    command: Sequence[str | Path], folder: Path | None = None, limit: float | None = None
) -> Finished:
    """The same for a command that must end with exit code 0, or be stopped. Raises `Failed`."""
    finished = measure(command, folder, limit)
    if finished.code != 0 and not finished.stopped:
        said = (finished.err.strip() or finished.out.strip())[-2000:]
        raise Failed(f"exit code {finished.code}\n{' '.join(map(str, command))}\n{said}")
    return finished


class _Watch(threading.Thread):
    """Looks at a process now and then: how much memory it took, and whether it takes too long."""

    def __init__(self, process: int, limit: float | None) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.stopped = False
        self._process = process
        self._deadline = None if limit is None else time.perf_counter() + limit
        self._over = threading.Event()

    def run(self) -> None:
        pause = 0.001
        while not self._over.wait(pause):
            pause = min(pause * 1.5, 0.1)  # seldom, so as not to disturb what is measured
            self.peak = _peak_of(str(self._process)) or self.peak
            if self._deadline is not None and time.perf_counter() > self._deadline:
                self.stopped = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process, signal.SIGKILL)
                return

    def end(self) -> None:
        """The process has ended."""
        self._over.set()
        self.join()


def _peak_of(process: str) -> int:
    """Bytes that a process had at most so far; 0 where that cannot be told."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
