"""What checks and passes need of a state graph, and whether a graph has kept it.

A graph that leaves out what follows from the rest (by partial order, or by symmetry) is right for
those only that need no more than it has kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol, get_args

Need = Literal["deadlocks", "every state", "every transition"]
"""What a graph has kept of the full one: the states in which no thread can move, with a way to each
of them; all states that can be reached; all transitions between them. Each with what comes before.
"""

_FROM_LEAST = get_args(Need)


class Needing(Protocol):
    """A check, or a pass."""

    @property
    def needs(self) -> Need: ...


def serves(keeps: Need, those: Iterable[Needing]) -> bool:
    """Whether some checks and passes are right on a graph that has kept so much."""
    return all(_FROM_LEAST.index(each.needs) <= _FROM_LEAST.index(keeps) for each in those)
