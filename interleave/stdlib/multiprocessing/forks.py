"""How a process begins whose parent runs threads: `fork` copies what these have made of its state.

After fork(2): the child has the one thread that runs in it. A lock that another one held at that
moment is locked in the child, and nobody there will ever give it back.
"""

from __future__ import annotations

from typing import Any

from interleave.memory.port import current_port


def forking(self: Any, run: Any, arguments: tuple[Any, ...], left: tuple[Any, ...]) -> None:
    """What a process runs that looks at such things; see `queues.leaving` for the end of it."""
    fork()
    try:
        run(*arguments)
    finally:
        for each in left:
            each.leave()


def fork() -> None:
    """The first step of the process."""
    current_port().fork()
