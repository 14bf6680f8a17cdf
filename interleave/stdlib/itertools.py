"""The `itertools` module: all runs as it is but for `chain`, `cycle` and `islice`, which a state
can hold, and `groupby`, whose groups are there only as long as it has not gone on.

(It can hold `count` too: see `memory.counting`.)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from interleave.memory.cursors import Chained, Cycle, Sliced
from interleave.memory.primitive import Primitive

PRIMITIVES: dict[type, type[Primitive]] = {}


def groupby(iterable: Iterable[Any], key: Callable[[Any], Any] | None = None) -> Iterator[Any]:
    """The same groups, each of which stays."""
    return iter([(each, iter([*group])) for each, group in itertools.groupby(iterable, key)])


FUNCTIONS: dict[str, Any] = {
    "chain": Chained, "cycle": Cycle, "groupby": groupby, "islice": Sliced,
}  # fmt: skip
