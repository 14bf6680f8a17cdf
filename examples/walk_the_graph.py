"""Walk the state graph of a model with networkx.

    python examples/walk_the_graph.py

Three questions that a check does not ask: what is the shortest way to a state that I have in mind?
Through which states must every run go that ends badly? Where can threads go round for ever?
docs/graphs.md explains what is used here.
"""

from itertools import pairwise
from pathlib import Path

import networkx

import interleave
from interleave import Model, array, thread

MODELS = Path(__file__).parent.parent / "models"


class AfterYou(Model):
    """Two polite people at a door: each waits until the other one has gone first."""

    left_has_gone = False
    right_has_gone = False

    @thread
    def left(self):
        while not self.right_has_gone:
            pass  # after you
        self.left_has_gone = True

    @thread
    def right(self):
        while not self.left_has_gone:
            pass  # after you
        self.right_has_gone = True


def shortest_way():
    """Peterson's algorithm: how can both threads come to wait at the same time?"""
    graph = interleave.explore(MODELS / "classics" / "peterson.py", model="Peterson")
    walk = graph.to_networkx()
    ways = networkx.single_source_shortest_path(walk, 0)
    waiting = [
        state.number
        for state in graph.states()
        if all(place.source and "while" in place.source.text for place in state.threads.values())
    ]
    way = ways[waiting[0]]  # states are numbered breadth-first: this is one of the nearest
    print(f"Both threads wait in state {waiting[0]}, after {len(way) - 1} steps:")
    for source, target in pairwise(way):
        step = walk.edges[source, target, 0]
        print(f"  {step['thread']}  {step['text']}")
    turn = graph.value("turn", waiting[0])
    print(f"  and turn = {turn}, so worker[{turn}] goes on")


def what_bad_runs_share():
    """The bakery without `drawing`: what must have happened when two are in the critical section?"""
    graph = interleave.explore(MODELS / "classics" / "bakery.py", model="NobodyIsDrawing")
    (bad,) = (state.number for state in graph.states() if state.violations)
    dominator = networkx.immediate_dominators(graph.to_networkx(), 0)
    shared = [bad]
    while shared[-1] != 0:
        shared.append(dominator[shared[-1]])
    print(f"\nEvery run that comes to state {bad}, where two are inside, goes through:")
    for number in reversed(shared[1:]):
        state = graph[number]
        print(f"  state {number}: {state.variables}")
        for name, place in state.threads.items():
            print(f"    {name} is about to run: {place.source.text}")


def where_it_goes_round():
    """Components that cannot be left, and in which not all threads have finished."""
    graph = interleave.explore(AfterYou)
    components = networkx.condensation(graph.to_networkx())
    last = [
        sorted(components.nodes[component]["members"])
        for component in components
        if components.out_degree(component) == 0
    ]
    kinds = ", ".join(violation.kind for violation in graph.result.violations)
    print(f"\nAfterYou is {graph.result.verdict} ({kinds}): it goes round for ever in:")
    for states in last:
        if not any(graph[number].final for number in states):
            for number in states:
                steps = [step.line.text for step in graph.transitions_from(number)]
                print(f"  state {number}: {graph[number].variables}, {' or '.join(steps)}")


if __name__ == "__main__":
    shortest_way()
    what_bad_runs_share()
    where_it_goes_round()
