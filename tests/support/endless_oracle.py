"""What threads do for ever, by the definitions: on the state graph as users have it, by networkx.

Models are to have plain variables, containers, and locks that are named "lock...".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import networkx

from interleave import StateGraph
from interleave.result import Change
from interleave.stategraph import Transition


@dataclass(frozen=True)
class Part:
    """A component in which one can stay for ever."""

    states: frozenset[int]
    inside: tuple[Transition, ...]
    """The transitions that stay in it."""
    is_left: bool
    is_fair: bool
    """Whether each thread takes a step inside, or cannot move in one of its states."""

    @property
    def first(self) -> int:
        return min(self.states)


@dataclass(frozen=True)
class Livelock:
    """A part, and the threads in it: those that wait busily, and those that are blocked."""

    part: Part
    waiting: frozenset[str]
    blocked: frozenset[str]
    nobody_works: bool


class Oracle:
    """What is to be said of a complete state graph. `daemons` are the names of such threads."""

    def __init__(self, states: StateGraph, daemons: set[str], source: str) -> None:
        self._states = states
        self._needed = [name for name in states.threads if name not in daemons]
        self._without_end = _lines_without_end(source)
        self._from = {n: list(states.transitions_from(n)) for n in range(len(states))}
        self._graph = networkx.DiGraph()
        self._graph.add_nodes_from(self._from)
        self._graph.add_edges_from(
            (each.source, each.target) for some in self._from.values() for each in some
        )
        self.parts = sorted(self._parts(), key=lambda part: part.first)

    def _parts(self) -> Iterator[Part]:
        for found in networkx.strongly_connected_components(self._graph):
            all_of_it = [each for number in found for each in self._from[number]]
            inside = tuple(each for each in all_of_it if each.target in found)
            if inside:
                idle = set(self._states.threads) - {each.thread for each in inside}
                always = [
                    thread
                    for thread in idle
                    if all(thread in {t.thread for t in self._from[n]} for n in found)
                ]
                yield Part(frozenset(found), inside, len(inside) < len(all_of_it), not always)

    def livelocks(self) -> list[Livelock]:
        """In the order of their first states."""
        found = []
        for part in self.parts:
            if part.is_left:
                continue
            movers = {each.thread for each in part.inside}
            workers = {thread for thread in movers if self._works(thread, part)}
            waiting = {
                thread
                for thread in movers - workers
                if thread in self._needed and self._waits(thread, part)
            }
            positions = self._states[part.first].threads
            blocked = {
                name
                for name in self._needed
                if name not in movers and positions[name].status == "running"
            }
            if waiting:
                found.append(Livelock(part, frozenset(waiting), frozenset(blocked), not workers))
        return found

    def stuck(self) -> list[tuple[int, tuple[str, ...]]]:
        """The states in which threads are stuck, with these."""
        ends = {each.part.first for each in self.livelocks() if each.nobody_works}
        endless = {
            number
            for part in self.parts
            if part.is_fair and part.first not in ends
            for number in part.states
        }
        found = []
        for number in self._from:
            reached = networkx.descendants(self._graph, number) | {number}
            moving = {each.thread for n in reached for each in self._from[n]}
            positions = self._states[number].threads
            threads = tuple(
                name
                for name in self._needed
                if positions[name].status == "running" and name not in moving
            )
            if threads and reached & endless:
                found.append((number, threads))
        return found

    def _works(self, thread: str, part: Part) -> bool:
        reads: set[str] = set()
        changes: set[str] = set()
        for each in part.inside:
            changed = {name for change in each.changes for name in _content(change)}
            if each.thread == thread:
                if changed:
                    return True
                reads |= {access.location or "" for access in each.accesses}
            else:
                changes |= changed
        return bool(reads & changes)

    def _waits(self, thread: str, part: Part) -> bool:
        passed_on = {
            change.location
            for each in part.inside
            if each.thread != thread
            for change in each.changes
        }
        for each in part.inside:
            if each.thread != thread:
                continue
            position = self._states[each.source].threads[thread].source
            if position is None or position.line not in self._without_end:
                return True
            for access in each.accesses:
                if access.kind == "read":
                    return True
                if access.kind == "try acquire" and not each.changes:
                    if access.location not in passed_on:
                        return True
        return False


def _content(change: Change) -> Iterator[str]:
    """What a step has changed that is no lock: of a dict, each item."""
    before, after = change.before, change.after
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            if before.get(key) != after.get(key):
                yield f"{change.location}[{key!r}]"
    elif not change.unchanged and not change.location.startswith("lock"):
        yield change.location


def _lines_without_end(source: str) -> set[int]:
    """The lines in loops that are never left."""
    loops = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.While)
        and isinstance(node.test, ast.Constant)
        and not any(isinstance(each, ast.Break | ast.Return) for each in ast.walk(node))
    ]
    return {line for loop in loops for line in range(loop.lineno, (loop.end_lineno or 0) + 1)}
