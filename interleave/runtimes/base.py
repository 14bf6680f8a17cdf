"""What a runtime is: the rules by which the threads of a model run, as one value.

Whatever differs between runtimes is a field here, and nothing else asks which of them it is. So a
new one is one value; and a new kind of thread, which names the runtimes it has, is another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from interleave.records import dataclass


class Scope(Enum):
    """Where the variables of a function begin."""

    FUNCTION = "function"
    """There is one of each for the whole call."""
    LOOP = "loop"
    """In each round of a loop, but for the variable of a `for` loop."""
    ROUND = "round"
    """In each round of a loop."""


@dataclass(frozen=True)
class Races:
    """What a data race is, where two accesses can happen at the same time."""

    always: bool = False
    """Whether one is a mistake whatever comes of it: they are looked for without being asked for.
    """
    guarded: bool = True
    """Whether the operations of a container are atomic among themselves."""
    undivided: tuple[type, ...] = ()
    """Containers whose elements are no variables of their own."""


@dataclass(frozen=True)
class Words:
    """What reports say under one runtime, and not under all."""

    deadlock: str = ""
    """What a deadlock begins with."""
    to_end: str = "or mark {it} with daemon=True if {is_} to go on for as long as the program does"
    """How else threads that never end may be made to; `{it}` and `{is_}` are "them", "they are"."""
    nothing_comes: str = (
        "All that could give more to do have ended. A consumer, or a server, that is to go on "
        "waiting for as long as the program does is one with daemon=True; one that is to end needs "
        "to be told so, by a sentinel in the queue, say."
    )
    """What to do about a deadlock of consumers, when all work is done."""


def _for_the_whole_call(_: Mapping[str, Any]) -> Scope:
    return Scope.FUNCTION


def _as_it_is(error: BaseException) -> BaseException:
    return error


@dataclass(frozen=True)
class Language:
    """What code of a model means: that of Python, unless something here says otherwise."""

    scope: Callable[[Mapping[str, Any]], Scope] = _for_the_whole_call
    """Where variables begin, by the settings of the model."""
    raised: Callable[[BaseException], BaseException] = _as_it_is
    """What code raises where Python raises this."""
    functions_are_values: bool = False
    """Whether any value that can be called is run step by step: what a field holds, and what a
    thread is started with.
    """
    makes_structs: bool = False
    """Whether what threads make has fixed fields, of which those that no code sets are constants.
    It is called by the variable that it is made for, and that it is made is seldom shown.
    """
    has_nil: bool = False
    """Whether None is nil: what is indexed, changed or looked into may be it, and fails as in Go.
    """


@dataclass(frozen=True)
class Runtime:
    """The rules by which threads run."""

    name: str
    global_lock: bool = False
    """Whether one thread runs at a time, and is interrupted only where an interpreter with a lock
    may give that up; else before every access.
    """
    main: str | None = None
    """The name of the thread whose return ends the program, whatever the others do, as does an
    exception that leaves any of them. None: the program ends when all have, but for daemons.
    """
    races: Races | None = None
    """What a data race is; None where none is looked for."""
    receives: tuple[str, ...] = ()
    """The operations by which a consumer takes what comes, in a loop that others end. Where there
    are none, whoever goes round in a loop without an end is one.
    """
    words: Words = Words()
    language: Language = Language()


@dataclass(frozen=True)
class ThreadKind:
    """What the methods are that one decorator marks, which has its name."""

    name: str
    runtimes: tuple[Runtime, ...] = ()
    """Those that a model is checked under which has threads of this kind alone, the default first.
    Of several kinds, a model is checked as one of plain threads is.
    """
    mixes: bool = True
    """Whether a model can have threads of other kinds beside."""
    is_process: bool = False
    """Whether it runs in a process of its own, which begins as a copy of the model's."""
    in_loop: bool = False
    """Whether an event loop runs it: it is `async def`, or code of the loop's."""
    is_loop: bool = False
    """Whether it stands for the event loop itself, and no method is one."""
    interrupts: bool = False
    """Whether it is the main thread, to all that it does, and that waits for its end meanwhile."""
    new_context: bool = False
    """Whether it begins without values of context variables, and not with those that `setup` set.
    """
    example: str = "Thread(target={})"
    """How a running one starts another, that calls a function."""
    example_with_argument: str = "Thread(target={}, args=(i,))"
    """The same, of a function that is given something."""

    def __str__(self) -> str:
        return self.name
