"""The `multiprocessing` module, after docs.python.org/3.12/library/multiprocessing.html.

Everything here is shared by all processes. What is not (plain attributes, `threading`, `queue`) has
a copy in each: see `program.processes`.
"""

from __future__ import annotations

import multiprocessing.connection
import multiprocessing.queues
import multiprocessing.synchronize
from collections.abc import Callable
from typing import Any, cast

from interleave.errors import ModelError
from interleave.memory.primitive import Primitive
from interleave.stdlib.multiprocessing import conditions, locks, memory, pipes, queues
from interleave.stdlib.multiprocessing.capturing import capturing as capturing

_MADE = (
    "Array", "Barrier", "BoundedSemaphore", "Condition", "Event", "JoinableQueue", "Lock", "Pipe",
    "Queue", "RLock", "RawArray", "RawValue", "Semaphore", "SimpleQueue", "Value",
)  # fmt: skip


def _refused(what: str, remedy: str) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise ModelError(what, remedy=remedy)

    return refuse


FUNCTIONS = {
    **{
        name: _refused(
            f"a multiprocessing.{name} is made by a running thread or process",
            "make it a class attribute of the model, or make it in `def setup(self)`",
        )
        for name in _MADE
    },
    "Process": _refused(
        "a multiprocessing.Process is made by a running thread or process",
        "mark the method that it is to run with @process: processes start when the model does",
    ),
    "get_context": _refused(
        "multiprocessing.get_context has no modelled counterpart",
        "use the functions of multiprocessing itself: a model does not ask how processes start",
    ),
}
PRIMITIVES: dict[type, type[Primitive]] = {
    multiprocessing.synchronize.Lock: locks.Lock,
    multiprocessing.synchronize.RLock: locks.RLock,
    multiprocessing.synchronize.Semaphore: locks.Semaphore,
    multiprocessing.synchronize.BoundedSemaphore: locks.BoundedSemaphore,
    multiprocessing.synchronize.Condition: conditions.Condition,
    multiprocessing.synchronize.Event: locks.Event,
    multiprocessing.queues.JoinableQueue: queues.JoinableQueue,
    multiprocessing.queues.Queue: queues.Queue,
    multiprocessing.queues.SimpleQueue: pipes.SimpleQueue,
    multiprocessing.connection.Connection: pipes.Connection,
}


def primitive_class(real: Any) -> type[Primitive] | None:
    """The modelled class of a real primitive. That of shared memory has the same `fresh`."""
    if memory.is_shared_memory(real):
        return cast("type[Primitive]", memory.class_of(real))
    return PRIMITIVES.get(type(real))
