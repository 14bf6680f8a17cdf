"""What passes and checks need of a graph, and that passes see what it has and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import get_args

import networkx
import pytest

from interleave import array, thread
from interleave.checks import ALL
from interleave.engine.advancing import begin
from interleave.engine.graph import SearchGraph
from interleave.engine.needs import Need, serves
from interleave.engine.observing import Limits
from interleave.engine.passes import base, endings, shortest, stuck
from interleave.engine.reference import breadth_first
from interleave.engine.search import search
from interleave.engine.steps import RunSteps
from interleave.machine import State, Step
from interleave.model import Model
from interleave.runtimes import DEFAULT

NEEDS: tuple[Need, ...] = get_args(Need)
PASSES = [
    each
    for module in (endings, shortest, stuck)
    for each in vars(module).values()
    if isinstance(each, base.Pass)
]


class Work(Model):
    """Three threads, each with a variable of its own, and one that they share."""

    own = array([0, 0, 0])
    last = None

    @thread(3)
    def work(self, i: int) -> None:
        self.own[i] = 1
        self.own[i] = 2
        self.last = i


class Reduced(SearchGraph):
    """Leaves out steps, in the one place where that is done: it follows one thread in a state, as
    long as that one does nothing that others see.
    """

    keeps = "deadlocks"

    def expand(self, state: State) -> Iterator[Step]:
        steps = list(super().expand(state))
        heap = self.machine.program.heap
        for step in steps:
            if all(heap.changing[place].name != "last" for place, _ in step.writes):
                yield step
                return
        yield from steps


def explored(kind: type[SearchGraph]) -> SearchGraph:
    machine = search(Work, {}, lambda *_: [], runtime=DEFAULT, limits=Limits()).machine
    graph = kind(machine, RunSteps(machine).step)
    begin(graph, machine.initial(), [], Limits())
    list(breadth_first(graph))
    return graph


def test_passes_go_by_what_a_graph_expands(monkeypatch: pytest.MonkeyPatch) -> None:
    full, reduced = explored(SearchGraph), explored(Reduced)
    assert len(reduced) < len(full) / 2
    assert {reduced.state(number) for number in reduced.ended} == {
        full.state(number) for number in full.ended
    }
    monkeypatch.setattr(Reduced, "keeps", "every transition")  # it has not, but they are told so
    for graph in (full, reduced):
        edges = networkx.MultiDiGraph()
        edges.add_nodes_from(range(len(graph)))
        for number in range(len(graph)):
            edges.add_edges_from((number, target) for *_, target in graph.edges(number))
        assert edges.number_of_edges() == graph.transitions
        paths = dict.fromkeys(edges, 0) | {0: 1}
        for number in networkx.topological_sort(edges):
            for _, target in edges.out_edges(number):
                paths[target] += paths[number]
        found, has_cycle = endings.find_endings(graph)
        assert not has_cycle
        assert [count for _, count in found] == [paths[number] for number in graph.ended]
        last = graph.ended[-1]
        (path,) = shortest.paths_to(graph, {last: (last, None)}).values()
        assert len(path.steps) == networkx.shortest_path_length(edges, 0, last)
        assert stuck.find_stuck(graph) == []
        assert endings.any_is_final(graph)


@pytest.mark.parametrize("keeps", NEEDS)
@pytest.mark.parametrize("which", PASSES, ids=lambda each: each.__name__)
def test_a_pass_refuses_a_graph_that_has_kept_too_little(
    which: base.Pass, keeps: Need, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = explored(SearchGraph)
    monkeypatch.setattr(graph, "keeps", keeps)
    arguments = {
        "paths_to": [{}],
        "find_waiting": [[]],
        "leading_to_waiting": [[], []],
        "round_trip": [graph.state(0), frozenset()],
    }
    if NEEDS.index(which.needs) <= NEEDS.index(keeps):
        which(graph, *arguments.get(which.__name__, []))
    else:
        with pytest.raises(ValueError, match=f"{which.__name__} needs {which.needs}"):
            which(graph, *arguments.get(which.__name__, []))


def test_passes_say_what_they_need() -> None:
    assert {each.__name__: each.needs for each in PASSES} == {
        "find_endings": "every transition",
        "any_is_final": "every state",
        "paths_to": "every transition",
        "find_stuck": "every transition",
        "find_waiting": "every transition",
        "leading_to_waiting": "every transition",
        "round_trip": "every transition",
    }


def test_which_checks_a_graph_serves() -> None:
    served = {keeps: {check.__name__ for check in ALL if serves(keeps, [check])} for keeps in NEEDS}
    assert served == {
        "deadlocks": {"DeadlockCheck"},
        "every state": {"DeadlockCheck", "PropertyCheck", "RaceCheck"},
        "every transition": {check.__name__ for check in ALL},
    }
    for some in combinations(ALL, 3):
        for keeps in NEEDS:
            assert serves(keeps, some) == all(each.__name__ in served[keeps] for each in some)
