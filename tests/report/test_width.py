"""A report is as wide as the terminal that it is written to."""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest

MODEL = """
from interleave import Model, thread

class M(Model):
    total_of_everything_that_was_counted = 0

    @thread(2)
    def increments_the_counter(self):
        seen = self.total_of_everything_that_was_counted
        self.total_of_everything_that_was_counted = seen + 1
"""


@pytest.mark.parametrize("width", [60, 160])
def test_a_report_is_as_wide_as_the_terminal(tmp_path: Path, width: int) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    command = [sys.executable, "-m", "interleave", "check", "model.py"]
    unset = ("COLUMNS", "LINES")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment["NO_COLOR"] = "1"
    running = subprocess.Popen(
        command, cwd=tmp_path, stdout=theirs, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(theirs)
    text = b""
    try:
        while part := os.read(ours, 65536):
            text += part
    except OSError:  # what Linux says at the end
        pass
    finally:
        os.close(ours)
    running.wait()
    _verdict, *lines = text.decode().splitlines()  # the verdict is one line, however long
    widths = [len(line) for line in lines]
    assert width - 80 < max(widths) <= width
