"""`sys.stdout` and `sys.stderr` as the code of a model has them, and all code that it calls.

What is written to the former, by whatever way, is printed. Nobody looks at the latter.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable
from typing import Any

from interleave.errors import ModelError
from interleave.interrupts import whole
from interleave.memory.port import current_port, running_port, using_port
from interleave.memory.values import Same, register_immutable


class Stream:
    """One of the two. Where no thread or property runs, a file is imported, and what it writes goes
    to standard error.
    """

    encoding = "utf-8"
    errors = "strict"
    closed = False

    def __init__(self, name: str) -> None:
        self.name = f"<{name}>"
        self._name = name

    def write(self, text: str) -> int:
        """Write a text, as one operation."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if running_port() is None:
            sys.stderr.write(text)
        elif self is OUT:
            current_port().meaning(builtins.print, "print")(text, end="")
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts, one by one."""
        for each in lines:
            self.write(each)

    def flush(self) -> None:
        """Nothing is kept back."""

    def isatty(self) -> bool:
        """It is none."""
        return False

    readable = isatty

    def writable(self) -> bool:
        """It is."""
        return True

    def __getattr__(self, name: str) -> Any:
        if running_port() is None:
            return getattr(sys.__stderr__, name)
        if hasattr(sys.__stderr__, name):
            current_port().halt(
                ModelError(
                    f"{name} of sys.{self._name} has no modelled counterpart",
                    remedy="a model can use: write, writelines, flush, isatty",
                )
            )
        raise AttributeError(f"'_io.TextIOWrapper' object has no attribute {name!r}")


OUT, ERROR = Stream("stdout"), Stream("stderr")

register_immutable(Stream, lambda _, value: (Stream, Same(value)), lambda _, key: key[1].it)


def stream_for(value: object) -> Stream | None:
    """What stands for a real stream; None for anything else."""
    if value is sys.stdout or value is sys.__stdout__:
        return OUT
    return ERROR if value is sys.stderr or value is sys.__stderr__ else None


class running(using_port):
    """`with running(port):` makes it the current one, and has all code write to these streams."""

    __slots__ = ("_before",)

    @whole
    def __enter__(self) -> None:
        super().__enter__()
        self._before = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = OUT, ERROR

    @whole
    def __exit__(self, *_: object) -> None:
        sys.stdout, sys.stderr = self._before
        super().__exit__()
