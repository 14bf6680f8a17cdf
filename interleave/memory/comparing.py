"""Operations of shared lists that run Python code to compare elements: others may run meanwhile.

After Objects/listobject.c and Modules/_heapqmodule.c of CPython 3.11 to 3.13: what these do between
two comparisons is one access.
"""

from __future__ import annotations

import heapq
import itertools
import sys
from collections.abc import Callable
from typing import Any

from interleave.memory.values import compared_in_python


def _at(items: Any, place: int) -> tuple[Any, ...]:
    """The element at a place, as a tuple of one; () past the end."""
    found: tuple[Any, ...] = items.perform("__getitem__", _slice_of_one, place)
    return found


def _slice_of_one(real: list[Any], place: int) -> tuple[Any, ...]:
    return tuple(real[place : place + 1])


def _equal(item: Any, value: Any) -> bool:
    return item is value or bool(item == value)


def contains(items: Any, value: Any) -> bool:
    """`value in items`."""
    for place in itertools.count():
        found = _at(items, place)
        if not found or _equal(found[0], value):
            break
    return bool(found)


def among_values(items: Any, value: Any) -> bool:
    """`value in items.values()`, of a dict. Raises `RuntimeError` where its size has changed."""

    def look(real: dict[Any, Any], place: int) -> tuple[int, tuple[Any, ...]] | bool:
        values = tuple(real.values())
        if any(compared_in_python(each, ("__eq__",)) for each in (value, *values)):
            return len(values), values[place : place + 1]
        return value in values

    size = -1
    for place in itertools.count():
        seen: tuple[int, tuple[Any, ...]] | bool = items.perform("contains", look, place)
        if isinstance(seen, bool):
            return seen
        if size not in (-1, seen[0]):
            raise RuntimeError("dictionary changed size during iteration")
        size, found = seen
        if not found or _equal(found[0], value):
            break
    return bool(found)


def count(items: Any, value: Any) -> int:
    """`items.count(value)`."""
    total = 0
    for place in itertools.count():
        if not (found := _at(items, place)):
            break
        total += _equal(found[0], value)
    return total


def index(items: Any, value: Any, start: int = 0, stop: int = sys.maxsize) -> int:
    """`items.index(value, start, stop)`."""
    if start < 0 or stop < 0:
        start, stop, _ = slice(start, stop).indices(len(items))
    for place in range(start, stop):
        if not (found := _at(items, place)):
            break
        if _equal(found[0], value):
            return place
    return [].index(value)  # which says that it is not there


def remove(items: Any, value: Any) -> None:
    """`items.remove(value)`: the place is looked for, and then what is there is taken out."""
    for place in itertools.count():
        if not (found := _at(items, place)):
            [].remove(value)  # which says that it is not there
        if _equal(found[0], value):
            items.perform("__delitem__", _delete, place)
            return


def _delete(real: list[Any], place: int) -> None:
    del real[place : place + 1]


def sort(items: Any, *, key: Any = None, reverse: bool = False) -> None:
    """`items.sort()`: while it compares, the list is empty; what others put in is thrown away."""
    taken: list[Any] = items.perform("exchange", _take_all)

    def put_back(real: list[Any]) -> bool:
        was_changed = bool(real)
        real[:] = taken
        return was_changed

    try:
        taken.sort(key=key, reverse=reverse)
    except BaseException:
        items.perform("exchange", put_back)
        raise
    if items.perform("exchange", put_back):
        raise ValueError("list modified during sort")


def _take_all(real: list[Any]) -> list[Any]:
    taken = real[:]
    real.clear()
    return taken


def heappush(heap: Any, item: Any) -> None:
    """`heapq.heappush(heap, item)`."""

    def append(real: list[Any]) -> int:
        real.append(item)
        return len(real)

    size = heap.perform("exchange", append)
    _towards_root(heap, 0, size - 1)


def heappop(heap: Any) -> Any:
    """`heapq.heappop(heap)`."""

    def take(real: list[Any]) -> tuple[Any, bool]:
        if len(real) < 2:
            return heapq.heappop(real), True
        first, real[0] = real[0], real.pop()
        return first, False

    first, is_over = heap.perform("exchange", take)
    if not is_over:
        _towards_leaves(heap, 0)
    return first


def heapreplace(heap: Any, item: Any) -> Any:
    """`heapq.heapreplace(heap, item)`."""

    def put(real: list[Any]) -> Any:
        if not real:
            return heapq.heapreplace(real, item)  # an IndexError
        first, real[0] = real[0], item
        return first

    first = heap.perform("exchange", put)
    _towards_leaves(heap, 0)
    return first


def heappushpop(heap: Any, item: Any) -> Any:
    """`heapq.heappushpop(heap, item)`."""
    found = _at(heap, 0)
    if not found or not found[0] < item:
        return item
    return heapreplace(heap, item)


def heapify(heap: Any) -> None:
    """`heapq.heapify(heap)`."""
    for place in reversed(range(len(heap) // 2)):
        _towards_leaves(heap, place)


def _towards_root(heap: Any, root: int, place: int) -> None:
    """Move an element up as far as it is less than its parent: `siftdown`."""
    while place > root:
        parent = (place - 1) >> 1
        size, new, above = heap.perform("read", _with_size(place, parent))
        if not _exchanged(heap, size, place, parent, if_so=bool(new < above)):
            return
        place = parent


def _towards_leaves(heap: Any, root: int) -> None:
    """Move an element down, each smaller child up, and then up again: `siftup`."""
    size, place = len(heap), root
    while place < size // 2:
        child = 2 * place + 1
        if child + 1 < size:
            _, left, right = heap.perform("read", _with_size(child, child + 1))
            child += not left < right
        _exchanged(heap, size, place, child, if_so=True)
        place = child
    _towards_root(heap, root, place)


def _with_size(one: int, other: int) -> Callable[[list[Any]], tuple[int, Any, Any]]:
    return lambda real: (len(real), real[one], real[other])


def _exchanged(heap: Any, size: int, one: int, other: int, *, if_so: bool) -> bool:
    """Exchange two elements of a heap, if so; whether it was done. Raises `RuntimeError` where it
    is no longer of a size.
    """

    def exchange(real: list[Any]) -> bool:
        if len(real) != size:
            raise RuntimeError("list changed size during iteration")
        if if_so:
            real[one], real[other] = real[other], real[one]
        return if_so

    return bool(heap.perform("exchange" if if_so else "read", exchange))


IN_STEPS: dict[str, Callable[..., Any]] = {
    "__contains__": contains,
    **{
        operation.__name__: operation
        for operation in (
            count, index, remove, sort, heapify, heappop, heappush, heappushpop, heapreplace,
        )
    },
}  # fmt: skip
"""Name of an operation -> what does it where elements compare by Python code."""
