"""The state graph, as a search leaves it behind."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from interleave.engine.engines import Engine
from interleave.engine.needs import Need
from interleave.engine.product import Product
from interleave.engine.stopping import Guard, Stop
from interleave.engine.targets import Targets
from interleave.machine import Machine, Moves, State, Step

Stepper = Callable[[State, int], Moves]
"""Gives all that a thread can do in a state: see `engine.steps`."""


class Spent:
    """Seconds that a search has spent in the native engine, however often it was begun anew."""

    def __init__(self) -> None:
        self.loading = 0.0
        """Loading, or compiling, the kernel."""
        self.kernel = 0.0
        """Running the kernel."""


class SearchGraph:
    """States numbered from 0 breadth-first, threads in declaration order, choices in order.

    Edges are not kept: `expand` gives the steps from a state again. This one keeps states in
    Python's own list and dict; `native.graph.NativeGraph` packs them. What is asked of a whole
    graph is in `engine.passes`.
    """

    keeps: Need = "every transition"
    """What it has of all that there is."""

    def __init__(
        self,
        machine: Machine,
        step: Stepper,
        product: Product | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.machine = machine
        self.step = step
        self.product = product
        self.guard = guard or Guard()
        """What may end the search, and passes over the graph."""
        self.spent = Spent()
        self.engine = Engine()
        """What searched it."""
        self.initial = 0
        """How many initial states there are; they are the first."""
        self.expanded = 0
        """How many states, from the first on, have been expanded."""
        self.met = 0
        """Transitions of the next state that the search has come by: more than 0 only where it was
        stopped while it expanded that state.
        """
        self.level_end = 0
        """The first state of the next level, when the one before it has been expanded."""
        self.transitions = 0
        self.leads_back = False
        """Whether some transition leads to a state with no higher number."""
        self.stop: Stop | None = None
        """What ended the search before it was complete."""
        self.ended = array("q")
        """The states in which no thread can move, in order."""
        self._states: list[State] = []
        self._numbers: dict[State, int] = {}
        self._parents = array("q")

    def all_but_states(self) -> dict[str, object]:
        """What it is made of, by name, but for where its states are: for a graph that goes on."""
        own = ("_states", "_numbers", "_parents", "targets")
        return {name: value for name, value in vars(self).items() if name not in own}

    def __len__(self) -> int:
        """How many states there are."""
        return len(self._numbers)

    def state(self, number: int) -> State:
        """State number `number`."""
        return self._states[number]

    def number(self, state: State) -> int | None:
        """The number of a state; None where it was not found."""
        return self._numbers.get(state)

    def parent(self, number: int) -> int:
        """The state that a state was found from; of an initial state, itself."""
        return self._parents[number]

    def variety(self, place: int) -> int:
        """How many different values there are at a place of the states."""
        return len({state[place] for state in self._states})

    def add(self, state: State, parent: int) -> None:
        """Give the next number to a state that has none."""
        number = len(self)
        self._states.append(state)
        self._parents.append(parent)
        self._numbers[state] = number  # the last: who is interrupted before has added nothing

    @property
    def kind(self) -> str:
        """The engine that it was searched by."""
        return "reference" if self.engine.name == "reference" else "python"

    @property
    def engine_for_more(self) -> Engine:
        """The engine for a product that has as many nodes or more."""
        return replace(self.engine, name="native") if self.kind == "native" else self.engine

    @property
    def workers(self) -> int | None:
        """The threads that the kernel ran in; None where it did not."""
        return None

    @property
    def is_kept(self) -> bool:
        """Whether what was compiled for it is kept for the next run."""
        return True

    @property
    def bytes(self) -> int:
        """What the arrays of states take; 0 where they are in Python's own containers."""
        return 0

    @property
    def peak_bytes(self) -> int:
        """What they took at most."""
        return 0

    def expand(self, state: State) -> Iterator[Step]:
        """Every transition from a state that the search has followed, in order.

        What leaves out some of them does so here, and nowhere else.
        """
        for thread in range(len(self.machine.program.threads)):
            yield from self.step(state, thread).steps

    def successors(self, state: State) -> Iterator[tuple[Step, State]]:
        """Every transition from a state, in order, with the state that it leads to."""
        after, product = self.machine.after, self.product
        if product is None:
            for taken in self.expand(state):
                yield taken, after(state, taken)
            return
        if product.clean and product.fails(self.machine, state):
            return
        for taken in self.expand(state):
            node = list(after(state, taken))
            met = product.clean and taken.failure is not None
            for follower in product.followers:
                if follower.affects(taken):
                    node[follower.place], lost, _ = follower.look(state, taken)
                    met |= product.clean and lost
            if not met:
                yield taken, tuple(node)

    def edges(self, number: int) -> Iterator[tuple[State, Step, State, int | None]]:
        """The transitions from a state that the search has met, in order.

        Each as the state, the step, the state that it leads to, and the number of that: None where
        the search was stopped there.
        """
        most = None if number < self.expanded else self.met if number == self.expanded else 0
        state = self.state(number)
        successors = self.successors(state)
        for taken, after in itertools.islice(successors, most):
            yield state, taken, after, self.number(after)

    def is_end(self, state: State) -> bool:
        """Whether no thread can move, for a state that `successors` gives nothing for."""
        if self.product is None or not self.product.clean:
            return True
        return not (
            self.product.fails(self.machine, state) or any(True for _ in self.expand(state))
        )

    @cached_property
    def targets(self) -> Targets:
        """Where each state leads to. The search has come to its end."""
        return Targets(self._targets_of(number) for number in range(len(self)))

    def _targets_of(self, number: int) -> Iterator[int]:
        self.guard.poll()
        for _, after in self.successors(self.state(number)):
            target = self.number(after)
            assert target is not None
            yield target

    def parents(self) -> Sequence[int]:
        """For each state, the one that it was found from; for an initial state, itself."""
        return self._parents

    def way_to(self, number: int) -> list[int]:
        """The states on the way that the search came to a state: from an initial one to it."""
        way = [number]
        while (parent := self.parent(way[-1])) != way[-1]:
            way.append(parent)
        return way[::-1]

    @property
    def depth(self) -> int:
        """Steps from the initial states to the states farthest from them."""
        return len(self.way_to(len(self) - 1)) - 1 if len(self) else 0
