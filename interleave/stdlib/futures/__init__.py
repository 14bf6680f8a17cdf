"""The `concurrent.futures` module.

After docs.python.org/3.12/library/concurrent.futures.html.
"""

from __future__ import annotations

from concurrent import futures
from typing import Any

from interleave.memory.primitive import Primitive
from interleave.stdlib.futures import derived
from interleave.stdlib.futures.future import Future
from interleave.stdlib.futures.pool import ThreadPoolExecutor
from interleave.stdlib.futures.waiting import as_completed, wait
from interleave.stdlib.registry import made_by_threads


def _process_pool(*args: Any, **kwargs: Any) -> Any:
    from interleave.stdlib.futures.processes import make_executor  # and multiprocessing

    return make_executor(*args, **kwargs)


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
    "ProcessPoolExecutor": _process_pool,
    "ThreadPoolExecutor": made_by_threads(futures.ThreadPoolExecutor, ThreadPoolExecutor),
    "as_completed": as_completed,
    "wait": wait,
}
