"""`sys.stdout` and `sys.stderr` as the code of a model has them, and all code that it calls.

What is written to the former, by whatever way, is printed. Nobody looks at the latter. Code that
runs before the threads do has them too: what keeps one, a handler of `logging` say, has that.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from interleave.errors import ModelError
from interleave.interrupts import whole
from interleave.memory.port import current_port, running_port, using_port
from interleave.memory.values import Same, register_immutable


class Stream:
    """One of the two. Where no thread or property runs, a file is imported or set up, and what it
    writes goes to `real`: standard error, unless another one is named.
    """

    encoding = "utf-8"
    errors = "strict"
    closed = False

    def __init__(self, name: str) -> None:
        self.name = f"<{name}>"
        self._name = name
        self.real: TextIO | None = None

    def write(self, text: str) -> int:
        """Write a text, as one operation."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if running_port() is None:
            self._behind().write(text)
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
            return getattr(self._behind(), name)
        if hasattr(sys.__stderr__, name):
            current_port().halt(
                ModelError(
                    f"{name} of sys.{self._name} has no modelled counterpart",
                    remedy="a model can use: write, writelines, flush, isatty",
                )
            )
        raise AttributeError(f"'_io.TextIOWrapper' object has no attribute {name!r}")

    def _behind(self) -> Any:
        return self.real or sys.stderr


OUT, ERROR = Stream("stdout"), Stream("stderr")

register_immutable(Stream, lambda _, value: (Stream, Same(value)), lambda _, key: key[1].it)


def stream_for(value: object) -> Stream | None:
    """What stands for a real stream; None for anything else."""
    if value is None:
        return None
    if value is sys.stderr or value is sys.__stderr__ or value is ERROR.real:
        return ERROR
    return OUT if value is sys.stdout or value is sys.__stdout__ else None


@contextmanager
@whole
def before_threads(printed: TextIO | None = None) -> Iterator[None]:
    """Have code that is imported, or sets something up, write to these streams. What it prints goes
    to `printed`, if that is given.
    """
    before = sys.stdout, sys.stderr, OUT.real, ERROR.real
    if sys.stderr is not ERROR:
        ERROR.real = sys.stderr
    OUT.real = printed or ERROR.real
    sys.stdout, sys.stderr = OUT, ERROR
    try:
        yield
    finally:
        sys.stdout, sys.stderr, OUT.real, ERROR.real = before


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
