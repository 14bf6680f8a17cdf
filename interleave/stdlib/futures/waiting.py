"""`as_completed` and `wait`.

After docs.python.org/3.12/library/concurrent.futures.html#module-functions and
Lib/concurrent/futures/_base.py of CPython 3.12.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent import futures
from concurrent.futures._base import DoneAndNotDoneFutures
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import AccessKind, current_port
from interleave.memory.values import OrderedSet
from interleave.stdlib.futures.future import FINISHED, NOTIFIED, Future
from interleave.stdlib.timeouts import begin_waiting
from interleave.world.policy import full_name


def _given(fs: Iterable[Any]) -> list[Any]:
    """The futures that are to be waited for, each once."""
    given = list(dict.fromkeys(fs))
    for each in given:
        if not isinstance(each, Future) and _FUTURE in map(full_name, type(each).__mro__):
            current_port().halt(
                ModelError(
                    f"an instance of {type(each).__name__}, which derives from {_FUTURE}, is "
                    "waited for together with others",
                    remedy="ask each for its result()",
                )
            )
    return given


_FUTURE = "concurrent.futures._base.Future"


def _is_over(future: Any) -> bool:
    """Whether those who wait for it have been told, within an access."""
    return future.state.phase in (FINISHED, NOTIFIED)


def _block_on(kind: str, waiting: list[Any]) -> Any:
    """Wait for the first of these futures that is not over; the report names it."""
    port = current_port()
    first = next(each for each in waiting if not _is_over(each))
    return port.block(AccessKind(kind, port.locate(first.location)))


class Completed:
    """What `as_completed` gives: an iterator over futures, each once it is over.

    Of several that are, any may come first.
    """

    def __init__(self, waiting: list[Any], timeout: float | None) -> None:
        self.waiting = waiting
        self.ends = begin_waiting(timeout)
        self.total = len(waiting)

    def __iter__(self) -> Completed:
        return self

    def __next__(self) -> Any:
        if not self.waiting:
            raise StopIteration
        port = current_port()
        port.switch_point()
        found = port.access(AccessKind("as_completed"), self._first)
        port.switch_point()
        self.waiting.remove(found)
        return found

    def _first(self) -> Any:
        over = [each for each in self.waiting if _is_over(each)]
        if not over and self.ends.timeout is None:
            _block_on("as_completed", self.waiting)
        if not over:
            self.ends.expire()
            left = len(self.waiting)
            raise futures.TimeoutError(f"{left} (of {self.total}) futures unfinished")
        return over[current_port().choose(over) if len(over) > 1 else 0]


def as_completed(fs: Iterable[Any], timeout: float | None = None) -> Completed:
    """`concurrent.futures.as_completed`. A timeout may expire whenever none is over."""
    return Completed(_given(fs), timeout)


def wait(
    fs: Iterable[Any], timeout: float | None = None, return_when: str = futures.ALL_COMPLETED
) -> Any:
    """`concurrent.futures.wait`. A timeout may expire whenever it would have to wait."""
    port = current_port()
    given = _given(fs)
    ends = begin_waiting(timeout)

    def effect() -> Any:
        over = [each for each in given if _is_over(each)]
        enough = len(over) == len(given)
        if return_when == futures.FIRST_COMPLETED:
            enough = enough or bool(over)
        elif return_when == futures.FIRST_EXCEPTION:
            enough = enough or any(each.state.exception is not None for each in over)
        elif return_when != futures.ALL_COMPLETED and not enough:
            raise ValueError(f"Invalid return condition: {return_when!r}")
        if not enough and timeout is None:
            _block_on("wait", given)
        if not enough:
            ends.expire()
        left = [each for each in given if each not in over]
        return DoneAndNotDoneFutures(OrderedSet(over), OrderedSet(left))

    port.switch_point()
    found = port.access(AccessKind("wait"), effect)
    port.switch_point()
    return found
