"""What a program prints, as a variable of its own: the lines, in the order in which they came."""

from __future__ import annotations

import io
import re
from typing import Any

from interleave.memory.own import Own
from interleave.memory.primitive import Unmade
from interleave.memory.streams import OUT


class Output(Own):
    """`print`. State: the texts that were printed to standard output, each with its end.

    A call is one operation, though Python may write its parts one by one.
    """

    __name__ = "print"
    _between_processes = True

    def __call__(
        self, *values: object, sep: str | None = " ", end: str | None = "\n", file: Any = None,
        flush: bool = False,
    ) -> None:  # fmt: skip
        file = None if file is OUT else file
        text = printed(*values, sep=sep, end=end, file=file, flush=flush)
        if file is None:
            self.operate("print", lambda: self._add(_ADDRESS.sub("0x...", text)))

    def _add(self, text: str) -> None:
        self.state = (*self.state, text)

    @classmethod
    def describe(cls, state: Any) -> str:
        """The lines, quoted: 'one', 'two'."""
        return ", ".join(map(repr, "".join(state).splitlines())) or "nothing"


def printed(
    *values: object, sep: str | None = " ", end: str | None = "\n", file: Any = None,
    flush: bool = False,
) -> str:  # fmt: skip
    """What `print` prints, piece by piece, to a `file` that is an object of the model's; a real one
    is left alone.
    """
    pieces: list[str] = []
    write = None if file is None or isinstance(file, io.IOBase) else file.write
    between, last = " " if sep is None else sep, "\n" if end is None else end
    for number, value in enumerate(values):
        for piece in ([between] if number else []) + [str(value)]:
            pieces.append(piece)
            if write is not None:
                write(piece)
    pieces.append(last)
    if write is not None:
        write(last)
        if flush:
            file.flush()
    return "".join(pieces)


_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
"""An address, which is another one in each run."""


def output(text: str) -> Unmade:
    """What stands for `print` where some text was printed before."""
    return Unmade(Output, (text,) if text else ())
