"""The `heapq` module: heaps in shared lists.

Its functions are written in C and want a real list. Each of them is one access to a shared one, as
a method of the list would be. One that raises leaves the list as it was; where items cannot be
compared, CPython's leaves them half sorted.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from interleave.memory.containers import SharedList


def _on_a_heap(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__

    def operation(heap: Any, *args: Any) -> Any:
        if issubclass(type(heap), SharedList):
            return heap.perform(name, function, *args)
        return function(heap, *args)

    operation.__name__ = operation.__qualname__ = name
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
} | {"merge": heapq.merge, "nlargest": heapq.nlargest, "nsmallest": heapq.nsmallest}
PRIMITIVES: dict[type, type] = {}
