"""What protects the variables of small programs, by brute force: a reading of every trace.

It shares no code with the package: it writes the text of a model, and runs the same statements
itself, in every order that locks, queues and events allow.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

VARIABLES = ("x", "y")
LOCKS = ("a", "b")

Statement = tuple[str, str]
"""What is done, and to what."""


class Did(NamedTuple):
    """An access of a thread in a line, and the locks that the thread holds then."""

    thread: int
    variable: str
    line: int
    reads: bool
    writes: bool
    locks: frozenset[str]

    def conflicts(self, other: Did) -> bool:
        return (
            self.thread != other.thread
            and self.variable == other.variable
            and (self.writes or other.writes)
        )


@dataclass
class Program:
    """Threads of statements, and the text of a model that has them."""

    threads: list[list[Statement]]
    lines: list[list[int]] = field(default_factory=list)

    def text(self, name: str, first: int, *, kind: str) -> str:
        """The class, which begins at line `first` of a file."""
        out = [f"class {name}(Model):", "    x = 0", "    y = 0"]
        out += [f"    {lock} = threading.Lock()" for lock in LOCKS]
        out += ["    q = queue.Queue()", "    e = threading.Event()"]
        prefix = "async " if kind == "task" else ""
        self.lines = []
        for number, thread in enumerate(self.threads):
            out += [f"    @{kind}", f"    {prefix}def t{number}(self):", "        t = 0"]
            depth, lines = 2, []
            for does, what in thread:
                depth -= does == "release"
                if text := _TEXTS[does].format(what):
                    out.append("    " * depth + text)
                lines.append(first + len(out) - 1)
                depth += does == "acquire"
            self.lines.append(lines)
        return "\n".join(out) + "\n"


_TEXTS = {
    "read": "t = self.{0}",
    "write": "self.{0} = 1",
    "write back": "self.{0} = t + 1",
    "add": "self.{0} += 1",
    "acquire": "with self.{0}:",
    "release": "",
    "put": "self.q.put(1)",
    "get": "self.q.get()",
    "set": "self.e.set()",
    "wait": "self.e.wait()",
    "sleep": "time.sleep(0)",
    "await": "await asyncio.sleep(0)",
}


def program(seed: int) -> Program:
    """Two or three threads that use locks, a queue and an event."""
    choose = random.Random(seed)
    threads = []
    for _ in range(choose.choice((2, 2, 3))):
        body: list[Statement] = []
        while len(body) < 3:
            what = choose.choice(VARIABLES)
            access = (choose.choice(("read", "read", "write")), what)
            kind = choose.choice(("plain", "locked", "locked", "sync"))
            if kind == "locked":
                lock = choose.choice("aab")
                body += [("acquire", lock), access, ("release", lock)]
            elif kind == "sync":
                body += [(choose.choice(("put", "get", "set", "wait")), ""), access]
            else:
                body.append(access)
        threads.append(body)
    return Program(threads)


def segments_program(seed: int, pause: str) -> Program:
    """Two threads that pause between some of their accesses."""
    choose = random.Random(seed)
    threads = []
    for _ in range(2):
        body: list[Statement] = []
        for _ in range(choose.choice((2, 3))):
            does = choose.choice(("read", "write", "write back", "write back", "add"))
            body.append((does, choose.choice("xxy")))
            if choose.random() < 0.4:
                body.append((pause, ""))
        threads.append(body)
    return Program(threads)


# Every access a step: locks, queues, events


class State(NamedTuple):
    """How far each thread is, who has which lock, what is in the queue, and whether the event is
    set.
    """

    at: tuple[int, ...]
    owners: tuple[tuple[str, int], ...] = ()
    queued: int = 0
    is_set: bool = False


def traces(it: Program) -> Iterator[list[State]]:
    """The states of every trace, one by one, each to its end."""
    yield from _from(it, [State((0,) * len(it.threads))])


def _from(it: Program, way: list[State]) -> Iterator[list[State]]:
    nexts = [after for thread in range(len(it.threads)) if (after := _after(it, way[-1], thread))]
    if not nexts:
        yield way
    for each in nexts:
        yield from _from(it, [*way, each])


def _next(it: Program, state: State, thread: int) -> Statement | None:
    body, at = it.threads[thread], state.at[thread]
    return body[at] if at < len(body) else None


def _after(it: Program, state: State, thread: int) -> State | None:
    """The state after the next statement of a thread; None where it cannot go on."""
    statement = _next(it, state, thread)
    if statement is None:
        return None
    owners, queued, is_set = dict(state.owners), state.queued, state.is_set
    match statement:
        case ("acquire", lock):
            if lock in owners:
                return None
            owners[lock] = thread
        case ("release", lock):
            del owners[lock]
        case ("put", _):
            queued += 1
        case ("get", _):
            if not queued:
                return None
            queued -= 1
        case ("set", _):
            is_set = True
        case ("wait", _) if not is_set:
            return None
    at = tuple(place + (number == thread) for number, place in enumerate(state.at))
    return State(at, tuple(sorted(owners.items())), queued, is_set)


@dataclass
class Read:
    """What all traces of a program show: its accesses, and those that can be at the same time."""

    did: set[Did] = field(default_factory=set)
    together: set[frozenset[Did]] = field(default_factory=set)


def read_traces(it: Program) -> Read:
    """Go through every trace, state by state."""
    found = Read()
    for way in traces(it):
        for state in way:
            ahead = [
                access
                for thread in range(len(it.threads))
                if (access := _ahead(it, state, thread)) is not None
            ]
            found.did.update(ahead)
            found.together |= {
                frozenset({one, other}) for one in ahead for other in ahead if one.conflicts(other)
            }
    return found


def _ahead(it: Program, state: State, thread: int) -> Did | None:
    statement = _next(it, state, thread)
    if statement is None or statement[1] not in VARIABLES:
        return None
    does, variable = statement
    locks = frozenset(lock for lock, owner in state.owners if owner == thread)
    line = it.lines[thread][state.at[thread]]
    return Did(thread, variable, line, does == "read", does == "write", locks)


# Several accesses a step: what is between two pauses


def orders(it: Program) -> Iterator[list[tuple[int, int, Statement]]]:
    """Every order of the stretches between pauses, as (thread, line, statement)."""
    stretches = []
    for thread, body in enumerate(it.threads):
        mine: list[list[tuple[int, int, Statement]]] = [[]]
        for line, statement in zip(it.lines[thread], body, strict=True):
            if statement[0] in ("sleep", "await"):
                mine.append([])
            else:
                mine[-1].append((thread, line, statement))
        stretches.append(mine)

    def go_on(at: tuple[int, int]) -> Iterator[list[tuple[int, int, Statement]]]:
        if all(place == len(mine) for place, mine in zip(at, stretches, strict=True)):
            yield []
        for thread, place in enumerate(at):
            if place < len(stretches[thread]):
                following = (at[0] + (thread == 0), at[1] + (thread == 1))
                for rest in go_on(following):
                    yield stretches[thread][place] + rest

    yield from go_on((0, 0))


def torn_in(it: Program) -> dict[str, set[tuple[int, int, int]]]:
    """For each variable, the lines of a read, of a write of another thread, and of a write that
    derives from the read, wherever they follow each other in this order.
    """
    found: dict[str, set[tuple[int, int, int]]] = {each: set() for each in VARIABLES}
    for order in orders(it):
        read: dict[int, tuple[str, int]] = {}
        since: dict[int, list[int]] = {0: [], 1: []}
        for thread, line, (does, variable) in order:
            known = read.get(thread)
            if does == "write back" and known is not None and known[0] == variable:
                found[variable] |= {(known[1], other, line) for other in since[thread]}
            if does != "read" and read.get(1 - thread, ("",))[0] == variable:
                since[1 - thread].append(line)
            if does == "read":
                read[thread], since[thread] = (variable, line), []
    return found


def accesses_of(it: Program) -> dict[str, set[tuple[int, bool]]]:
    """For each variable, the threads that access it; True where they write."""
    found: dict[str, set[tuple[int, bool]]] = {each: set() for each in VARIABLES}
    for thread, body in enumerate(it.threads):
        for does, variable in body:
            if variable in found:
                found[variable].add((thread, does != "read"))
    return found
