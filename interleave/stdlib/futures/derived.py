"""`Executor` and `ThreadPoolExecutor` as classes of the model derive from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import Any

from interleave.memory.derived import POOL, inner_of
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.memory.primitive import stepwise
from interleave.memory.values import attributes_of
from interleave.stdlib.futures import pool
from interleave.stdlib.registry import Base


class Executor:
    """What a class derives from in place of `Executor`. After Lib/concurrent/futures/_base.py."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    @stepwise
    def map(
        self,
        fn: Callable[..., Any],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Any:
        waiting = []
        for args in zip(*iterables):  # noqa: B905  (as the real one)
            waiting.append(self.submit(fn, *args))
        return pool.Results(waiting, timeout)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    @stepwise
    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=True)


class ThreadPoolExecutor(Executor):
    """The same of `ThreadPoolExecutor`: an instance has a modelled one, of which it makes use."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kind = pool.ThreadPoolExecutor
        real = futures.ThreadPoolExecutor(*args, **kwargs)
        self.__dict__[POOL] = current_port().make(Kind(kind), kind.initial(real))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return inner_of(self, POOL).submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        inner_of(self, POOL).shutdown(wait, cancel_futures=cancel_futures)


_INSIDE = frozenset(vars(futures.ThreadPoolExecutor()))
"""The attributes of real ones."""


def _taken_over(_: Any, real: Any, __: str) -> dict[str, Any]:
    kind = pool.ThreadPoolExecutor
    kind.initial(real)  # which refuses one that is in use
    own = {name: value for name, value in attributes_of(real).items() if name not in _INSIDE}
    return {**own, POOL: kind.fresh(real)}


BASES = {
    futures.Executor: Base(Executor, lambda _, real, __: attributes_of(real)),
    futures.ThreadPoolExecutor: Base(ThreadPoolExecutor, _taken_over),
}
