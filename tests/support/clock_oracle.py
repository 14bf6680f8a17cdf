"""Programs that read the clock, and what can come of them: by trying every time, in plain Python.

The oracle has a clock that is a whole number, and lets any amount pass before each reading. What is
compared are whole numbers of `SECOND`s; one that is cut into more parts than there are readings has
room for every order of them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Op = tuple[Any, ...]
"""("read", local), ("keep", shared, local), ("look", local, shared), ("sleep", seconds),
("wait", seconds), or ("test", local, comparison, local, seconds).
"""

Program = tuple[tuple[Op, ...], ...]

MOST_READINGS = 3
"""More would take the oracle too long."""

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
}  # fmt: skip


def drawn(random: Random, *, threads: int = 2) -> Program:
    """Some program: each thread reads the clock, may wait, and compares."""
    while True:
        program = tuple(_thread(random) for _ in range(threads))
        if sum(op[0] == "read" for ops in program for op in ops) <= MOST_READINGS:
            return program


def _thread(random: Random) -> tuple[Op, ...]:
    share = ("keep", random.choice("xy"), "a")
    wait = (random.choice(("sleep", "wait")), 1)
    look = ("look", "c", random.choice("xy"))
    ops: list[Op] = [
        ("read", "a"),
        *random.choice(((), (share,), (wait,), (share, wait), (wait, share))),
    ]
    ops += random.choice(((look,), (("read", "b"),), (("read", "b"), look), (look, ("read", "b"))))
    known = ["a", *[op[1] for op in ops if op[0] in ("read", "look") and op[1] != "a"]]
    return (*ops, *[_test(random, known) for _ in range(random.choice((1, 2)))])


def _test(random: Random, known: Sequence[str]) -> Op:
    one, other = random.sample(known, 2)
    return ("test", one, random.choice([*COMPARISONS]), other, random.choice((0, 1)))


def as_model(program: Program, *, write: Callable[[Op], str] | None = None) -> str:
    """The source of the model of a program. `write` writes some operation in another way."""
    lines = [
        "import threading, time",
        "from interleave import Model, thread",
        "class Clocks(Model):",
        "    never = threading.Lock()",
        f"    {' = '.join(f'out{i}' for i in range(len(program)))} = ''",
        "    def setup(self):",
        "        self.never.acquire()",
        "        self.x = self.y = time.monotonic()",
    ]
    for number, ops in enumerate(program):
        lines += ["    @thread", f"    def thread{number}(self):", "        log = ''"]
        for op in ops:
            lines.append(f"        {(write and write(op)) or _line(op)}")
        lines.append(f"        self.out{number} = log")
    return "\n".join(lines) + "\n"


def _line(op: Op) -> str:
    kind, *args = op
    if kind == "test":
        one, how, other, seconds = args
        return f"log += '1' if {one} {how} {other} + {seconds} else '0'"
    return {
        "read": "{0} = time.monotonic()",
        "keep": "self.{0} = {1}",
        "look": "{0} = self.{1}",
        "sleep": "time.sleep({0})",
        "wait": "self.never.acquire(timeout={0})",
    }[kind].format(*args)


def outcomes(program: Program) -> set[tuple[str, ...]]:
    """What the threads of a program can find out, all of them."""
    second = 1 + sum(op[0] == "read" for ops in program for op in ops)
    longest = 1 + max(
        [op[-1] for ops in program for op in ops if op[0] in ("sleep", "wait", "test")]
    )
    found: set[tuple[str, ...]] = set()
    begin: Any = (0, (0, 0), tuple((0, (), "", None) for _ in program))
    seen, waiting = {begin}, [begin]
    while waiting:
        now, shared, threads = waiting.pop()
        if all(at == len(ops) for (at, *_), ops in zip(threads, program, strict=True)):
            found.add(tuple(log for _, _, log, _ in threads))
        for number, ops in enumerate(program):
            at, names, log, since = threads[number]
            if at == len(ops):
                continue
            kind, *args = ops[at]
            known = dict(names)
            first, last = 0, 0
            if kind in ("sleep", "wait"):
                begun = now if since is None else since
                first = max(0, begun + args[0] * second - now)
                last = first
            elif kind == "read":
                last = longest * second
            for passed in range(first, last + 1):
                after, kept, text, local = now + passed, shared, log, known
                if kind == "read":
                    local = {**known, args[0]: after}
                elif kind == "keep":
                    kept = tuple(
                        known[args[1]] if name == args[0] else value
                        for name, value in zip("xy", shared, strict=True)
                    )
                elif kind == "look":
                    local = {**known, args[0]: shared["xy".index(args[1])]}
                elif kind == "test":
                    one, how, other, seconds = args
                    holds = COMPARISONS[how](known[one], known[other] + seconds * second)
                    text += "1" if holds else "0"
                beginning = after if _waits(ops, at + 1) else None
                still = _needed(ops, at + 1)
                left = tuple(sorted(each for each in local.items() if each[0] in still))
                mine = (at + 1, left, text, beginning)
                others = (*threads[:number], mine, *threads[number + 1 :])
                looks = {
                    op[2]
                    for ops, (at, *_) in zip(program, others, strict=True)
                    for op in ops[at:]
                    if op[0] == "look"
                }
                kept = tuple(
                    value if name in looks else after
                    for name, value in zip("xy", kept, strict=True)
                )
                state = _relative((after, kept, others))
                if state not in seen:
                    seen.add(state)
                    waiting.append(state)
    return found


def _needed(ops: tuple[Op, ...], at: int) -> set[str]:
    """The locals that are used before they are set anew."""
    needed: set[str] = set()
    for kind, *args in reversed(ops[at:]):
        if kind in ("read", "look"):
            needed.discard(args[0])
        elif kind == "keep":
            needed.add(args[1])
        elif kind == "test":
            needed |= {args[0], args[2]}
    return needed


def _waits(ops: tuple[Op, ...], at: int) -> bool:
    """Whether a thread begins to wait as soon as it comes to an operation."""
    while at < len(ops) and ops[at][0] == "test":
        at += 1
    return at < len(ops) and ops[at][0] in ("sleep", "wait")


def _relative(state: Any) -> Any:
    """The same state, as if it were 0 now."""
    now, shared, threads = state
    return (
        0,
        tuple(value - now for value in shared),
        tuple(
            (
                at,
                tuple((name, value - now) for name, value in names),
                log,
                None if since is None else since - now,
            )
            for at, names, log, since in threads
        ),
    )
