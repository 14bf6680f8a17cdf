"""What of the `traceback` module asks which exception is being handled."""

from __future__ import annotations

from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.memory.streams import ERROR
from interleave.stdlib.sys import handled


def print_exc(limit: int | None = None, file: Any = None, chain: bool = True) -> None:
    """`traceback.print_exc`, to standard error: nobody looks at that, but for the exception."""
    if file is not None and file is not ERROR:
        current_port().halt(
            ModelError(
                "traceback.print_exc() is given a file: the text depends on how the code is run",
                remedy="print the exception itself",
            )
        )
    if (error := handled()) is not None:
        str(error)


FUNCTIONS = {"print_exc": print_exc}
PRIMITIVES: dict[type, type[Primitive]] = {}
