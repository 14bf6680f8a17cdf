"""Whether anything refers to a shared object: what nothing refers to can be made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from interleave.memory.values import Freezer, Shared
from interleave.program import Heap
from interleave.program.interning import LocalStates


def is_referred_to(
    number: int,
    heap: Heap,
    locals_: LocalStates,
    state: Sequence[int],
    thread: int,
    mine: tuple[Any, Any, tuple[tuple[int, int], ...]],
) -> bool:
    """Whether a state refers to an object, `thread` being in the middle of a step.

    `mine` has the keys of its frames and of its log, and the threads that it has started, each with
    its local state.
    """
    frames, log, started = mine
    locations = len(heap.changing)
    values = [heap.values[each] for each in state[:locations]]
    keys: list[Any] = [Freezer().freeze(value) for value in values]
    others = enumerate(state[locations:])
    keys += [locals_[local] for other, local in others if other != thread]
    keys += [locals_[local] for _, local in started]
    return any(_has(key, number) for key in [*keys, frames, log])


def _has(key: object, number: int) -> bool:
    """Whether a key refers to an object."""
    if type(key) is not tuple:
        return False
    if len(key) == 2 and key[0] is Shared:
        return bool(key[1] == number)
    return any(_has(part, number) for part in key)
