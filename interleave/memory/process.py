"""What `os.getpid` gives: the number of the model's process.

A number that was there before the threads may be that of this process, or of the one that it was
forked from: nobody can say whether it is this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.values import register_immutable


class ProcessIdent(int):
    """The process of the model. Its number can be told from no other kind of number."""

    __slots__ = ()

    def __new__(cls) -> Self:
        """No process of Linux has this number."""
        return super().__new__(cls, 1 << 22)

    __hash__ = int.__hash__


def _comparison(name: str) -> Callable[..., Any]:
    plain = getattr(int, name)

    def compare(self: ProcessIdent, other: object) -> Any:
        if isinstance(other, int) and type(other) is not ProcessIdent:
            current_port().halt(
                ModelError(
                    "the number of a process is compared with a number of another kind",
                    remedy="have threads ask for both: os.getpid() is another number in each run",
                )
            )
        return plain(self, other)

    return compare


for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(ProcessIdent, _name, _comparison(_name))

ProcessIdent.__name__ = "int"  # in messages of Python's

register_immutable(ProcessIdent, lambda *_: (ProcessIdent,), lambda *_: ProcessIdent())
