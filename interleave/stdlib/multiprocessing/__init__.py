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
from interleave.stdlib.multiprocessing import (
    conditions,
    derived,
    locks,
    making,
    memory,
    pipes,
    pools,
    processes,
    queues,
)
from interleave.stdlib.multiprocessing.capturing import capturing as capturing


def _refused(what: str, remedy: str) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise ModelError(what, remedy=remedy)

    return refuse


FUNCTIONS = {
    **making.FUNCTIONS,
    "Pool": pools.make_pool,
    "Process": processes.make_process,
    "current_process": processes.current_process,
    "get_context": _refused(
        "multiprocessing.get_context has no modelled counterpart",
        "use the functions of multiprocessing itself: a model does not ask how processes start",
    ),
}
BASES = {multiprocessing.Process: derived.BASE}
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
