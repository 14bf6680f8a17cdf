"""Searching one model: the program, the engine, and a fresh start where one is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from interleave.engine.graph import SearchGraph
from interleave.engine.reference import Limits, Observer, explore
from interleave.engine.trees import LearntSteps
from interleave.errors import EndlessLoop
from interleave.machine import Machine
from interleave.model import Model
from interleave.program import Program, Written

ENGINES = ("auto", "reference")
"""`reference` runs the Python code of every step; `auto` learns each case once."""

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
    engine: str = "auto",
    limits: Limits,
) -> Searched[Watching]:
    """Explore the state graph of a model, watched by `observers`. Raises `ModelError`.

    Locations are taken for constants until something writes them: then the search begins again,
    knowing that, so that looking at a constant is never counted as a step. A loop that seems to
    wait for a constant has the benefit of the doubt: the search begins again as if what it looks at
    were written, and once more with what really was.
    """
    written: frozenset[str] = frozenset()
    assumed: frozenset[str] = frozenset()
    refuted: frozenset[str] = frozenset()
    while True:
        machine = Machine(Program(model, dict(parameters), written | assumed))
        learnt = LearntSteps(machine)
        watching = observers(machine, learnt)
        step = machine.step if engine == "reference" else learnt.step
        try:
            graph = explore(machine, step, watching, limits)
        except Written as found:
            written |= {found.key}
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
        return Searched(machine, learnt, watching, graph)
