"""Threads that can never move again although others can, on arrays. See `components`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from interleave.engine.native.compiling import announced
from interleave.engine.native.components import first_waits, visit
from interleave.engine.stuck import Later, Stuck

if TYPE_CHECKING:
    from interleave.engine.native.forest import Forest
    from interleave.engine.native.graph import NativeGraph

AT_ONCE = 1 << 18
"""States, or transitions, after which the kernel comes back, so that it can be interrupted."""


def find_stuck(graph: NativeGraph, forest: Forest, later: Later) -> Stuck:
    """For everything that a thread waits for, the first state in which it is stuck there.

    Each with all threads that are stuck in it, in order. See `engine.stuck.find_stuck`.
    """
    bits, settled, endless = _settle(graph, forest, later)
    return _first_waits(graph, forest, bits, settled, endless) if endless.any() else []


def find_waiting(graph: NativeGraph, forest: Forest, over: Iterable[int]) -> tuple[Later, Stuck]:
    """See `engine.stuck.find_waiting`. Of all states, the first one for each thing waited for."""
    bits, settled, anywhere = _settle(graph, forest, [(number, ()) for number in over])
    anywhere[:] = 1
    at_start = _unsettled(settled, len(graph), bits, np.arange(graph.initial))
    return at_start, _first_waits(graph, forest, bits, settled, anywhere)


def _first_waits(
    graph: NativeGraph, forest: Forest, bits: Any, settled: Any, candidates: Any
) -> Stuck:
    space, trees, count = graph.packed.space, forest.trees, len(graph)
    seen = np.zeros(len(trees.leaf_first), np.uint8)
    first, number = np.empty(len(seen), np.int64), 0
    for begin in range(0, count, AT_ONCE):
        graph.guard.poll()
        end = min(begin + AT_ONCE, count)
        number = first_waits(
            space, trees, bits, begin, end, settled, candidates, seen, first, number
        )
    return _unsettled(settled, count, bits, first[:number])


def _unsettled(settled: Any, count: int, bits: Any, numbers: Any) -> Stuck:
    """Some states, each with the threads that are not settled in it."""
    threads = np.flatnonzero(bits >= 0).tolist()
    rows = np.unpackbits(
        settled.reshape(count, -1)[numbers], axis=1, count=len(threads), bitorder="little"
    )
    return [
        (number, tuple(thread for thread, bit in zip(threads, row, strict=True) if not bit))
        for number, row in zip(numbers.tolist(), rows.tolist(), strict=True)
    ]


def _settle(graph: NativeGraph, forest: Forest, later: Later) -> tuple[Any, Any, Any]:
    """Bits of threads, those that are set in each state, and from which states there is a path
    without an end.
    """
    space, trees, count = graph.packed.space, forest.trees, len(graph)
    threads = [thread.number for thread in graph.machine.program.threads if not thread.daemon]
    bits = np.full(len(graph.machine.program.threads), -1, np.int64)
    bits[threads] = np.arange(len(threads))
    full = np.packbits(np.ones(len(threads), np.uint8), bitorder="little")
    settled = np.zeros(count * len(full), np.uint8)
    for number, never in later:
        row = np.array([thread not in never for thread in threads], np.uint8)
        settled[number * len(full) : (number + 1) * len(full)] = np.packbits(row, bitorder="little")
    endless = np.zeros(count, np.uint8)
    room = _room(count, space.parents.dtype)
    made = np.empty(space.words, np.uint64)
    progress = np.array([count - 1, 0, 0, 0], np.int64)
    arguments = (space, trees, bits, full, settled, endless, *room, made, progress)
    with announced():
        visit(*arguments, 0)  # has it compiled, or loaded
    while visit(*arguments, AT_ONCE):
        graph.guard.poll()
    return bits, settled, endless


def _room(count: int, number: Any) -> tuple[Any, ...]:
    """Room for `visit`. What it does not come to use takes no memory."""
    return (
        np.zeros(count, number),
        np.empty(count, number),
        np.empty(count, number),
        np.empty(count, np.int64),
        np.empty(count, number),
    )
