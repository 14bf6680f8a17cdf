"""Calling the kernel: the inner loops of the native engine, which are in `compiled.rounds`."""

from __future__ import annotations

from typing import Any

from interleave.engine.native.entries import Entry
from interleave.engine.native.round import Progress

ALL = -1
"""Instead of a worker: the shares of all, one after the other."""

# Why `rounds` came back.
DONE, LEARN, GROW, DRAIN, PAUSE, FULL = range(6)

leaves = Entry("rounds.leaves")
_rounds = Entry("rounds.rounds")


def rounds(*arguments: Any) -> tuple[int, Progress]:
    """Rounds until Python is needed: the reason, and how far they have come."""
    reason, *progress = _rounds(*arguments)
    return reason, Progress(*progress)
