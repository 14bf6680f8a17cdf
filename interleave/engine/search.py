"""Searching one model: the program, the engine, and a fresh start where one is needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

from interleave.compiler import Compilations
from interleave.engine.advancing import advance, begin
from interleave.engine.ahead import look_ahead
from interleave.engine.engines import Engine
from interleave.engine.graph import SearchGraph, Spent
from interleave.engine.observing import Limits, Observer
from interleave.engine.preemptions import FewPreemptions
from interleave.engine.product import Product
from interleave.engine.steps import LearntSteps, RunSteps, Steps
from interleave.engine.stopping import Guard
from interleave.errors import EndlessLoop, UsageError
from interleave.interrupts import ANYWHERE, AT_POLLS, leaving
from interleave.machine import Machine, State
from interleave.model import Model
from interleave.program import Discoveries, Program, Restart
from interleave.records import dataclass
from interleave.runtimes import Runtime
from interleave.world.real_state import RealState

ENOUGH_FOR_NATIVE = 10_000
"""Moves looked up in Python, one for each thread in each state, from which on it pays to load the
kernel: that takes a tenth of a second, and so do they.
"""

ENOUGH_TO_LOOK_AHEAD = 2
"""Fresh starts from which on it pays to look ahead for what else the program lacks."""

Watching = TypeVar("Watching", bound=Observer)


@dataclass(frozen=True)
class Searched(Generic[Watching]):
    """A search that is over."""

    machine: Machine
    steps: Steps
    observers: Sequence[Watching]
    graph: SearchGraph
    known: Discoveries
    """What its program was made with."""
    make: Callable[[], Program]
    """Makes that once more."""


class Memory(Protocol):
    """What was learnt of a model before."""

    def recall(self, make: Callable[[Discoveries], Program]) -> tuple[Machine, Discoveries] | None:
        """A machine that knows it, with what its program was made with; None where there is none.

        `make` makes a program.
        """
        ...


def search(
    model: type[Model],
    parameters: Mapping[str, object],
    observers: Callable[[Machine, Steps], Sequence[Watching]],
    *,
    runtime: Runtime,
    engine: Engine | None = None,
    limits: Limits,
    guard: Guard | None = None,
    memory: Memory | None = None,
    preemptions: int | None = None,
    among: Callable[[Steps, Machine], Steps] | None = None,
) -> Searched[Watching]:
    """Explore the state graph of a model, watched by `observers`. Raises `ModelError`.

    Of the steps, `among` gives those that are followed, where these are not all.

    Where it is cut short there is a part of the graph, whose `stop` says why; unless that comes
    before there is any. So it is where only interleavings with so many `preemptions` at most are
    followed, and there are others.

    Locations are taken for constants until something writes them: then the search begins again,
    knowing that, so that looking at a constant is never counted as a step. A loop that seems to
    wait for a constant has the benefit of the doubt: the search begins again as if what it looks at
    were written, and once more with what really was.
    """
    engine, spent, guard = engine or Engine(), Spent(), guard or Guard()
    known = Discoveries()
    assumed: frozenset[str] = frozenset()
    refuted: frozenset[str] = frozenset()
    real, compilations = RealState(model), Compilations()
    few = None if preemptions is None else FewPreemptions(preemptions)
    restarts = 0

    def make(known: Discoveries, *, all_change: bool = False) -> Program:
        program = Program(
            model,
            dict(parameters),
            known.written,
            runtime,
            known.spawned,
            known.rooms,
            roots=known.roots,
            method_names=known.method_names,
            attributes=known.attributes,
            swallowing=known.swallowing,
            real=real,
            compilations=compilations,
            all_change=all_change,
        )
        if few is not None:
            few.add_to(program)
        return program

    with real:
        recalled = memory.recall(make) if memory is not None else None
        if recalled is not None:
            _, known = recalled
        while True:
            real.compare()
            supposed = known.with_written(assumed)
            try:
                machine = recalled[0] if recalled is not None else Machine(make(supposed))
                recalled = None
                steps: Steps = (RunSteps if engine.name == "reference" else LearntSteps)(machine)
                if few is not None:
                    steps = few.among(steps, machine)
                if among is not None:
                    steps = among(steps, machine)
                watching = observers(machine, steps)
                graph = explore(machine, steps, watching, engine, limits, guard, spent=spent)
            except Restart as restart:
                restart.add_to(known)
                restarts += 1
                is_whole = few is None and not limits.first_violation
                if is_whole and (
                    restarts == ENOUGH_TO_LOOK_AHEAD
                    or (restarts > ENOUGH_TO_LOOK_AHEAD and restart.is_ordered)
                ):
                    real.compare()
                    with guard.phase(), leaving(AT_POLLS):
                        look_ahead(partial(make, all_change=True), known)
                continue
            except EndlessLoop as loop:
                doubtful = loop.constants - assumed - refuted
                if not doubtful:
                    raise
                assumed |= doubtful
                continue
            vain = assumed - machine.program.findings.written.keys()
            if vain and graph.stop is None:
                known.written |= assumed - vain
                refuted |= vain
                assumed = frozenset()
                continue
            real.compare()
            if few is not None:
                graph.stop = graph.stop or few.stop
            return Searched(machine, steps, watching, graph, supposed, partial(make, supposed))


def explore(
    machine: Machine,
    steps: Steps,
    observers: Sequence[Observer],
    engine: Engine,
    limits: Limits,
    guard: Guard,
    *,
    product: Product | None = None,
    initial: Sequence[State] | None = None,
    spent: Spent | None = None,
) -> SearchGraph:
    """The state graph of a machine, every state and every transition of it, within limits.

    Or the part of a `product` that can be reached from the nodes `initial`. Adds to `spent`. The
    search is a phase of `guard`, which the graph keeps.
    """
    graph = SearchGraph(machine, steps.step, product, guard)
    graph.engine = engine
    graph.spent = spent or Spent()
    with guard.phase() as phase, leaving(AT_POLLS):
        begin(graph, machine.initial() if initial is None else initial, observers, limits)
        enough = ENOUGH_FOR_NATIVE // len(machine.program.threads)
        sees_all = [each for each in observers if each.sees_all]
        if sees_all and engine.name == "native":
            raise UsageError(
                f"{type(sees_all[0]).__name__} is to be told of every transition, and the native "
                "engine tells of the first of each learnt step",
                remedy="leave the engine to interleave, or say that those are enough: "
                "sees_all = False",
            )
        until = None if sees_all else {"auto": enough, "native": 0}.get(engine.name)
        advance(graph, observers, limits, until=until)
        if graph.expanded == len(graph) or graph.stop is not None:
            return graph
        loading = time.perf_counter()
        try:
            with leaving(ANYWHERE):  # it takes a while, and longer where it is compiled
                from interleave.engine.native.search import NativeSearch
        except (ImportError, OSError) as error:
            if engine.name == "native":
                raise UsageError(
                    f"the native engine cannot be loaded: {error}",
                    remedy="install numba, or leave the engine to interleave",
                ) from error
            advance(graph, observers, limits)
            return graph
        with leaving(ANYWHERE):
            native = NativeSearch(graph, observers, limits)
        graph = native.graph
        graph.spent.loading += time.perf_counter() - loading
        native.run()
    graph.stop = graph.stop or phase.stop
    return graph
