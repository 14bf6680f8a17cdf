"""What a check found: plain, immutable facts that every report is written from.

Nothing here knows how a state was reached or how it will be shown.
"""

from __future__ import annotations

from typing import Literal

from interleave.errors import InterleaveError
from interleave.records import dataclass
from interleave.report import formats
from interleave.schedule import Schedule

Verdict = Literal["verified", "violated", "inconclusive"]


@dataclass(frozen=True)
class Source:
    """A line of the user's file: path as the user gave it, 1-based line, stripped text."""

    file: str
    line: int
    text: str


@dataclass(frozen=True)
class Access:
    """One read, write, or operation of a primitive or container.

    `kind` is "read", "write", or the operation's name ("acquire", "append", "choose", ...);
    `location` is the name of what is accessed ("counter", "forks[1]"), or None where nothing
    shared is touched ("sleep").
    """

    kind: str
    location: str | None


@dataclass(frozen=True)
class Described:
    """A value that is shown in words, without quotes: the state of a primitive ("locked")."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Change:
    """A location that a step wrote, with its plain values before and after.

    They are equal where the write changed nothing: the tell-tale of a lost update.
    """

    location: str
    before: object
    after: object

    @property
    def unchanged(self) -> bool:
        return type(self.before) is type(self.after) and self.before == self.after


@dataclass(frozen=True)
class StepPart:
    """A part of a step: an access that changes something, or those between two such. Fields are
    as in `TraceStep`.
    """

    accesses: tuple[Access, ...]
    source: Source
    changes: tuple[Change, ...] = ()
    outcome: str = ""
    looked: str = ""


@dataclass(frozen=True)
class TraceStep:
    """One step of one thread. `number` counts from 1 within the trace.

    `accesses` holds one access, or all those of an `atomic()` block in order. `outcome` says in a
    few words what came of it where the changes do not: "chose 'b'", "read 0", "raised ValueError".
    Where it changes something, `looked` is what of `outcome` came before the first change.
    `parts` has the step in parts, in order, if more than one of its accesses changes something;
    else it is empty.
    """

    number: int
    thread: str
    accesses: tuple[Access, ...]
    source: Source
    changes: tuple[Change, ...] = ()
    outcome: str = ""
    parts: tuple[StepPart, ...] = ()
    looked: str = ""


@dataclass(frozen=True)
class Trace:
    """A path in the state graph, from an initial state to a violation.

    Where something goes on for ever, `loop` has its steps: the last of them leads to where the
    first one begins.
    """

    threads: tuple[str, ...]
    """Every thread of the model, in declaration order, whether or not it takes a step here."""
    initial: tuple[tuple[str, object], ...]
    """Name and plain value of each shared variable in the initial state, in declaration order."""
    steps: tuple[TraceStep, ...]
    final: tuple[tuple[str, object], ...] = ()
    """The same after the last step."""
    loop: tuple[TraceStep, ...] = ()
    schedule: Schedule | None = None
    """What it takes to have these steps again; None for a trace that no search has found."""

    @property
    def all_steps(self) -> tuple[TraceStep, ...]:
        """The steps of the path, and after them those of the loop."""
        return (*self.steps, *self.loop)


@dataclass(frozen=True)
class Wait:
    """A thread that cannot move: what it is about to do, and which threads hold what it needs."""

    thread: str
    access: Access
    source: Source
    holders: tuple[str, ...] = ()
    holders_ended: bool = False
    """Whether those threads have ended, and will never give it back."""
    is_run: bool = False
    """Whether those threads run what it waits for, such as a task, and do not hold it."""
    note: str = ""
    """What else there is to say of why it cannot move."""

    @property
    def names_holders(self) -> bool:
        """Whether there is something to say of the holders: a thread is run by itself."""
        is_said = self.is_run and self.holders == (self.access.location,)
        return bool(self.holders) and not is_said


@dataclass(frozen=True)
class Poll:
    """A thread that takes steps for ever and gets nowhere: what it looks at, over and over.

    `accesses` is empty for a loop in which it looks at nothing that is shared. `source` is the line
    that looks.
    """

    thread: str
    accesses: tuple[Access, ...]
    source: Source
    values: tuple[tuple[str, object], ...] = ()
    """Location and plain value of each variable among what it looks at."""


@dataclass(frozen=True)
class PendingAccess:
    """One side of a data race: what a thread is about to do, and whether that is a write."""

    thread: str
    access: Access
    source: Source
    writes: bool


@dataclass(frozen=True)
class LostUpdate:
    """The three steps (numbers in the trace) that make a lost update.

    `reader` read the location at step `read`; `writer` changed it at step `lost`; `reader` wrote
    it at step `overwrite`, with a value (or on a condition, if `by_condition`) from its stale read.
    """

    reader: str
    writer: str
    read: int
    lost: int
    overwrite: int
    by_condition: bool = False


@dataclass(frozen=True)
class Waits:
    """Who cannot move, and waits for what: of a deadlock, or of threads that are stuck.

    The first ones wait for each other in a circle, each for the next, where `cycle` is true.
    """

    waits: tuple[Wait, ...]
    cycle: bool = False
    leaked: bool = False
    """Whether they are stuck at the end of the program, which did not wait for them."""


@dataclass(frozen=True)
class Polls:
    """Who goes on for ever and gets nowhere, and who waits for them, as in `Waits`."""

    polls: tuple[Poll, ...]
    waits: tuple[Wait, ...] = ()
    cycle: bool = False


@dataclass(frozen=True)
class DataRace:
    """Both sides of a data race, one that writes first, in the state that the trace leads to."""

    sides: tuple[PendingAccess, ...]


@dataclass(frozen=True)
class ExpressionPart:
    """What a part of an expression gives: its text, its plain value, and, of a variable, the last
    step of the trace that has changed it (None where none has).

    `is_false`: the property does not hold since this is false; the parts that follow, up to the
    next one that is, are within it.
    """

    text: str
    value: object
    is_false: bool = False
    is_variable: bool = False
    changed_at: int | None = None


@dataclass(frozen=True)
class FailedProperty:
    """The variables that a property has looked at where it does not hold, and what the parts of
    its expression give there: none where that cannot be told.
    """

    looked_at: tuple[str, ...]
    why: tuple[ExpressionPart, ...] = ()


Values = tuple[tuple[str, object], ...]
"""Plain values, each with its name."""


@dataclass(frozen=True)
class CallOutcome:
    """What came of calls in parallel: what each has given, and the variables at the end.

    The value of a call is `Described` where it raised something.
    """

    results: Values
    state: Values = ()


@dataclass(frozen=True)
class NotAtomic:
    """An outcome of calls in parallel that no order of whole calls has.

    `nearest` are those of whole calls that are most like it; `differing` names the results and the
    variables in which it differs from the first of these; `only_state`: it does so in no result.
    `came_in` is the thread whose call came in between the lines `before` and `after` of a call of
    `interrupted`, which are those of the steps `last` and `next` (numbers in the trace; 0 for
    none). `others` are such outcomes too, and there are `more` of them. `order` is not empty where
    whole calls have this outcome, but in another order only: it has pairs of calls of which the one
    was over before the other began.
    """

    outcome: CallOutcome
    nearest: tuple[CallOutcome, ...]
    differing: tuple[str, ...]
    only_state: bool
    came_in: str = ""
    interrupted: str = ""
    before: Source | None = None
    after: Source | None = None
    last: int = 0
    next: int = 0
    others: tuple[CallOutcome, ...] = ()
    more: int = 0
    order: tuple[tuple[str, str], ...] = ()


Detail = LostUpdate | Waits | Polls | DataRace | FailedProperty | NotAtomic
"""What there is to say of a violation beyond its message, by what it is."""


@dataclass(frozen=True)
class Violation:
    """One distinct cause, with the shortest schedule that shows it.

    `kind` is one of `interleave.model.kinds_of(model)`; `message` is one plain sentence;
    `location` the shared location concerned, or None; `threads` the threads concerned. `source` is
    the line at fault, where there is one. `detail` is None for exceptions and failed assertions.
    """

    kind: str
    message: str
    location: str | None
    threads: tuple[str, ...]
    trace: Trace
    source: Source | None = None
    detail: Detail | None = None
    hint: str = ""
    """A sentence that names the likely cause, where it is a well-known one."""
    alike: tuple[str, ...] = ()
    """The messages of other violations, which differ from this one in the numbers of instances."""

    @property
    def schedule(self) -> Schedule | None:
        """What replays its trace."""
        return self.trace.schedule

    @property
    def waits(self) -> tuple[Wait, ...]:
        """The threads that cannot move, of a deadlock, of stuck threads and of a livelock."""
        return self.detail.waits if isinstance(self.detail, Waits | Polls) else ()

    @property
    def cycle(self) -> bool:
        """Whether these wait for each other in a circle."""
        return isinstance(self.detail, Waits | Polls) and self.detail.cycle

    @property
    def polls(self) -> tuple[Poll, ...]:
        """The threads of a livelock that go on."""
        return self.detail.polls if isinstance(self.detail, Polls) else ()

    @property
    def lost_update(self) -> LostUpdate | None:
        """The steps of a lost update."""
        return self.detail if isinstance(self.detail, LostUpdate) else None

    @property
    def race(self) -> tuple[PendingAccess, ...]:
        """Both sides of a data race."""
        return self.detail.sides if isinstance(self.detail, DataRace) else ()

    @property
    def leaked(self) -> bool:
        """Whether threads are stuck at the end of the program."""
        return isinstance(self.detail, Waits) and self.detail.leaked


@dataclass(frozen=True)
class Outcome:
    """A way in which interleavings can end: the variables, and how the threads ended.

    `how` is "finished" (all threads have), "returned" (main has, which ends the program), "failed"
    (an exception left a thread) or "deadlock"; `interleavings` counts those that end so, None where
    there is no end to them. `main` is the thread whose return ends the program, where it does.
    """

    state: tuple[tuple[str, object], ...]
    how: str
    interleavings: int | None
    main: str | None = None


@dataclass(frozen=True)
class Interleavings:
    """How many interleavings there are, and how they end.

    `total` is None where the state graph has a cycle; `violating` counts those that meet a
    violation of any kind, None also where that is too much to tell: `uncounted` says why.
    """

    total: int | None
    violating: int | None
    outcomes: tuple[Outcome, ...]
    uncounted: str = ""


@dataclass(frozen=True)
class Followed:
    """The functions of one file whose steps were looked at, in the order of their definition."""

    file: str
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Compared:
    """What became of comparing calls in parallel with the same calls one after the other.

    `outcomes` is how many there are in parallel, `explained` how many of these some order of whole
    calls has. `why_not` says why nothing was compared; else it is "".
    """

    outcomes: int
    explained: int
    why_not: str = ""


@dataclass(frozen=True)
class ModelResult:
    """The verdict on one model, under one runtime, with one set of parameters.

    `expected` is None where the model states no expectation, and True only where the search has
    shown that exactly this is found; `expectation` is that statement in words, and `contrary` says
    that something was found which it excludes. `limit` says in words what stopped an incomplete
    search, and `limit_kind` in one ("states", "seconds", "memory", "preemptions", "violation",
    "interrupted"), else they are ""; `interrupted` that it was Ctrl-C. `interleavings` is None
    where the search is not complete.
    """

    model: str
    file: str
    runtime: str
    parameters: dict[str, object]
    verdict: Verdict
    expected: bool | None
    complete: bool
    states: int
    transitions: int
    depth: int
    violations: tuple[Violation, ...] = ()
    interleavings: Interleavings | None = None
    expectation: str = ""
    contrary: bool = False
    limit: str = ""
    limit_kind: str = ""
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    assumed_pure: tuple[str, ...] = ()
    """What was run as it is because pyproject.toml says that it is pure."""
    bounds: tuple[tuple[str, object], ...] = ()
    """What bounds the model by its own word, such as `PIPE_CAPACITY`."""
    followed: tuple[Followed, ...] = ()
    """The code that the verdict speaks of."""
    compared: Compared | None = None
    """What a race has found out of whether its calls are atomic."""

    @property
    def status(self) -> Literal["passed", "failed", "inconclusive"]:
        """What this means for the exit code: "passed" is verified, or as the model expects."""
        if self.expected:
            return "passed"
        if self.expected is None:
            return _STATUS[self.verdict]
        return "failed" if self.complete or self.contrary else "inconclusive"

    @property
    def passed(self) -> bool:
        """Whether this counts as a pass."""
        return self.status == "passed"

    def __str__(self) -> str:
        """The report, without colours, as `interleave check` prints it."""
        report: str = formats.MODELS["text"](self)
        return report


_STATUS: dict[Verdict, Literal["passed", "failed", "inconclusive"]] = {
    "verified": "passed",
    "violated": "failed",
    "inconclusive": "inconclusive",
}


@dataclass(frozen=True)
class Result:
    """What `check` returns: one `ModelResult` per model, in the order they were checked.

    `interrupted`: Ctrl-C has ended it, maybe before the last models were checked. `errors` are
    those of files that could not be loaded, and of models that could not be run, where the others
    were checked all the same.
    """

    models: tuple[ModelResult, ...] = ()
    interrupted: bool = False
    errors: tuple[InterleaveError, ...] = ()

    def __str__(self) -> str:
        """The reports on all models, and the errors."""
        return "\n\n".join(map(str, (*self.models, *self.errors)))

    @property
    def passed(self) -> bool:
        """Whether every model is a pass, and none was left out."""
        left_out = self.interrupted or self.errors
        return not left_out and all(model.passed for model in self.models)

    @property
    def exit_code(self) -> int:
        """The worst that there is: 2: an error, 1: a violation, 3: inconclusive, 0: none of these.

        A violation that was not expected outweighs a search that came to a limit or was
        interrupted.
        """
        found = {model.status for model in self.models}
        of_errors = {error.exit_code for error in self.errors}
        if 2 in of_errors:
            return 2
        if "failed" in found:
            return 1
        return 3 if self.interrupted or of_errors or "inconclusive" in found else 0
