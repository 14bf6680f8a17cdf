"""The `concurrent.futures` module: pools of threads.

After docs.python.org/3.12/library/concurrent.futures.html.
"""

from __future__ import annotations

from concurrent import futures
from typing import Any

from interleave.errors import ModelError
from interleave.memory.primitive import Primitive
from interleave.stdlib.futures import derived
from interleave.stdlib.futures.future import Future
from interleave.stdlib.futures.pool import ThreadPoolExecutor
from interleave.stdlib.futures.waiting import as_completed, wait
from interleave.stdlib.registry import made_by_threads


def _no_processes(*_: object, **__: object) -> Any:
    raise ModelError(
        "concurrent.futures.ProcessPoolExecutor has no modelled counterpart",
        remedy="use a ThreadPoolExecutor, or a multiprocessing.Pool",
    )


def _executor() -> Any:
    return derived.Executor()


PRIMITIVES: dict[type, type[Primitive]] = {
    futures.Future: Future,
    futures.ThreadPoolExecutor: ThreadPoolExecutor,
}
BASES = derived.BASES
FUNCTIONS: dict[str, Any] = {
    "Executor": _executor,
    "Future": made_by_threads(futures.Future, Future),
    "ProcessPoolExecutor": _no_processes,
    "ThreadPoolExecutor": made_by_threads(futures.ThreadPoolExecutor, ThreadPoolExecutor),
    "as_completed": as_completed,
    "wait": wait,
}
