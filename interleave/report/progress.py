"""A line on a terminal that tells how far a search has come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from interleave.engine.resources import resident

if TYPE_CHECKING:
    from interleave.engine.graph import SearchGraph

QUICK = 0.5
"""Seconds of a search that passes without a word."""

EVERY = 0.2
"""Seconds from one look to the next."""


class Progress:
    """Called with the graph now and then. Shows nothing while that is not worth it."""

    def __init__(self) -> None:
        self._live: Any = None
        self._begin()

    def _begin(self) -> None:
        self._started = time.monotonic()
        self._next = self._started + QUICK

    def __call__(self, graph: SearchGraph) -> None:
        """Show how large a graph is by now, if the last time is long enough ago."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        if self._live is None:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, auto_refresh=False)
            self._live.start()
        self._live.update(progress_line(graph, now - self._started), refresh=True)

    def close(self) -> None:
        """Take the line away. The next search begins anew."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._begin()


def progress_line(graph: SearchGraph, seconds: float) -> str:
    """How far a search has come after some seconds, in one line."""
    parts = [
        f"{len(graph):,} states",
        f"{graph.transitions:,} transitions",
        f"{len(graph) / max(seconds, 1e-9):,.0f} states/s",
        f"depth {graph.depth:,}",
        f"{len(graph) - graph.expanded:,} to expand",
    ]
    if memory := graph.bytes or resident():
        parts.append(f"{memory / 1e6:,.0f} MB")
    what = "searching" if graph.product is None else "following what threads hold"
    return f"{what}: {', '.join(parts)}, {seconds:.1f} s"
