"""The models as libraries in Python want them: when may a thread take a step, and what comes of it.

    python guarded.py minicheck counter N=3 K=5

is run with the Python that has the library. It prints what it counted and how long that took.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

State = tuple[Any, ...]

MOST_STATES = 1_000_000_000


@dataclass(frozen=True)
class Guarded:
    """A model. Threads are numbered; a thread has one way to go on, or none."""

    fields: tuple[str, ...]
    start: State
    threads: int
    can: Callable[[State, int], bool]
    step: Callable[[State, int], State]
    over: Callable[[State], bool] = lambda state: False
    """Whether all threads have ended."""
    holds: Callable[[State], bool] | None = None
    """What must be true in every state."""


def put(values: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    """A tuple with another value at an index."""
    return (*values[:index], value, *values[index + 1 :])


def counter(n: int, k: int) -> Guarded:
    """models/counter.py. A thread: how often it is done, what it has read (None: nothing)."""

    def can(state: State, i: int) -> bool:
        done, temp = state[1][i]
        return bool(done < k or temp is not None)

    def step(state: State, i: int) -> State:
        value, threads = state
        done, temp = threads[i]
        if temp is None:
            return value, put(threads, i, (done, value))
        return temp + 1, put(threads, i, (done + 1, None))

    def over(state: State) -> bool:
        return all(done == k for done, _ in state[1])

    return Guarded(("counter", "threads"), (0, ((0, None),) * n), n, can, step, over)


def philosophers(n: int) -> Guarded:
    """models/philosophers.py. A philosopher is at 0, ... 3."""
    first = (*range(n - 1), 0)
    second = (*range(1, n), n - 1)

    def can(state: State, i: int) -> bool:
        forks, at = state
        place = at[i]
        if place == 0:
            return bool(not forks[first[i]])
        return bool(place > 1 or not forks[second[i]])

    def step(state: State, i: int) -> State:
        forks, at = state
        place = at[i]
        fork = first[i] if place in (0, 3) else second[i]
        return put(forks, fork, place < 2), put(at, i, (place + 1) % 4)

    return Guarded(("forks", "at"), ((False,) * n, (0,) * n), n, can, step)


def filter_lock(n: int, rounds: int) -> Guarded:
    """models/filter_lock.py. A thread: where it is, rounds, level and other (0 while dead)."""
    rise, claim, look, ask, enter, leave, go_out = range(7)

    def on(i: int, done: int, climb: int, other: int) -> State:
        """To the next thread to look at, the next level, or in."""
        if other == i:
            other += 1
        if other < n:
            return look, done, climb, other
        if climb < n - 1:
            return rise, done, climb + 1, 0
        return enter, done, 0, 0

    def can(state: State, i: int) -> bool:
        at, done, _, _ = state[2][i]
        return bool(at != rise or done < rounds)

    def step(state: State, i: int) -> State:
        level, victim, threads = state
        at, done, climb, other = threads[i]
        if at == rise:
            level = put(level, i, climb)
            thread = (claim, done, climb, 0)
        elif at == claim:
            victim = put(victim, climb, i)
            thread = on(i, done, climb, 0)
        elif at == look:
            wait = level[other] >= climb
            thread = (ask, done, climb, other) if wait else on(i, done, climb, other + 1)
        elif at == ask:
            wait = victim[climb] == i
            thread = (look, done, climb, other) if wait else on(i, done, climb, other + 1)
        elif at == go_out:
            level = put(level, i, 0)
            thread = (rise, done + 1, 1 if done + 1 < rounds else 0, 0)
        else:
            thread = (at + 1, done, 0, 0)
        return level, victim, put(threads, i, thread)

    def over(state: State) -> bool:
        return all(at == rise and done == rounds for at, done, _, _ in state[2])

    def holds(state: State) -> bool:
        return bool(sum(thread[0] == leave for thread in state[2]) <= 1)

    start = ((0,) * n, (None,) * n, ((rise, 0, 1, 0),) * n)
    return Guarded(("level", "victim", "threads"), start, n, can, step, over, holds)


def bounded_buffer(size: int) -> Guarded:
    """models/bounded_buffer.py. A thread: where it is, and its place (0 while dead)."""
    fields = ("tail", "head", "ring", "room", "item", "threads")

    def can(state: State, i: int) -> bool:
        at, place = state[5][i]
        locks = state[3 if i < 3 else 4]
        return bool(at != 1 or not locks[place])

    def step(state: State, i: int) -> State:
        tail, head, ring, room, item, threads = state
        at, place = threads[i]
        following = (at + 1, place)
        if i < 3:  # a producer
            if at == 0:
                following = (1, tail)
                tail = (tail + 1) % size
            elif at == 1:
                room = put(room, place, True)
            elif at == 2:
                ring = put(ring, place, i)
            else:
                assert item[place]
                item = put(item, place, False)
                following = (0, 0)
        elif at == 0:
            following = (1, head)
            head = (head + 1) % size
        elif at == 1:
            item = put(item, place, True)
        elif at == 2:
            assert ring[place] is not None
        elif at == 3:
            ring = put(ring, place, None)
        else:
            assert room[place]
            room = put(room, place, False)
            following = (0, 0)
        return tail, head, ring, room, item, put(threads, i, following)

    start = (0, 0, (None,) * size, (False,) * size, (True,) * size, ((0, 0),) * 5)
    return Guarded(fields, start, 5, can, step)


MODELS: dict[str, Callable[..., Guarded]] = {
    "counter": counter,
    "philosophers": philosophers,
    "filter_lock": filter_lock,
    "bounded_buffer": bounded_buffer,
}


def by_minicheck(model: Guarded) -> tuple[int, int]:
    """States and transitions. It looks at invariants; it does not look for deadlocks."""
    from minicheck import Protocol, check_safety  # type: ignore[import-not-found]

    can, step, fields = model.can, model.step, model.fields
    threads = [(i, f"thread {i}") for i in range(model.threads)]
    transitions = 0

    def following(state: State) -> list[tuple[str, State]]:
        nonlocal transitions
        found = [(name, step(state, i)) for i, name in threads if can(state, i)]
        transitions += len(found)
        return found

    holds = model.holds
    properties = {}
    if holds is not None:
        properties["holds"] = lambda named: holds(tuple(named[field] for field in fields))
    protocol = Protocol("model", False, fields, model.start, following, properties)
    result = check_safety(protocol, max_states=MOST_STATES)
    assert result["exhaustive"]
    assert all(found["holds"] for found in result["properties"].values())
    return result["reachable_states"], transitions


def by_musil(model: Guarded) -> tuple[int, int]:
    """States and transitions. It looks at invariants and for deadlocks."""
    from musil import Action, Model, check  # type: ignore[import-not-found]

    can, step = model.can, model.step
    transitions = 0

    def action(i: int) -> Any:
        def apply(state: State) -> State:
            nonlocal transitions
            transitions += 1
            return step(state, i)

        return Action(f"thread {i}", lambda state: can(state, i), apply)

    described = Model(
        init=[model.start],
        actions=[action(i) for i in range(model.threads)],
        invariants={} if model.holds is None else {"holds": model.holds},
        terminal=model.over,
    )
    result = check(described, max_states=MOST_STATES)
    assert result.ok, str(result)
    return result.states_explored, transitions


def main() -> None:
    """See the module."""
    library, name, *settings = sys.argv[1:]
    model = MODELS[name](*(int(setting.partition("=")[2]) for setting in settings))
    count = {"minicheck": by_minicheck, "musil": by_musil}[library]
    started = time.perf_counter()
    states, transitions = count(model)
    seconds = time.perf_counter() - started
    json.dump({"states": states, "transitions": transitions, "seconds": seconds}, sys.stdout)


if __name__ == "__main__":
    main()
