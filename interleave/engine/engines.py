"""Which engine searches, and what it tells while it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from interleave.records import dataclass


class SoFar(Protocol):
    """How far a search has come: a state graph, as it is by now."""

    transitions: int
    expanded: int

    @property
    def depth(self) -> int: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Engine:
    """Which engine, and how many workers it has (None: one for each core)."""

    name: str = "auto"
    workers: int | None = None
    sizes: Any = None
    """Sizes to begin with (`native.store.states.Sizes`), for tests."""
    progress: Callable[[Any], None] | None = None
    """Called now and then with the graph as it is: `SoFar`."""
