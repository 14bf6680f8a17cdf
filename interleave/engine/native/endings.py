"""Counting paths and telling apart the ends of a graph, on arrays.

Numbers of paths soon exceed 64 bits. They are added up modulo primes, as many as it takes for what
is known of their size, and put together at the end (the Chinese remainder theorem).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from interleave.engine.endings import Endings
from interleave.engine.native import paths
from interleave.engine.native.blocks import Block, make_block
from interleave.machine import FAILED, FINISHED

if TYPE_CHECKING:
    from interleave.engine.native.forest import Forest
    from interleave.engine.native.graph import NativeGraph

AT_ONCE = 1 << 18
"""States after which the kernel comes back, so that it can be interrupted."""

MET = 1 << 14
"""Successors that are remembered: see `blocks`."""

LARGEST = 2**61
"""Primes are the largest ones below this: sums of two stay below 2^64."""

SLACK = 1.001
"""What rounding can make of a sum of floating-point numbers. Each of fewer than 10^12 additions is
off by one part in 10^16 at most.
"""


def find_endings(graph: NativeGraph, forest: Forest) -> tuple[Endings, bool]:
    """See `engine.endings.find_endings`."""
    ended = np.frombuffer(graph.ended, np.int64)
    groups, firsts = _groups(graph, ended)
    order = _topological_order(graph, forest)
    if order is None:
        return [(first, None) for first in firsts], True
    counts = _count(graph, forest, order, ended, groups, len(firsts))
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


def _topological_order(graph: NativeGraph, forest: Forest) -> Any | None:
    """The states, each before those that it leads to: an array, empty where that is the order of
    their numbers. None where there is a cycle.
    """
    if graph.cyclic:
        return None
    if not graph.leads_back:
        return np.empty(0, np.int64)
    space, trees, block, count = graph.packed.space, forest.trees, _block(graph, forest), len(graph)
    incoming = np.zeros(count, np.uint32)
    order = np.empty(count, np.int64)
    for begin, end in _parts(graph):
        paths.count_incoming(space, trees, block, order[:0], begin, end, incoming)
    starts = np.flatnonzero(incoming == 0)
    order[: len(starts)] = starts
    done, ready = 0, len(starts)
    while done < ready:
        graph.guard.poll()
        done, ready = paths.put_in_order(space, trees, block, order, done, ready, AT_ONCE, incoming)
    return order if done == count else None


def _count(
    graph: NativeGraph, forest: Forest, order: Any, ended: Any, groups: Any, kinds: int
) -> list[int]:
    """How many paths end in states of each kind."""
    space, trees, block, count = graph.packed.space, forest.trees, _block(graph, forest), len(graph)
    primes: list[int] = []
    remainders: list[list[int]] = []
    bound: int | None = None
    while bound is None or bound >= math.prod(primes):
        some = _more_primes(primes, paths.PRIMES_AT_ONCE)
        counts = paths.make_counts(count, graph.initial)
        for begin, end in _parts(graph):
            paths.count_paths(
                space, trees, block, order, begin, end, counts, np.array(some, np.uint64)
            )
        if bound is None:
            total = float(counts.about[ended * paths.COLUMNS + paths.ABOUT].sum())
            bound = int(total * SLACK) + 1 if math.isfinite(total) else _bound(graph, forest, order)
        for column, prime in enumerate(some):
            primes.append(prime)
            rest = counts.exact[ended * paths.COLUMNS + column]
            remainders.append(_sums(rest, groups, kinds, prime))
    return [_combine(each, primes) for each in zip(*remainders, strict=True)]


def _bound(graph: NativeGraph, forest: Forest, order: Any) -> int:
    """More than the number of paths, where that is too large for a floating-point number."""
    logs = np.full(len(graph), -np.inf)
    logs[: graph.initial] = 0
    space, trees, block = graph.packed.space, forest.trees, _block(graph, forest)
    for begin, end in _parts(graph):
        paths.add_logarithms(space, trees, block, order, begin, end, logs)
    ended = np.frombuffer(graph.ended, np.int64)
    bits = float(logs[ended].max()) + math.log2(len(ended))
    return 1 << math.ceil(bits * SLACK + 1)


def _block(graph: NativeGraph, forest: Forest) -> Block:
    """Room for some states and what they lead to."""
    return make_block(1, graph.packed.words, len(forest.threads), forest.most_steps, MET)


def _parts(graph: NativeGraph) -> Iterator[tuple[int, int]]:
    """The numbers of its states, in parts: from one to another."""
    for begin in range(0, len(graph), AT_ONCE):
        graph.guard.poll()
        yield begin, min(begin + AT_ONCE, len(graph))


def _sums(ways: Any, groups: Any, kinds: int, prime: int) -> list[int]:
    """The sum for each kind, modulo a prime."""
    low, high = np.zeros(kinds, np.uint64), np.zeros(kinds, np.uint64)
    np.add.at(low, groups, ways & np.uint64(2**32 - 1))
    np.add.at(high, groups, ways >> np.uint64(32))
    return [
        ((upper << 32) + lower) % prime
        for lower, upper in zip(low.tolist(), high.tolist(), strict=True)
    ]


def _combine(remainders: tuple[int, ...], primes: list[int]) -> int:
    """The least number that has some remainders."""
    found, modulus = 0, 1
    for remainder, prime in zip(remainders, primes, strict=True):
        found += modulus * ((remainder - found) * pow(modulus, -1, prime) % prime)
        modulus *= prime
    return found


def _more_primes(known: list[int], count: int) -> list[int]:
    """The largest primes below `LARGEST` and those known."""
    found: list[int] = []
    candidate = min(known, default=LARGEST + 1) - 2
    while len(found) < count:
        if _is_prime(candidate):
            found.append(candidate)
        candidate -= 2
    return found


def _is_prime(number: int) -> bool:
    """Miller and Rabin's test with bases that decide it for all odd numbers below 2^64.

    Source: J. Sorenson, J. Webster, Strong pseudoprimes to twelve prime bases, 2015.
    """
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
