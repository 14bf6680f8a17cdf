"""What a lock costs: in how many orders threads can still access what they share."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from interleave.checks import Check
from interleave.engine.search import Searched
from interleave.mending.holding import is_lock

MOST_SETS = 20_000
"""Sets of states, at most, to tell orders apart."""

Label = tuple[int, str, int]


def orders(found: Searched[Check]) -> int | None:
    """The number of orders in which threads can perform their accesses, from a beginning to an end.

    Taking a lock and giving it back is no access here, so that a program can be compared with one
    that has more locks. Interleavings with the same accesses in the same order are one. None where
    there is no end to them, as threads go round, and where it takes too much to tell. Raises
    `Stopped`.
    """
    graph = found.graph
    if graph.stop is not None or len(graph) > MOST_SETS:
        return None
    edges = _Edges(found)
    return edges.words()


class _Edges:
    """A state graph as an automaton whose letters are accesses."""

    def __init__(self, found: Searched[Check]) -> None:
        graph = found.graph
        self._silent: list[list[int]] = [[] for _ in range(len(graph))]
        self._letters: list[list[tuple[Label, int]]] = [[] for _ in range(len(graph))]
        self._ends = frozenset(graph.ended)
        self._initial = graph.initial
        self._closed: dict[int, frozenset[int]] = {}
        machine = found.machine
        for number in range(len(graph)):
            graph.guard.poll()
            for state, step, after, target in graph.edges(number):
                if target is None:
                    continue
                letters = [
                    (step.thread, access.kind.name, -1 if where is None else where.number)
                    for access in step.accesses
                    if access.kind.name
                    for where in [access.kind.location]
                    if where is None
                    or not (is_lock(machine, state, where) or is_lock(machine, after, where))
                ]
                at = number
                for place, letter in enumerate(letters):
                    is_last = place == len(letters) - 1
                    to = target if is_last else self._add()
                    self._letters[at].append((letter, to))
                    at = to
                if not letters:
                    self._silent[number].append(target)

    def _add(self) -> int:
        self._silent.append([])
        self._letters.append([])
        return len(self._silent) - 1

    def _closure(self, node: int) -> frozenset[int]:
        """What is reached without a letter."""
        if node not in self._closed:
            seen, waiting = {node}, [node]
            while waiting:
                for each in self._silent[waiting.pop()]:
                    if each not in seen:
                        seen.add(each)
                        waiting.append(each)
            self._closed[node] = frozenset(seen)
        return self._closed[node]

    def _after(self, nodes: frozenset[int]) -> Iterator[frozenset[int]]:
        by_letter: dict[Hashable, set[int]] = {}
        for node in sorted(nodes):
            for letter, to in self._letters[node]:
                by_letter.setdefault(letter, set()).update(self._closure(to))
        return (frozenset(each) for each in by_letter.values())

    def words(self) -> int | None:
        """How many words lead from a beginning to an end."""
        start = frozenset[int]().union(*[self._closure(each) for each in range(self._initial)])
        known: dict[frozenset[int], int] = {}
        entered: set[frozenset[int]] = set()
        waiting = [start]
        while waiting:
            nodes = waiting[-1]
            if nodes in known:
                waiting.pop()
                continue
            after = [*self._after(nodes)]
            if nodes in entered:
                ends = 0 if self._ends.isdisjoint(nodes) else 1
                known[nodes] = ends + sum(known[each] for each in after)
                waiting.pop()
                continue
            entered.add(nodes)
            missing = [each for each in after if each not in known]
            if len(entered) > MOST_SETS or any(each in entered for each in missing):
                return None
            waiting += missing
        return known[start]
