"""What a program prints, as a variable of its own: the lines, in the order in which they came."""

from __future__ import annotations

import re
from typing import Any

from interleave.memory.own import Own
from interleave.memory.primitive import Unmade


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
        text = (" " if sep is None else sep).join(map(str, values))
        text += "\n" if end is None else end
        if file is None:
            self.operate("print", lambda: self._add(_ADDRESS.sub("0x...", text)))

    def _add(self, text: str) -> None:
        self.state = (*self.state, text)

    @classmethod
    def describe(cls, state: Any) -> str:
        """The lines, quoted: 'one', 'two'."""
        return ", ".join(map(repr, "".join(state).splitlines())) or "nothing"


_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
"""An address, which is another one in each run."""


def output(text: str) -> Unmade:
    """What stands for `print` where some text was printed before."""
    return Unmade(Output, (text,) if text else ())
