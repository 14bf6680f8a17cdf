"""How many interleavings there are, in which outcomes they end, and how many meet a violation.

An interleaving is a maximal path from an initial state, deadlocks included. Where the graph has a
cycle there is no end to them, and nothing is counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import replace

from interleave.checks import Check
from interleave.engine.observing import Limits
from interleave.engine.passes.endings import find_endings, how_it_ended
from interleave.engine.product import Product
from interleave.engine.search import Searched, explore
from interleave.machine import Machine, State
from interleave.result import Interleavings, Outcome
from interleave.showing import show
from interleave.tracing import variables

MOST_NODES = 1_000_000
"""Pairs of a state and what the checks hold there, at most, to count what meets no violation."""


def count_interleavings(found: Searched[Check], *, any_violation: bool) -> Interleavings:
    """What there is to count in a state graph, which is complete. Raises `Stopped`."""
    graph, machine = found.graph, found.machine
    endings, has_cycle = find_endings(graph)
    outcomes = _outcomes(machine, [(graph.state(number), paths) for number, paths in endings])
    if has_cycle:
        return Interleavings(None, None, outcomes)
    total = sum(paths or 0 for _, paths in endings)
    if not any_violation:
        return Interleavings(total, 0, outcomes)
    try:
        return Interleavings(total, total - _clean_paths(found, found.observers), outcomes)
    except _TooMuch as too_much:
        return Interleavings(total, None, outcomes, uncounted=str(too_much))


class _TooMuch(Exception):
    """Why it is not counted how many interleavings meet a violation."""


def _outcomes(machine: Machine, endings: Sequence[tuple[State, int | None]]) -> tuple[Outcome, ...]:
    """How interleavings end. Final states that no report tells apart (by who waits) are one."""
    found: dict[object, Outcome] = {}
    for state, paths in endings:
        known = tuple(variables(machine, state).items())
        how, main = how_it_ended(machine, state), machine.program.runtime.main
        outcome = Outcome(known, how, paths, main)
        key = (outcome.how, *[(name, _told_apart(value)) for name, value in outcome.state])
        before = found.get(key)
        if before is not None and before.interleavings is not None and paths is not None:
            outcome = replace(outcome, interleavings=before.interleavings + paths)
        found[key] = outcome
    return tuple(found.values())


def _told_apart(value: object) -> Hashable:
    """What is the same for two values that no report tells apart."""
    if isinstance(value, list | tuple | deque):
        return (type(value), *map(_told_apart, value))
    if isinstance(value, dict):
        return (dict, *[(_told_apart(key), _told_apart(item)) for key, item in value.items()])
    return (type(value), value if isinstance(value, int | str) else show(value))


def clean_outcomes(found: Searched[Check]) -> tuple[Outcome, ...] | None:
    """How interleavings end that meet no violation, in a state graph that is complete; None where
    it takes too much to tell. Raises `Stopped`.
    """
    try:
        return _outcomes(found.machine, _clean_endings(found, found.observers))
    except _TooMuch:
        return None


def outcome_key(outcome: Outcome) -> tuple[str, dict[str, Hashable]]:
    """How an interleaving ended, and its variables by name: equal where no report tells apart."""
    return outcome.how, {name: _told_apart(value) for name, value in outcome.state}


def _clean_paths(found: Searched[Check], checks: Sequence[Check]) -> int:
    """How many interleavings meet no violation. Raises `_TooMuch`."""
    return sum(paths or 0 for _, paths in _clean_endings(found, checks))


def _clean_endings(
    found: Searched[Check], checks: Sequence[Check]
) -> list[tuple[State, int | None]]:
    """How interleavings end that meet no violation, and how many of them end so. Raises `_TooMuch`
    where it takes that to tell.

    Whether a path meets one may depend on the way it came, so states are taken together with what
    the checks hold of it.
    """
    graph, machine = found.graph, found.machine
    too_many = f"it takes more than {MOST_NODES:,} states to tell"
    if len(graph) > MOST_NODES:
        raise _TooMuch(too_many)
    for check in checks:
        if check.uncountable:
            raise _TooMuch(check.uncountable)
    first_place = machine.locations + len(machine.program.threads)
    followers = []
    held: list[int] = []
    for check in checks:
        for follower, start in check.followers(first_place + len(held)):
            followers.append(follower)
            held.append(start)
    asking = [check for check in checks if check.kinds]
    predicates = [each for check in asking for each in check.predicates]
    pairs = next((check.pairs for check in asking if check.pairs is not None), None)
    starts = [graph.state(number) for number in range(graph.initial)]
    clean = explore(
        machine,
        found.steps,
        [],
        graph.engine_for_more,
        Limits(states=MOST_NODES),
        graph.guard,
        product=Product(followers, predicates, pairs, clean=True),
        initial=[(*state, *held) for state in starts if not machine.failures_at_start(state)],
    )
    graph.guard.poll()
    if clean.stop is not None:
        raise _TooMuch(too_many)
    return [
        (clean.state(number), paths)
        for number, paths in find_endings(clean)[0]
        if machine.has_finished(clean.state(number))
    ]
