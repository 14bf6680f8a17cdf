"""Counting paths in a state graph: what the kernel is given for it. See `compiled.paths`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from interleave.engine.native.entries import Entry
from interleave.engine.native.store.table import Array, aligned

COLUMNS = 4
"""Counts for a state: half a cache line."""

ABOUT = 3
"""The column of the count that is only about right."""

PRIMES_AT_ONCE = 3


class Counts(NamedTuple):
    """How many paths lead to states: the same memory in two ways."""

    exact: Array  # uint64
    about: Array  # float64


def make_counts(states: int, initial: int) -> Counts:
    """One path leads to each initial state, and none to any other so far."""
    exact = aligned(states * COLUMNS, np.uint64)
    counts = Counts(exact, exact.view(np.float64))
    counts.exact[: initial * COLUMNS] = 1
    counts.about[ABOUT : initial * COLUMNS : COLUMNS] = 1
    return counts


count_paths = Entry("paths.count_paths")
add_logarithms = Entry("paths.add_logarithms")
count_incoming = Entry("paths.count_incoming")
put_in_order = Entry("paths.put_in_order")
