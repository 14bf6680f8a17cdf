"""Threads that go on for ever and get nowhere: each of their rounds is like the one before.

That is asked of the components of a state graph that are never left. A thread gets nowhere in one
if it moves there and does not end, gives nothing a new value, and looks at nothing that another
thread changes there. Locks taken and given back, lines of those who wait, timers, and objects made
for one round are no values of the program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from interleave.compiler import Code
from interleave.engine.endings import Targets
from interleave.engine.graph import SearchGraph
from interleave.machine import FAILED, FINISHED, Machine, State, Step
from interleave.memory.made import Held
from interleave.memory.primitive import Primitive


class Retrying(NamedTuple):
    """A thread that gets nowhere any more: from the state with this number on, and there."""

    thread: int
    number: int
    place: tuple[Code, int]
    component: frozenset[int]


def find_retrying(graph: SearchGraph) -> list[Retrying]:
    """The threads that get nowhere, daemons left out, in each component of a complete graph."""
    if not graph.leads_back:
        return []
    found: list[Retrying] = []
    for component in _never_left(graph.targets):
        graph.guard.poll()
        found += _retrying_in(graph, sorted(component))
    return sorted(found, key=lambda each: (each.number, each.thread))


def _retrying_in(graph: SearchGraph, component: list[int]) -> Iterator[Retrying]:
    machine = graph.machine
    reads: dict[int, set[int]] = defaultdict(set)
    changes: dict[int, set[int]] = defaultdict(set)
    first: dict[int, tuple[int, Step]] = {}
    for number in component:
        graph.guard.poll()
        for state, step, _, _ in graph.edges(number):
            first.setdefault(step.thread, (number, step))
            reads[step.thread] |= _looked_at(step)
            changes[step.thread] |= _changed(machine, state, step)
    for thread, (number, step) in first.items():
        others = {place for each, places in changes.items() if each != thread for place in places}
        ends = any(
            machine.local(graph.state(each), thread) in (FINISHED, FAILED) for each in component
        )
        is_daemon = machine.program.threads[thread].daemon
        if not (is_daemon or ends or changes[thread] or reads[thread] & others):
            yield Retrying(thread, number, step.place, frozenset(component))


def _looked_at(step: Step) -> set[int]:
    return {touch.location.index for access in step.accesses for touch in access.reads}


def _changed(machine: Machine, state: State, step: Step) -> set[int]:
    """The places of the state at which a step leaves another value of the program's."""
    heap, found = machine.program.heap, set()
    for place, after in step.writes:
        location, before = heap.changing[place], heap.values[state[place]]
        if location.name and _is_news(heap.owner(location), before, heap.values[after]):
            found.add(place)
    return found


def _is_news(owner: object, before: object, after: object) -> bool:
    """Whether another value of something is another value of the program's."""
    if isinstance(before, Held) and isinstance(after, Held):
        kind = before.kind.stand_in
        if issubclass(kind, Primitive):
            return bool(kind.contents(before.contents) != kind.contents(after.contents))
        return before != after
    if isinstance(before, Held) or isinstance(after, Held):
        return False  # it is made, or let go
    if isinstance(owner, Primitive):
        return bool(owner.contents(before) != owner.contents(after))
    return before != after


def _never_left(targets: Targets) -> list[list[int]]:
    """The strongly connected components that are never left, of those with a transition.

    After R. Tarjan, Depth-first search and linear graph algorithms, 1972.
    """
    found: list[list[int]] = []
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    left: set[int] = set()
    """The states that lead to what is in another component."""
    done: set[int] = set()
    open_states: list[int] = []
    for root in range(len(targets)):
        path = [] if root in order else [(root, iter(targets[root]))]
        while path:
            number, following = path[-1]
            if number not in order:
                order[number] = low[number] = len(order)
                open_states.append(number)
            target = next((each for each in following if each not in order), None)
            if target is not None:
                path.append((target, iter(targets[target])))
                continue
            path.pop()
            for each in targets[number]:
                if each in done:
                    left.add(number)
                else:
                    low[number] = min(low[number], low[each])
            if low[number] == order[number]:
                component = [open_states.pop()]
                while component[-1] != number:
                    component.append(open_states.pop())
                done.update(component)
                if targets[number] and left.isdisjoint(component):
                    found.append(component)
    return found
