"""Telling apart the ends of a graph, on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from interleave.engine.native.graph import AT_ONCE, NativeGraph
from interleave.engine.native.passes.counting import count_paths, topological_order
from interleave.engine.passes import endings
from interleave.engine.passes.endings import Endings
from interleave.machine import FAILED, FINISHED


@endings.find_endings.on(NativeGraph)
def _find_endings(graph: NativeGraph) -> tuple[Endings, bool]:
    """See `engine.passes.endings.find_endings`."""
    ended = np.frombuffer(graph.ended, np.int64)
    groups, firsts = _groups(graph, ended)
    order = topological_order(graph)
    if order is None:
        return [(first, None) for first in firsts], True
    counts = count_paths(graph, order, ended, groups, len(firsts))
    return list(zip(firsts, counts, strict=True)), False


def _groups(graph: NativeGraph, ended: Any) -> tuple[Any, list[int]]:
    """For each end, the number of its kind, in order of first appearance; and the first of each."""
    if not len(ended):
        return np.empty(0, np.int64), []
    layout, locations = graph.layout, graph.machine.locations
    words = graph.packed.words_of(ended)
    columns = [_column(layout, words, place) for place in range(locations)]
    awaited = graph.machine.program.awaited
    dead, failed = np.zeros(len(ended), bool), np.zeros(len(ended), bool)
    for thread in range(len(graph.machine.program.threads)):
        local = _column(layout, words, locations + thread)
        failed |= local == FAILED  # codes of local states: these two are themselves
        if thread in awaited:
            dead |= (local != FAILED) & (local != FINISHED)
    dead &= ~graph.are_over(words)
    columns.append(np.where(dead, 2, failed).astype(np.uint64))
    _, first, group = np.unique(
        np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True
    )
    rank = np.argsort(np.argsort(first))
    return rank[group.reshape(-1)], ended[np.sort(first)].tolist()


def _column(layout: Any, words: Any, place: int) -> Any:
    word, shift = layout.slots[place]
    return (words[:, word] >> np.uint64(shift)) & np.uint64(layout.mask(place))


@endings.any_is_final.on(NativeGraph)
def _any_is_final(graph: NativeGraph) -> bool:
    """Whether all threads but daemons have ended in some state."""
    words = graph.packed.words_of(slice(len(graph)))
    unfinished = graph.forest.unfinished
    parts = (words[begin : begin + AT_ONCE] for begin in range(0, len(graph), AT_ONCE))
    return any((graph.are_over(part) | ~(part & unfinished).any(axis=1)).any() for part in parts)
