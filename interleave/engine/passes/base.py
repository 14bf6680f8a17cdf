"""A pass: something that is asked of a whole state graph."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from functools import singledispatch, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

from interleave.engine.needs import Need, serves
from interleave.engine.stopping import Guard
from interleave.engine.targets import Targets
from interleave.machine import Machine, Moves, State, Step


class Graph(Protocol):
    """What a pass sees of a graph, be it full, a product, or one that leaves something out.

    The states are numbered from 0, the initial ones first. What a state leads to is what `expand`
    gives: a graph that leaves out steps does so there.
    """

    machine: Machine
    guard: Guard
    initial: int
    keeps: Need
    ended: array[int]
    step: Callable[[State, int], Moves]
    """All that a thread can do in a state, whether or not the graph has it."""

    def __len__(self) -> int: ...
    def state(self, number: int, /) -> State: ...
    def number(self, state: State, /) -> int | None: ...
    def expand(self, state: State, /) -> Iterator[Step]: ...
    def successors(self, state: State, /) -> Iterator[tuple[Step, State]]: ...
    @property
    def targets(self) -> Targets: ...


P = ParamSpec("P")
R = TypeVar("R")
Kind = TypeVar("Kind")


class Pass(Generic[P, R]):
    """A function of a graph, and of other arguments, that `needs` some of the full graph.

    Kinds of graphs that have a faster way give it by `on`.
    """

    def __init__(self, needs: Need, plain: Callable[Concatenate[Any, P], R]) -> None:
        self.needs = needs
        self._for_kind = singledispatch(plain)
        update_wrapper(self, plain)

    def on(
        self, kind: type[Kind]
    ) -> Callable[[Callable[Concatenate[Kind, P], R]], Callable[Concatenate[Kind, P], R]]:
        """Have a kind of graph asked by a function of its own."""
        return self._for_kind.register(kind)

    def __call__(self, graph: Any, *arguments: P.args, **keywords: P.kwargs) -> R:
        """Ask a graph. The search is over, and has come to its end."""
        if not serves(graph.keeps, [self]):
            name = self._for_kind.__wrapped__.__name__  # type: ignore[attr-defined]
            raise ValueError(f"{name} needs {self.needs}, and the graph has kept {graph.keeps}")
        return self._for_kind(graph, *arguments, **keywords)


def a_pass(*, needs: Need) -> Callable[[Callable[Concatenate[Any, P], R]], Pass[P, R]]:
    """Makes a pass of a function."""
    return lambda function: Pass(needs, function)
