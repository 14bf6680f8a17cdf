"""Room for threads that running threads make: found out by running, like what is written."""

from __future__ import annotations

import types
from typing import Any

from interleave.memory.identity import MODEL_PROCESS, ThreadName
from interleave.program.heap import Again
from interleave.records import dataclass
from interleave.stdlib.threads import Thread


@dataclass(frozen=True)
class RoomKey:
    """Threads that can take one another's room: by who makes them, and what they run.

    As each maker has rooms of its own, states in which two threads have made theirs are the same
    whoever was first. `kind` is the class of the modelled threads, `process` where they run, `name`
    what they are called by. The workers of a pool are made by the pool: anybody may submit a task.
    """

    maker: str
    function: types.FunctionType
    daemon: bool
    kind: type[Any] = Thread
    process: ThreadName = MODEL_PROCESS
    name: str = ""


class MoreThreads(Again):
    """A thread makes one more thread than there is room for."""

    def __init__(self, key: RoomKey) -> None:
        super().__init__(key)
        self.key = key
