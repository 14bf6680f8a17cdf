"""Searching one model: the program, the engine, and a fresh start where one is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from interleave.engine.graph import SearchGraph
from interleave.engine.reference import Limits, Observer, explore
from interleave.engine.trees import LearntSteps
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
    knowing that, so that looking at a constant is never counted as a step.
    """
    written: frozenset[str] = frozenset()
    while True:
        machine = Machine(Program(model, dict(parameters), written))
        learnt = LearntSteps(machine)
        watching = observers(machine, learnt)
        step = machine.step if engine == "reference" else learnt.step
        try:
            graph = explore(machine, step, watching, limits)
        except Written as found:
            written |= {found.key}
        else:
            # Whichever engine numbered the states: edges are looked at again with what was learnt.
            graph.step = learnt.step
            return Searched(machine, learnt, watching, graph)
