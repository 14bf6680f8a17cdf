"""The `os` module: `getpid`, and `kill` of the own process."""

from __future__ import annotations

from typing import Any

from interleave.errors import ModelError
from interleave.memory.identity import MODEL_PROCESS
from interleave.memory.port import current_port
from interleave.memory.primitive import stepwise
from interleave.memory.process import ProcessIdent
from interleave.stdlib.signal import raise_signal


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


@stepwise
def kill(pid: Any, number: int, /) -> None:
    """`os.kill`, of the process itself."""
    check_own(pid)
    raise_signal(number)


def check_own(pid: Any) -> None:
    """Refuse to send signals to other processes."""
    if type(pid) is not ProcessIdent:
        current_port().halt(
            ModelError(
                "os.kill() of another process has no modelled counterpart",
                remedy="end a process by its terminate() or kill(); the own one is os.getpid()",
            )
        )


FUNCTIONS: dict[str, Any] = {"getpid": getpid, "kill": kill}
PRIMITIVES: dict[type, type] = {}
