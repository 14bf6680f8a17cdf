"""Shortest paths, in the state graph and in graphs built on top of it.

Among the shortest paths it is one with the fewest context switches, as long as the graph is small
enough for that to be cheap; and always the same one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple, TypeVar

from interleave.engine.graph import SearchGraph
from interleave.engine.passes.base import a_pass
from interleave.engine.stopping import Guard
from interleave.machine import State, Step

Node = TypeVar("Node", bound=Hashable)
Cause = TypeVar("Cause", bound=Hashable)

CHEAP = 100_000
"""Transitions of a state graph up to which paths are chosen by their context switches."""


class Path(NamedTuple):
    """A way through the state graph: each state with the step taken from it."""

    steps: tuple[tuple[State, Step], ...]


class _Arrival:
    """A shortest way to come to a node, whose last step is of one thread (-1: there is none).

    `switches` counts the context switches on the way; `rank` orders the arrivals of one level by
    the threads that take the steps, from the first step on.
    """

    __slots__ = ("before", "rank", "step", "switches", "thread")

    def __init__(
        self,
        thread: int,
        switches: int,
        rank: int,
        before: _Arrival | None,
        step: tuple[State, Step] | None,
    ) -> None:
        self.thread = thread
        self.switches = switches
        self.rank = rank
        self.before = before
        self.step = step

    def path(self) -> Path:
        steps = []
        arrival: _Arrival | None = self
        while arrival is not None and arrival.step is not None:
            steps.append(arrival.step)
            arrival = arrival.before
        return Path(tuple(reversed(steps)))


def shortest(
    starts: Iterable[Node],
    expand: Callable[[Node], Iterable[tuple[State, Step, Node | None]]],
    goals: Callable[[Node, Step | None, Node | None], list[Cause]],
    *,
    enough: Callable[[dict[Cause, Path]], bool],
    guard: Guard,
) -> dict[Cause, Path]:
    """For each cause, the shortest path that shows it, in the order in which they are met.

    Breadth-first over nodes: `expand` gives the edges of one, each as the state, the step taken
    from it, and the node that this leads to (None: the step is of interest only as the last one).
    `goals(node, step, target)` names the causes that an edge shows; it is asked with
    (node, None, None) about the starts. The search ends when `enough` says so of what was found,
    after finishing the level it is at; or where `guard` ends it, with those found by then.
    """
    found: dict[Cause, Path] = {}
    with guard.phase():
        level: dict[Node, list[_Arrival]] = {}
        for rank, node in enumerate(starts):
            level[node] = [_Arrival(-1, 0, rank, None, None)]
            for cause in goals(node, None, None):
                found.setdefault(cause, Path(()))
        visited = set(level)
        while level and not enough(found):
            following: dict[Node, dict[int, _Arrival]] = {}
            met: dict[Cause, _Arrival] = {}
            for node, arrivals in level.items():
                guard.poll()
                for state, step, target in expand(node):
                    arrival = _arrival(arrivals, state, step)
                    for cause in goals(node, step, target):
                        if cause not in found and _is_better(arrival, met.get(cause)):
                            met[cause] = arrival
                    if target is not None and target not in visited:
                        known = following.setdefault(target, {})
                        if _is_better(arrival, known.get(step.thread)):
                            known[step.thread] = arrival
            for cause, arrival in met.items():
                found[cause] = arrival.path()
            visited.update(following)
            level = {node: list(arrivals.values()) for node, arrivals in following.items()}
            _rank([arrival for arrivals in level.values() for arrival in arrivals])
    return found


def _arrival(arrivals: list[_Arrival], state: State, step: Step) -> _Arrival:
    """What becomes of the best of some arrivals by one more step. Its rank is still that before."""

    def cost(arrival: _Arrival) -> tuple[int, int]:
        return arrival.switches + (arrival.thread not in (-1, step.thread)), arrival.rank

    best = min(arrivals, key=cost)
    return _Arrival(step.thread, cost(best)[0], best.rank, best, (state, step))


def _is_better(new: _Arrival, known: _Arrival | None) -> bool:
    """Fewer context switches; among equals, the thread declared first takes the first step."""
    if known is None:
        return True
    return (new.switches, new.rank, new.thread) < (known.switches, known.rank, known.thread)


def _rank(level: list[_Arrival]) -> None:
    """Give the arrivals of a level, ranked as what they come from, ranks of their own."""
    level.sort(key=lambda arrival: (arrival.rank, arrival.thread))
    for rank, arrival in enumerate(level):
        arrival.rank = rank


def goal_key(number: int, step: Step | None) -> Hashable:
    """What names a goal among the results of `paths_to`."""
    return number if step is None else (number, step.thread, step.outcome())


@a_pass(needs="every transition")
def paths_to(
    graph: SearchGraph, goals: dict[Hashable, tuple[int, Step | None]]
) -> dict[Hashable, Path]:
    """The shortest path to each goal, with the fewest context switches, where that is cheap.

    A goal is a state, or a step that fails, together with the state that it is taken from; its key
    is its `goal_key`. Those that are left out, of a large graph or where the guard of the graph has
    ended it, `path_by_search` finds.
    """
    if graph.transitions > CHEAP:
        return {}

    def expand(number: int) -> Iterable[tuple[State, Step, int | None]]:
        for state, step, _, target in graph.edges(number):
            yield state, step, target

    def goals_at(number: int, step: Step | None, target: int | None) -> list[Hashable]:
        if step is None:
            return [number] if number in goals else []
        met: list[Hashable] = [target] if target in goals else []
        if step.failure is not None and (key := goal_key(number, step)) in goals:
            met.append(key)
        return met

    return shortest(
        range(graph.initial),
        expand,
        goals_at,
        enough=lambda found: len(found) == len(goals),
        guard=graph.guard,
    )


def path_by_search(graph: SearchGraph, number: int, last: Step | None) -> Path:
    """The way that the search came to a state, and a last step from there.

    It is a shortest one, and among these the one whose threads come first in order of declaration.
    """
    states = [graph.state(each) for each in graph.way_to(number)]
    steps = [
        (before, next(step for step, found in graph.successors(before) if found == after))
        for before, after in itertools.pairwise(states)
    ]
    if last is not None:
        steps.append((states[-1], last))
    places = graph.machine.locations + len(graph.machine.program.threads)
    return Path(tuple((state[:places], step) for state, step in steps))


MOST_OF_ROUND = 20_000
"""Places of the search for a round trip, each a state with who has moved, from which on it is given
up.
"""


@a_pass(needs="every transition")
def round_trip(graph: SearchGraph, state: State, threads: frozenset[int]) -> Path:
    """A shortest way from a state back to it on which each of some threads takes a step.

    It is empty where there is none, or where it is too long a search.
    """
    start: tuple[State, frozenset[int]] = (state, frozenset())
    expanded = itertools.count()

    def expand(
        node: tuple[State, frozenset[int]],
    ) -> Iterable[tuple[State, Step, tuple[State, frozenset[int]] | None]]:
        before, moved = node
        if next(expanded) < MOST_OF_ROUND:
            for step, after in graph.successors(before):
                yield before, step, (after, moved | ({step.thread} & threads))

    def goals(
        _: tuple[State, frozenset[int]],
        step: Step | None,
        target: tuple[State, frozenset[int]] | None,
    ) -> list[str]:
        return ["back"] if step is not None and target == (state, threads) else []

    found = shortest([start], expand, goals, enough=bool, guard=graph.guard)
    return found.get("back", Path(()))
