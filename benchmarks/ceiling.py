"""How far two threads can get at all: random reads of a large array, with nothing to share.

    python ceiling.py

prints how many times as many reads two threads do in the same time as one. A search with two
workers looks up states all over memory, and cannot be expected to do better.
"""

from __future__ import annotations

import statistics
import threading
import time

import numba
import numpy

Words = numpy.ndarray[tuple[int], numpy.dtype[numpy.uint64]]

BYTES = 400_000_000
READS = 30_000_000
REPEAT = 3


@numba.njit(nogil=True)
def read(values: Words, reads: int, seed: int) -> numpy.uint64:
    """The sum of so many values at random places (those of a linear congruential generator)."""
    total = numpy.uint64(0)
    place = numpy.uint64(seed)
    length = numpy.uint64(len(values))
    for _ in range(reads):
        place = place * numpy.uint64(6364136223846793005) + numpy.uint64(1442695040888963407)
        total += values[(place >> numpy.uint64(33)) % length]
    return total


def seconds(values: Words, threads: int) -> float:
    """How long it takes that many threads to do `READS` reads each."""
    running = [
        threading.Thread(target=read, args=(values, READS, seed)) for seed in range(1, threads + 1)
    ]
    started = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.perf_counter() - started


def ceiling() -> float:
    """The median over pairs of runs, one thread and two in turn."""
    values = numpy.ones(BYTES // 8, dtype=numpy.uint64)
    read(values, 1, 1)  # compile
    return statistics.median(2 * seconds(values, 1) / seconds(values, 2) for _ in range(REPEAT))


if __name__ == "__main__":
    print(f"{ceiling():.2f}")
