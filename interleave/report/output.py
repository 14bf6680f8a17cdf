"""Standard output and standard error, which may be full, closed, or read by nobody any more.

Whatever becomes of them, a check goes on, and its exit code says what it found.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click


class Output:
    """What standard output is at the beginning: code of the model's may replace it."""

    def __init__(self) -> None:
        self._stream = sys.stdout
        self._is_lost = self._stream is None
        self.failure = ""
        """Why it cannot be written to, in words; "" where it can, or its reader has left."""

    def write(self, text: str, *, color: bool | None = None) -> None:
        """Write a text, with a newline at its end."""
        if self._is_lost:
            return
        try:
            click.echo(text, file=self._stream, color=color)
        except BrokenPipeError:  # whoever reads it has read enough
            self._give_up()
        except (OSError, ValueError) as error:
            self.failure = f"the report cannot be written: {error}"
            self._give_up()

    def _give_up(self) -> None:
        """Have what is still to be written go nowhere, also what Python writes at its end."""
        self._is_lost = True
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


def tell(text: str) -> None:
    """Write a line to standard error, if there is one."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True)
