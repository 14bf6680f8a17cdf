"""The `heapq` module: heaps in shared lists.

Its functions are written in C and want a real list. Each of them is one access to a shared one, as
a method of the list would be, unless items compare by Python code (`memory.comparing`). One that
raises leaves the list as it was; where items cannot be compared, CPython's leaves them half sorted.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from interleave.memory.containers import SharedList
from interleave.memory.cursors import live


def _on_a_heap(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__

    def operation(heap: Any, *args: Any) -> Any:
        if issubclass(type(heap), SharedList):
            return heap.perform(name, function, *args)
        return function(heap, *args)

    operation.__name__ = operation.__qualname__ = name
    return operation


def _of_items(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that goes through its second argument once."""

    def operation(n: int, iterable: Any, key: Any = None) -> Any:
        return function(n, live(iterable, ("__lt__", "__gt__"), key), key)

    operation.__name__ = operation.__qualname__ = function.__name__
    return operation


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: _on_a_heap(function)
    for function in (
        heapq.heapify,
        heapq.heappop,
        heapq.heappush,
        heapq.heappushpop,
        heapq.heapreplace,
    )
} | {
    "merge": heapq.merge,
    "nlargest": _of_items(heapq.nlargest),
    "nsmallest": _of_items(heapq.nsmallest),
}
PRIMITIVES: dict[type, type] = {}
