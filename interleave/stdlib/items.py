"""The items of queues: which one is taken, and how reports show them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from interleave.memory.primitive import Primitive
from interleave.showing import show

LONGEST_SHOWN = 50
"""Characters that the items of a queue may take in a report; beyond that, it says how many."""


class FirstIn(Primitive):
    """A queue of which the first item is taken that was added."""

    def _add(self, items: list[Any], item: Any) -> None:
        items.append(item)

    def _take(self, items: list[Any]) -> Any:
        return items.pop(0)


class LastIn(FirstIn):
    """A stack."""

    def _take(self, items: list[Any]) -> Any:
        return items.pop()


class ByPriority(FirstIn):
    """A heap, by `heapq`. Where that raises, an item that was added stays, one taken is gone."""

    def _add(self, items: list[Any], item: Any) -> None:
        heapq.heappush(items, item)

    def _take(self, items: list[Any]) -> Any:
        return heapq.heappop(items)


def visited(items: tuple[Any, ...], visit: Callable[[Any, str], Any]) -> tuple[Any, ...]:
    """See `Primitive.visit`."""
    return tuple([visit(item, f"[{place}]") for place, item in enumerate(items)])


def in_words(items: tuple[Any, ...]) -> str:
    """See `Primitive.describe`."""
    text = show(list(items)) if items else "empty"
    return text if len(text) <= LONGEST_SHOWN else f"{len(items)} items"
