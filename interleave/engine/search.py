"""Searching one model: the program, the engine, and a fresh start where one is needed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from interleave.engine.graph import INTERRUPTED, SearchGraph, Spent
from interleave.engine.observing import Engine, Limits, Observer
from interleave.engine.product import Product
from interleave.engine.reference import advance, begin
from interleave.engine.trees import LearntSteps
from interleave.errors import EndlessLoop, UsageError
from interleave.machine import Machine, State
from interleave.model import Model
from interleave.program import MoreRooms, MoreThreads, Program, RoomKey, RoomOwner, Written
from interleave.records import dataclass
from interleave.world.guard import Guard

ENGINES = ("auto", "reference", "native")
"""How to search.

`reference` runs the Python code of every step. `native` learns each case once, and has a compiled
kernel explore the graph. `auto` learns too, and goes over to the kernel where that pays.
"""

ENOUGH_FOR_NATIVE = 40_000
"""Moves looked up in Python, one for each thread in each state, from which on it pays to load the
kernel: that takes a third of a second, and so do they.
"""

Watching = TypeVar("Watching", bound=Observer)


@dataclass(frozen=True)
class Searched(Generic[Watching]):
    """A search that is over."""

    machine: Machine
    learnt: LearntSteps
    observers: Sequence[Watching]
    graph: SearchGraph


def search(
    model: type[Model],
    parameters: Mapping[str, object],
    observers: Callable[[Machine, LearntSteps], Sequence[Watching]],
    *,
    runtime: str,
    engine: Engine | None = None,
    limits: Limits,
) -> Searched[Watching]:
    """Explore the state graph of a model, watched by `observers`. Raises `ModelError`.

    Locations are taken for constants until something writes them: then the search begins again,
    knowing that, so that looking at a constant is never counted as a step. A loop that seems to
    wait for a constant has the benefit of the doubt: the search begins again as if what it looks at
    were written, and once more with what really was.
    """
    spent = Spent()
    written: frozenset[str] = frozenset()
    rooms: Counter[RoomKey] = Counter()
    object_rooms: Counter[RoomOwner] = Counter()
    assumed: frozenset[str] = frozenset()
    refuted: frozenset[str] = frozenset()
    guard = Guard(model)
    with guard:
        while True:
            guard.compare()
            known = written | assumed
            machine = Machine(
                Program(model, dict(parameters), known, runtime, rooms, object_rooms, guard)
            )
            learnt = LearntSteps(machine)
            watching = observers(machine, learnt)
            try:
                graph = explore(machine, learnt, watching, engine or Engine(), limits, spent=spent)
            except Written as found:
                written |= {found.key}
                continue
            except MoreThreads as found:
                rooms[found.key] += 1
                continue
            except MoreRooms as found:
                object_rooms[found.key] += 1
                continue
            except EndlessLoop as loop:
                doubtful = loop.constants - assumed - refuted
                if not doubtful:
                    raise
                assumed |= doubtful
                continue
            vain = assumed - machine.written
            if vain and not graph.limit:
                written |= assumed - vain
                refuted |= vain
                assumed = frozenset()
                continue
            # Whichever engine numbered the states: edges are looked at again with what was learnt.
            graph.step = learnt.step
            guard.compare()
            return Searched(machine, learnt, watching, graph)


def explore(
    machine: Machine,
    learnt: LearntSteps,
    observers: Sequence[Observer],
    engine: Engine,
    limits: Limits,
    *,
    product: Product | None = None,
    initial: Sequence[State] | None = None,
    spent: Spent | None = None,
) -> SearchGraph:
    """The state graph of a machine, every state and every transition of it, within limits.

    Or the part of a `product` that can be reached from the nodes `initial`. Adds to `spent`.
    """
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds
    # Followers know steps by identity, and those that are learnt are always the same.
    learns = engine.name != "reference" or product is not None
    graph = SearchGraph(machine, learnt.step if learns else machine.step, product)
    graph.engine = engine
    graph.spent = spent or Spent()
    try:
        begin(graph, machine.initial() if initial is None else initial, observers, limits)
        enough = ENOUGH_FOR_NATIVE // len(machine.program.threads)
        until = {"auto": enough, "native": 0}.get(engine.name)
        advance(graph, observers, limits, deadline, until=until)
        if graph.expanded == len(graph) or graph.limit:
            return graph
        loading = time.perf_counter()
        try:
            from interleave.engine.native.search import NativeSearch
        except ImportError as error:
            if engine.name == "native":
                raise UsageError(
                    f"the native engine cannot be loaded: {error}",
                    remedy="install numba, or leave the engine to interleave",
                ) from error
            advance(graph, observers, limits, deadline)
            return graph
        native = NativeSearch(graph, learnt, observers, limits, deadline)
        graph = native.graph
        graph.spent.loading += time.perf_counter() - loading
        native.run()
    except KeyboardInterrupt:
        graph.limit = INTERRUPTED
    return graph
