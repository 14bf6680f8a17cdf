"""Sizes of the state graphs of textbook algorithms, against instructions written down by hand.

Each algorithm is a function from what a thread is about to do, and its live local variables, to the
same afterwards; a loop of a dozen lines finds the states. Nothing is shared with the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interleave import Model, array, atomic, check, choose, thread

FOLDER = Path(__file__).parents[2] / "models"
END = ("end", ())

Memory = dict[str, Any]
At = tuple[str, tuple[Any, ...]]
"""What a thread is about to do, and its live local variables."""
Step = Callable[[int, str, tuple[Any, ...], Memory], At]
"""From a thread's number, what it is about to do, its locals and the memory, which it changes."""


def size(step: Step, start: list[At], *memories: Memory) -> tuple[int, int]:
    """How many states and transitions can be reached."""
    states = {(tuple(sorted(memory.items())), tuple(start)) for memory in memories}
    waiting = list(states)
    transitions = 0
    while waiting:
        values, threads = waiting.pop()
        for i, at in enumerate(threads):
            if at == END:
                continue
            memory = dict(values)
            now = step(i, *at, memory)
            after = (tuple(sorted(memory.items())), (*threads[:i], now, *threads[i + 1 :]))
            transitions += 1
            if after not in states:
                states.add(after)
                waiting.append(after)
    return len(states), transitions


def again(first: str, left: int) -> At:
    return (first, (left - 1,)) if left > 1 else END


def peterson(i, at, mine, m) -> At:
    (left,) = mine  # rounds
    match at:
        case "raise":
            m[f"wants{i}"] = True
            return "give", mine
        case "give":
            m["turn"] = 1 - i
            return "look at flag", mine
        case "look at flag":
            return "look at turn" if m[f"wants{1 - i}"] else "enter", mine
        case "look at turn":
            return "look at flag" if m["turn"] == 1 - i else "enter", mine
        case "enter":
            return "leave", mine
        case "leave":
            return "lower", mine
    m[f"wants{i}"] = False
    return again("raise", left)


def turn_first(i, at, mine, m) -> At:
    (left,) = mine
    match at:
        case "give":
            m["turn"] = 1 - i
            return "raise", mine
        case "raise":
            m[f"wants{i}"] = True
            return "look at flag", mine
        case "lower":
            m[f"wants{i}"] = False
            return again("give", left)
    return peterson(i, at, mine, m)


def dekker(i, at, mine, m) -> At:
    (left,) = mine
    match at:
        case "raise" | "raise again":
            m[f"wants{i}"] = True
            return "look at flag", mine
        case "look at flag":
            return "look at turn" if m[f"wants{1 - i}"] else "enter", mine
        case "look at turn":
            return "look at flag" if m["turn"] == i else "give way", mine
        case "give way":
            m[f"wants{i}"] = False
            return "wait", mine
        case "wait":
            return "raise again" if m["turn"] == i else "wait", mine
        case "enter":
            return "leave", mine
        case "leave":
            return "give", mine
        case "give":
            m["turn"] = 1 - i
            return "lower", mine
    m[f"wants{i}"] = False
    return again("raise", left)


def ticket_lock(i, at, mine, m) -> At:
    match at:
        case "draw":
            m["next"] += 1
            return "wait", (m["next"] - 1,)
        case "wait":
            return ("enter", ()) if m["serving"] == mine[0] else (at, mine)
        case "enter":
            return "leave", ()
        case "leave":
            return "read", ()
        case "read":
            return "write", (m["serving"],)
    m["serving"] = mine[0] + 1
    return END


def filter_lock(number: int) -> Step:
    def following(i: int, level: int, other: int) -> At:
        other += 1
        if other == i:
            other += 1
        if other < number:
            return "look at level", (level, other)
        return ("go up", (level + 1,)) if level + 1 < number else ("enter", ())

    def step(i, at, mine, m) -> At:
        match at:
            case "go up":
                m[f"level{i}"] = mine[0]
                return "be victim", mine
            case "be victim":
                (level,) = mine
                m[f"victim{level}"] = i
                return following(i, level, -1)
            case "look at level":
                level, other = mine
                if m[f"level{other}"] >= level:
                    return "look at victim", mine
                return following(i, level, other)
            case "look at victim":
                level, other = mine
                if m[f"victim{level}"] == i:
                    return "look at level", mine
                return following(i, level, other)
            case "enter":
                return "leave", ()
            case "leave":
                return "go out", ()
        m[f"level{i}"] = 0
        return END

    return step


def bakery(number: int) -> Step:
    def following(i: int, other: int, *rest: int) -> At:
        other += 1
        if other == i:
            other += 1
        return ("is drawing", (other, *rest)) if other < number else ("enter", rest[1:])

    def step(i, at, mine, m) -> At:
        match at:
            case "begin":
                m[f"drawing{i}"] = True
                return "compare", (0, 0, *mine)
            case "compare":
                other, highest, left = mine
                highest = max(highest, m[f"number{other}"])
                if other + 1 < number:
                    return at, (other + 1, highest, left)
                return "draw", (highest + 1, left)
            case "draw":
                m[f"number{i}"] = mine[0]
                return "drawn", mine
            case "drawn":
                m[f"drawing{i}"] = False
                return following(i, -1, *mine)
            case "is drawing":
                return at if m[f"drawing{mine[0]}"] else "has number", mine
            case "has number":
                other, ticket, _ = mine
                theirs = m[f"number{other}"]
                if theirs == 0 or (theirs, other) > (ticket, i):
                    return following(i, *mine)
                return at, mine
            case "enter":
                return "leave", mine
            case "leave":
                return "put back", mine
        m[f"number{i}"] = 0
        return again("begin", mine[0])

    return step


def each(number: int, /, **fields: object) -> Memory:
    """As many variables of each name."""
    return {f"{name}{i}": value for name, value in fields.items() for i in range(number)}


FLAGS = {"turn": 0, **each(2, wants=False)}


def sequence_lock(i, at, mine, m) -> At:
    """Thread 0 writes as often as its local says, beginning with price 2; the others read."""
    match at:
        case "count":
            return "counted", (*mine, m["sequence"])
        case "counted":
            *mine, sequence = mine
            m["sequence"] = sequence + 1
            if sequence % 2 == 0:
                return "write bid", tuple(mine)
            left, price = mine
            return ("count", (left - 1, price + 1)) if left > 1 else END
        case "write bid":
            m["bid"] = 10 * mine[1]
            return "write ask", mine
        case "write ask":
            m["ask"] = 10 * mine[1] + 1
            return "count", mine
        case "look":
            odd = m["sequence"] % 2 == 1
            return (at, ()) if odd else ("read bid", (m["sequence"],))
        case "read bid":
            return "read ask", (*mine, m["bid"])
        case "read ask":
            return "look again", (*mine, m["ask"])
    before, bid, ask = mine
    if m["sequence"] != before:
        return "look", ()
    assert ask == bid + 1
    return END


CASES = [
    ("classics/peterson.py", "Peterson", {"ROUNDS": 1}, peterson, [("raise", (1,))] * 2, FLAGS),
    ("classics/peterson.py", "Peterson", {"ROUNDS": 3}, peterson, [("raise", (3,))] * 2, FLAGS),
    ("classics/peterson.py", "TurnFirst", {"ROUNDS": 1}, turn_first, [("give", (1,))] * 2, FLAGS),
    ("classics/peterson.py", "TurnFirst", {"ROUNDS": 2}, turn_first, [("give", (2,))] * 2, FLAGS),
    ("classics/dekker.py", "Dekker", {"ROUNDS": 1}, dekker, [("raise", (1,))] * 2, FLAGS),
    ("classics/dekker.py", "Dekker", {"ROUNDS": 3}, dekker, [("raise", (3,))] * 2, FLAGS),
    *(
        ("classics/ticket_lock.py", "TicketLock", {"N": n}, ticket_lock, [("draw", ())] * n,
         {"next": 0, "serving": 0})
        for n in (2, 3, 4)
    ),
    *(
        ("classics/filter_lock.py", "FilterLock", {"N": n}, filter_lock(n), [("go up", (1,))] * n,
         each(n, level=0, victim=None))
        for n in (2, 3)
    ),
    *(
        ("classics/bakery.py", "Bakery", {"N": n, "ROUNDS": r}, bakery(n), [("begin", (r,))] * n,
         each(n, number=0, drawing=False))
        for n, r in ((2, 1), (2, 2), (3, 1))
    ),
    *(
        ("lock_free/seqlock.py", "SequenceLock", {"WRITES": w, "READERS": r}, sequence_lock,
         [("count", (w, 2)), *[("look", ())] * r], {"bid": 10, "ask": 11, "sequence": 0})
        for w, r in ((1, 1), (2, 1), (1, 2), (2, 2))
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "model", "parameters", "step", "start", "memory"),
    CASES,
    ids=[f"{model}-{parameters}" for _, model, parameters, *_ in CASES],
)
def test_the_size_is_that_of_the_instructions(file, model, parameters, step, start, memory) -> None:
    (found,) = check(FOLDER / file, model=model, parameters=parameters).models
    assert (found.states, found.transitions) == size(step, start, memory)


class PetersonInABook(Model):
    """Peterson as in Baier and Katoen, with three places for each thread."""

    wants = array([False, False])

    def setup(self):
        self.turn = choose([0, 1])

    @thread(2)
    def worker(self, i):
        while True:
            with atomic():
                self.wants[i] = True
                self.turn = 1 - i
            waiting = True
            while waiting:
                with atomic():
                    waiting = self.wants[1 - i] and self.turn == 1 - i
            self.wants[i] = False


def test_peterson_in_a_book() -> None:
    """C. Baier and J.-P. Katoen, "Principles of Model Checking", 2008, figure 2.10: 10 states."""
    (found,) = check(PetersonInABook).models
    assert found.states == 10
