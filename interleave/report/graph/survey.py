"""One walk over a state graph, which finds what must be known before anything is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import pairwise

from interleave.report import words
from interleave.report.graph.folding import Link
from interleave.result import TraceStep, Violation
from interleave.showing import show
from interleave.stategraph import Counterexample, StateGraph, Transition

Blame = tuple[int, ...]
"""Which counterexamples a transition is a step of, by position among them."""


@dataclass
class Survey:
    """What a state graph looks like: numbers, and names of what is marked.

    `links` are the transitions in order, as (source, target). `failing` are those that an exception
    ends, and `blamed` those on the way of a counterexample, by index of the link. `initial`,
    `final` and `deadlocks` are states; `violating` says which properties do not hold in a state,
    and `ends` which violations have a counterexample that ends there. `varying` are the variables
    that differ among the states, and `values` has all variables of each state, as text.
    """

    initial: set[int]
    links: list[Link] = field(default_factory=list)
    failing: set[int] = field(default_factory=set)
    blamed: dict[int, Blame] = field(default_factory=dict)
    final: set[int] = field(default_factory=set)
    deadlocks: set[int] = field(default_factory=set)
    violating: dict[int, tuple[str, ...]] = field(default_factory=dict)
    ends: dict[int, tuple[Violation, ...]] = field(default_factory=dict)
    varying: tuple[str, ...] = ()
    values: list[Hashable] = field(default_factory=list)

    def stories(self, state: int) -> list[str]:
        """The violations that end in a state and are no property of it: "lost-update on x"."""
        of_states = ("deadlock", "invariant", "postcondition")
        ended = (each for each in self.ends.get(state, ()) if each.kind not in of_states)
        return list(dict.fromkeys(map(words.violation_name, ended)))

    def marked(self) -> set[int]:
        """The states that a picture shows for a reason of their own."""
        return {*self.initial, *self.final, *self.deadlocks, *self.violating, *self.ends}


def survey(graph: StateGraph) -> Survey:
    """Walk over all states and transitions."""
    found = Survey(set(graph.initial))
    _walk_states(graph, found)
    ways = [_way(example) for example in graph.counterexamples]
    for index, transition in enumerate(graph.transitions()):
        found.links.append((transition.source, transition.target))
        if transition.failure:
            found.failing.add(index)
        blame = tuple(number for number, way in enumerate(ways) if _takes(way, transition))
        if blame:
            found.blamed[index] = blame
    for example in graph.counterexamples:
        if len(example.states) > len(example.violation.trace.steps):
            end = example.states[-1]
            found.ends[end] = (*found.ends.get(end, ()), example.violation)
    return found


def _walk_states(graph: StateGraph, found: Survey) -> None:
    numbers: dict[tuple[str, ...], tuple[str, ...]] = {}  # equal texts share their memory
    seen: dict[str, Counter[str]] = {}
    for state in graph.states():
        texts = [show(value) for value in state.variables.values()]
        for name, text in zip(state.variables, texts, strict=True):
            seen.setdefault(name, Counter())[text] += 1
        # What threads make is not there in all states.
        key = (*state.variables, *texts)
        found.values.append(numbers.setdefault(key, key))
        if state.final:
            found.final.add(state.number)
        if state.deadlock:
            found.deadlocks.add(state.number)
        properties = tuple(name for name in state.violations if name != "deadlock")
        if properties:
            found.violating[state.number] = properties
    found.varying = tuple(
        name for name, texts in seen.items() if max(texts.values()) < len(found.values)
    )


_Way = dict[Link, list[TraceStep]]


def _way(example: Counterexample) -> _Way:
    way: _Way = {}
    for link, step in zip(
        pairwise(example.states), example.violation.trace.steps, strict=False
    ):  # one state is missing where the search stopped before it
        way.setdefault(link, []).append(step)
    return way


def _takes(way: _Way, transition: Transition) -> bool:
    """Whether a transition is a step of the way: of those to one state, only the one taken."""
    steps = way.get((transition.source, transition.target), ())
    return any(
        (step.thread, step.accesses, step.source, step.outcome)
        == (transition.thread, transition.accesses, transition.line, transition.outcome)
        for step in steps
    )
