"""What states are, and what a step is that leads from one to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

from interleave.compiler import Block, Code
from interleave.memory.port import WHOLE, AccessKind, Location
from interleave.said import said_by

State = tuple[int, ...]
"""The value id of every location that can change, then the local state of every thread.

Ids stand for the same thing throughout one machine; they appear in no output.
"""

FINISHED = 0
"""Local state of a thread that has returned."""

FAILED = 1
"""Local state of a thread that an exception has left."""

Carrier = tuple[Any, ...]
"""Something in a thread's local state that can hold what came from a read:

("local", frame, name), ("log", place), or ("control", frame, branch), the outcome of a condition.
"""


class Touch(NamedTuple):
    """One location read or written by an access: which part of it, and how.

    `fresh` marks a write whose value comes from what the same access read, `value` is the id of
    what is at the location after a write.
    """

    location: Location
    part: object = WHOLE
    fresh: bool = False
    value: int = -1


class Exclusive(NamedTuple):
    """An operation of a primitive that is not to be concurrent with another one of it.

    A race detector takes the two for a read and a write of a variable, and so it is told: this one
    `writes`, or does not. `rule` says in a sentence what is to be kept apart.
    """

    location: Location
    writes: bool
    rule: str


class AccessRecord:
    """One access of a step: what it read and wrote, and what it gave.

    `place` is the block it belongs to, `order` how many accesses of the block came before it.
    `atomic`: nothing comes between what it reads and writes, by nature or in an `atomic()` block.
    """

    __slots__ = (
        "atomic",
        "exclusive",
        "kind",
        "order",
        "place",
        "raised",
        "reads",
        "result",
        "writes",
    )

    def __init__(
        self, kind: AccessKind, place: tuple[Code, int], order: int, *, atomic: bool = False
    ) -> None:
        self.kind = kind
        self.place = place
        self.order = order
        self.atomic = atomic
        self.reads: list[Touch] = []
        self.writes: list[Touch] = []
        self.exclusive: list[Exclusive] = []
        self.result: object = None
        self.raised: BaseException | None = None

    def wrote(self, location: Location) -> int | None:
        """The id of what it left at a location; None where it wrote nothing there."""
        found = [touch.value for touch in self.writes if touch.location is location]
        return found[-1] if found else None


class Failure(NamedTuple):
    """An exception that left a thread. `place` is the block it came from."""

    exception: BaseException
    place: tuple[Code, int]
    raised_by_assert: bool
    text_then: str = ""
    """Its text as it was then, where that shows what is in shared objects; else ""."""

    @property
    def said(self) -> str:
        """The text of the exception."""
        return self.text_then or said_by(self.exception)


Sources = frozenset[tuple["Carrier | int", bool]]
"""What something may derive from: carriers as they were before a step, and accesses of the step (by
their index). The second is True where it is by way of a condition, and not of a value.
"""


class Flow(NamedTuple):
    """How what a thread read travels through one step.

    `carriers` gives what each carrier after the step derives from; `writes` what each access of the
    step writes derives from; `way` the blocks that were run, with the accesses (by their index).
    """

    carriers: dict[Carrier, Sources]
    writes: tuple[Sources, ...]
    way: tuple[Block | int, ...]


class Step(NamedTuple):
    """One way a thread can go on from a state.

    `writes` are (place in the state tuple, value id), `starts` (thread, its first local state) of
    the threads that begin in it, `local` the thread's own next local state.
    `raised` names the exceptions that came up in it, whether or not they left the thread.
    """

    thread: int
    writes: tuple[tuple[int, int], ...]
    starts: tuple[tuple[int, int], ...]
    local: int
    accesses: tuple[AccessRecord, ...]
    place: tuple[Code, int]
    raised: tuple[str, ...]
    failure: Failure | None
    flow: Flow | None
    warnings: tuple[str, ...] = ()
    """What Python would warn of: coroutines and exceptions that were dropped unseen."""
    choices: tuple[int, ...] = ()
    """Which of its options each choice in it took."""
    constants: tuple[tuple[Location, tuple[Code, int]], ...] = ()
    """The locations that it looked at and nothing writes, each with the blocks that did."""

    def outcome(self) -> tuple[object, ...]:
        """What must be the same whenever the step is taken again."""
        failed = self.failure and (type(self.failure.exception), self.failure.said)
        return (self.writes, self.starts, self.local, failed)


class Blocked(NamedTuple):
    """A thread that cannot go on in this state, and the access that it waits for."""

    thread: int
    access: AccessKind
    place: tuple[Code, int]


class Moves(NamedTuple):
    """Everything that a thread can do in a state.

    One step, or one for each way that choices in it can go; none where the thread is `blocked` or
    has ended. `looked_at` lists the places in the state tuple that decided, in the order of the
    first look at each: whatever else differs between two states, the moves are the same.
    """

    steps: tuple[Step, ...] = ()
    blocked: Blocked | None = None
    looked_at: tuple[int, ...] = ()
