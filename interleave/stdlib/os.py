"""The `os` module: `getpid`, and nothing else."""

from __future__ import annotations

from typing import Any

from interleave.errors import ModelError
from interleave.memory.identity import MODEL_PROCESS
from interleave.memory.port import current_port
from interleave.memory.process import ProcessIdent


def getpid() -> ProcessIdent:
    """`os.getpid`, in the process of the model itself."""
    port = current_port()
    if port.process != MODEL_PROCESS:
        port.halt(
            ModelError(
                "a process asks for its number, which is another one in each run",
                remedy="ask for multiprocessing.current_process().name",
            )
        )
    return ProcessIdent()


FUNCTIONS: dict[str, Any] = {"getpid": getpid}
PRIMITIVES: dict[type, type] = {}
