"""Counting the paths of a graph, on arrays.

Numbers of paths soon exceed 64 bits. They are added up modulo primes, as many as it takes for what
is known of their size, and put together at the end (the Chinese remainder theorem).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from interleave.engine.native.blocks import Block, make_block
from interleave.engine.native.graph import NativeGraph
from interleave.engine.native.passes import paths

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


def topological_order(graph: NativeGraph) -> Any | None:
    """The states, each before those that it leads to: an array, empty where that is the order of
    their numbers. None where there is a cycle.
    """
    if graph.cyclic:
        return None
    if not graph.leads_back:
        return np.empty(0, np.int64)
    space, trees, block, count = graph.packed.space, graph.forest.trees, _block(graph), len(graph)
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


def count_paths(graph: NativeGraph, order: Any, ended: Any, groups: Any, kinds: int) -> list[int]:
    """How many paths end in states of each kind."""
    space, trees, block, count = graph.packed.space, graph.forest.trees, _block(graph), len(graph)
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
            bound = int(total * SLACK) + 1 if math.isfinite(total) else _bound(graph, order)
        for column, prime in enumerate(some):
            primes.append(prime)
            rest = counts.exact[ended * paths.COLUMNS + column]
            remainders.append(_sums(rest, groups, kinds, prime))
    return [_combine(each, primes) for each in zip(*remainders, strict=True)]


def _bound(graph: NativeGraph, order: Any) -> int:
    """More than the number of paths, where that is too large for a floating-point number."""
    logs = np.full(len(graph), -np.inf)
    logs[: graph.initial] = 0
    space, trees, block = graph.packed.space, graph.forest.trees, _block(graph)
    for begin, end in _parts(graph):
        paths.add_logarithms(space, trees, block, order, begin, end, logs)
    ended = np.frombuffer(graph.ended, np.int64)
    bits = float(logs[ended].max()) + math.log2(len(ended))
    return 1 << math.ceil(bits * SLACK + 1)


def _block(graph: NativeGraph) -> Block:
    """Room for some states and what they lead to."""
    return make_block(
        1, graph.packed.words, len(graph.forest.threads), graph.forest.most_steps, MET
    )


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
