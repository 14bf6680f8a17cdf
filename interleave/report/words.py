"""What a report says, whatever it is written in: headline, roles of steps, changes, waits."""

from __future__ import annotations

from interleave.model import OUTPUT
from interleave.records import dataclass
from interleave.report.abridged import abridged
from interleave.report.cells import one_line
from interleave.result import (
    Access,
    Change,
    Compared,
    DataRace,
    FailedProperty,
    LostUpdate,
    ModelResult,
    NotAtomic,
    PendingAccess,
    Poll,
    Polls,
    StepPart,
    Trace,
    TraceStep,
    Violation,
    Wait,
    Waits,
)
from interleave.showing import show


def count(number: int, noun: str) -> str:
    """The number with its noun: "1 state", "1,118,878 states"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def headline(model_result: ModelResult) -> str:
    """The verdict in one line; whether it was expected, and what cut an incomplete search."""
    found = found_kinds(model_result)
    verdict: str = model_result.verdict
    if model_result.expected is True:
        verdict += " as expected" if verdict == "violated" else ", as expected"
    elif model_result.status == "inconclusive" and model_result.expectation:
        wanted = one_line(model_result.expectation)
        verdict = f"inconclusive - expected {wanted}, found {found or 'nothing'} so far"
        found = ""
    elif model_result.expected is False:
        wanted = one_line(model_result.expectation) or "something else"
        verdict = f"not as expected - expected {wanted}, found {found or 'nothing'}"
        found = ""
    line = f"{one_line(model_result.model)}: {verdict}"
    if found:
        line += f" - {found}"
    if (compared := model_result.compared) is not None and not found:
        line += f" - {compared_text(compared)}"
    if not model_result.complete:
        limit = one_line(model_result.limit) or "stopped early"
        line += f" - incomplete search: {limit}"
    return line


def compared_text(compared: Compared) -> str:
    """What became of comparing calls in parallel with whole calls."""
    if compared.why_not:
        return one_line(compared.why_not)
    if compared.explained < compared.outcomes:
        outcomes = count(compared.outcomes, "outcome")
        return f"these calls are not atomic: {outcomes}, {compared.explained} explained"
    explained = {1: "explained", 2: "both explained"}.get(compared.outcomes, "all explained")
    return f"these calls are atomic: {count(compared.outcomes, 'outcome')}, {explained}"


def found_kinds(model_result: ModelResult) -> str:
    """The violations in a few words ("lost-update on counter, deadlock"), each once; "" if none."""
    kinds = [violation_name(violation) for violation in model_result.violations]
    return ", ".join(dict.fromkeys(kinds))


def setting(model_result: ModelResult) -> str:
    """Where the model is and how it ran: "counter.py, runtime free-threaded, N=3"."""
    parts = [one_line(model_result.file), f"runtime {model_result.runtime}"]
    parts += [f"{name}={show(value)}" for name, value in model_result.parameters.items()]
    return ", ".join(parts)


def clock(model_result: ModelResult) -> str:
    """Within which bounds time passes; "" where any time may pass, or nobody looks."""
    bounds = dict(model_result.bounds)
    if "CLOCK" not in bounds:
        return ""
    return (
        f"bounded by CLOCK={show(bounds['CLOCK'])}, CLOCK_STEP={show(bounds['CLOCK_STEP'])}: the "
        "code computes with what the clock shows"
    )


def signals(model_result: ModelResult) -> str:
    """How often signals come, at most; "" where nothing handles any."""
    bounds = dict(model_result.bounds)
    if "SIGNALS" not in bounds:
        return ""
    return (
        f"bounded by SIGNALS={show(bounds['SIGNALS'])}: how often each signal comes, at most, "
        "besides those that the program sends"
    )


def assumptions(model_result: ModelResult) -> list[str]:
    """What the verdict takes for granted: names that are pure, and bounds."""
    pure = [f"assumed pure: {one_line(name)}" for name in model_result.assumed_pure]
    return pure + [f"bounded by {name} = {show(value)}" for name, value in model_result.bounds]


def coverage(model_result: ModelResult) -> str:
    """What the verdict rests on where there is no counterexample to show; "" where there is."""
    if model_result.violations:
        return ""
    if model_result.complete:
        explored = "Every interleaving was explored, and none of them violates anything"
        if (compared := model_result.compared) is None or compared.why_not:
            return f"{explored}."
        return f"{explored}: each outcome is one that whole calls give, one after the other."
    if model_result.limit_kind == "preemptions":
        return "Nothing was found in them. Interleavings with more preemptions were not explored."
    words = "Nothing was found so far, but a part of the interleavings was not explored."
    if model_result.limit_kind in ("states", "memory"):
        words += " Those with few preemptions are in far fewer states: --preemptions 2."
    return words


def numbers(model_result: ModelResult) -> str:
    """The size of what was explored, and how many steps lead to the farthest state at least."""
    states = count(model_result.states, "state")
    transitions = count(model_result.transitions, "transition")
    steps = count(model_result.depth, "step")
    return f"{states}, {transitions}, the farthest state {steps} away"


MOST_OUTCOMES = 10
"""How many outcomes a text report lists."""


def interleavings(model_result: ModelResult) -> str:
    """How many interleavings there are: "6 interleavings, 4 of which meet a violation"; or ""."""
    counted = model_result.interleavings
    if counted is None:
        return ""
    if counted.total is None:
        return "Endlessly many interleavings: the state graph has a cycle."
    line = count(counted.total, "interleaving")
    if counted.uncounted:
        return (
            f"{line}; how many of them meet a violation was not counted: {counted.uncounted}. "
            "With fewer threads or smaller parameters, it is."
        )
    if counted.violating is None or not model_result.violations:
        return line
    if counted.total == counted.violating:
        return f"{line}, {'all of which meet' if counted.total > 1 else 'which meets'} a violation"
    verb = "meets" if counted.violating == 1 else "meet"
    return f"{line}, {counted.violating:,} of which {verb} a violation"


def outcomes(model_result: ModelResult) -> list[str]:
    """How interleavings end, most frequent first: "counter = 1: in 4 of 6"."""
    counted = model_result.interleavings
    if counted is None or not counted.outcomes:
        return []
    ends = sorted(counted.outcomes, key=lambda outcome: -(outcome.interleavings or 0))
    # What threads have made is among the variables of those ends only in which it is there.
    known = dict.fromkeys(name for outcome in ends for name, _ in outcome.state)
    texts = [{name: show(value) for name, value in outcome.state} for outcome in ends]
    differing = [name for name in known if len({text.get(name) for text in texts}) > 1]
    for name in known:
        having = [text for text in texts if name in text]
        shorter = abridged([text[name] for text in having], MOST_OF_VALUES * len(having))
        for each, value in zip(having, shorter, strict=True):
            each[name] = value
    lines = []
    for outcome, values in list(zip(ends, texts, strict=True))[:MOST_OUTCOMES]:
        only = [OUTPUT] if OUTPUT in known else known
        names = [name for name in differing or only if name in values]
        names.sort(key=lambda name: name != OUTPUT)  # what is printed comes first
        text = ", ".join(_told(one_line(name), one_line(values[name])) for name in names)
        how = _HOW[outcome.how].format(main=outcome.main)
        line = text or how
        if outcome.how != "finished":
            joined = ", " if text.startswith("prints ") else ", with "
            line = f"{how}{joined}{text}" if text else how
        if OUTPUT in known and outcome.interleavings == counted.total is not None:
            line += f" in all of {counted.total:,}"
        elif outcome.interleavings is not None and counted.total is not None:
            line += f": in {outcome.interleavings:,} of {counted.total:,}"
        lines.append(line)
    if len(ends) > MOST_OUTCOMES:
        lines.append(f"and {count(len(ends) - MOST_OUTCOMES, 'other outcome')}")
    return lines


def _told(name: str, value: str) -> str:
    """A variable and its value at an end; of what was printed, that."""
    return f"prints {value}" if name == OUTPUT else f"{name} = {value}"


_HOW = {
    "finished": "all threads finished",
    "returned": "{main} has returned",
    "failed": "a thread ended by an exception",
    "deadlock": "deadlock",
}


def participants(violation: Violation) -> tuple[tuple[str, ...], int]:
    """The threads that a counterexample shows, in declaration order, and how many it leaves out.

    Shown are those that take a step, that the violation concerns, or that wait or are waited for.
    """
    trace = violation.trace
    involved = dict.fromkeys(
        [
            *(step.thread for step in trace.all_steps),
            *violation.threads,
            *(poll.thread for poll in violation.polls),
            *(name for wait in violation.waits for name in (wait.thread, *wait.holders)),
        ]
    )
    declared = [thread for thread in trace.threads if thread in involved]
    others = [thread for thread in involved if thread not in trace.threads]
    return (*declared, *others), len(trace.threads) - len(declared)


def left_out(number: int) -> str:
    """That a counterexample does not show so many threads: "4 other threads take no step here."."""
    verb = "takes" if number == 1 else "take"
    return f"{count(number, 'other thread')} {verb} no step here."


MOST_ALIKE = 3
"""Like violations that are named: all in the JSON."""


def alike(violation: Violation) -> list[str]:
    """That there are more violations of the same cause, and what they say; [] for none."""
    others = [one_line(message) for message in violation.alike]
    if not others:
        return []
    shown = others[:MOST_ALIKE]
    left_out = [f"and {count(len(others) - MOST_ALIKE, 'other')}"] if others[MOST_ALIKE:] else []
    return [f"And {len(others)} more like it:", *shown, *left_out]


def initial_values(trace: Trace) -> str:
    """The shared variables before the first step: "counter = 0, ready = False"."""
    texts = [(one_line(name), one_line(show(value))) for name, value in trace.initial]
    return ", ".join(_told(*each) for each in texts if each != (OUTPUT, "nothing"))


def call_outcomes(detail: NotAtomic) -> list[str]:
    """What came of calls: "result of add() = True, items = [1]". Of the state what differs.

    First the outcome, then the nearest ones, then the others.
    """
    outcomes = [detail.outcome, *detail.nearest, *detail.others[:MOST_OUTCOMES]]
    all_values = [dict((*each.results, *each.state)) for each in outcomes]
    names = dict.fromkeys(name for each in all_values for name in each)
    results = {name for name, _ in detail.outcome.results}
    shown: list[list[str]] = [[] for _ in outcomes]
    for name in names:
        having = [place for place, each in enumerate(all_values) if name in each]
        texts = [one_line(show(all_values[place][name])) for place in having]
        if name in results or len({*texts}) > 1 or len(having) < len(all_values):
            shorter = abridged(texts, MOST_OF_VALUES * len(texts))
            is_like_another = name in detail.differing and texts[0] in texts[1:2]
            for place, text in zip(having, shorter, strict=True):
                note = " (another one than below)" if is_like_another and place == 0 else ""
                shown[place].append(f"{one_line(name)} = {text}{note}")
    return [", ".join(parts) for parts in shown]


MOST_PARTS = 6
"""How many values a report tells of an expression that is false."""


def why_false(detail: FailedProperty) -> list[tuple[str, list[str]]]:
    """Each expression by which a property is false, with the values in it."""
    found: list[tuple[str, list[str]]] = []
    for part in detail.why:
        since = "" if part.changed_at is None else f", since step {part.changed_at}"
        text = one_line(part.text)
        if part.is_false:
            said = f"{text} is {one_line(show(part.value))}{since if part.is_variable else ''}"
            found.append((said, []))
        elif found and len(found[-1][1]) < MOST_PARTS:
            (value,) = abridged([one_line(show(part.value))], MOST_OF_VALUES)
            found[-1][1].append(f"{text} = {value}{since}")
    return found


def at_start(violation: Violation) -> str:
    """That a violation comes without a step: a thread fails, or something holds from the start."""
    fails = violation.kind in ("exception", "assertion")
    return "It fails at the start" if fails else "It is so at the start"


def final_values(violation: Violation) -> str:
    """The shared variables after the last step, as far as they changed or matter: "counter = 1"."""
    initial = dict(violation.trace.initial)
    detail = violation.detail
    looked_at = detail.looked_at if isinstance(detail, FailedProperty) else ()
    return ", ".join(
        _told(one_line(name), one_line(show(value)))
        for name, value in violation.trace.final
        if name in looked_at or show(value) != show(initial.get(name))
    )


MOST_OF_VALUES = 90
"""Characters of the values that a step has changed, or of what came of it."""


def change_text(change: Change) -> str:
    """What a step did to a location: "counter: 0 → 1", or "counter: 1, unchanged"."""
    values = [one_line(show(each)) for each in (change.before, change.after)]
    if change.unchanged:
        (value,) = abridged(values[:1], MOST_OF_VALUES - 30)
        return f"{one_line(change.location)}: {value}, unchanged"
    if change.location == OUTPUT:
        added = values[1].removeprefix(f"{values[0]}, ")
        return f"prints {abridged([added], MOST_OF_VALUES)[0]}"
    before, after = abridged(values, MOST_OF_VALUES)
    return f"{one_line(change.location)}: {before} → {after}"


def effects(step: TraceStep | StepPart) -> list[str]:
    """What came of a step, or a part of one: what it saw, each variable that it changed, and what
    came of it then.
    """
    changes = [change_text(change) for change in step.changes]
    then = step.outcome.removeprefix(step.looked).removeprefix(", ")
    looked, then = (abridged([one_line(text)], MOST_OF_VALUES)[0] for text in (step.looked, then))
    return [*filter(None, [looked, *changes, then])]


def access_text(access: Access) -> str:
    """An access in words: "read counter", "sleep"."""
    return one_line(f"{access.kind} {access.location or ''}")


def standstill(violation: Violation) -> str:
    """That threads cannot move, and why: "Now no thread can move"; or get nowhere."""
    if isinstance(violation.detail, Polls):
        alone = len(violation.polls) + len(violation.waits) == 1
        return f"Now {'this one gets' if alone else 'these get'} nowhere, whatever happens"
    who, opening = "threads", "Now no thread can move"
    if violation.kind == "stuck":
        who, these = "they", "this one" if len(violation.waits) == 1 else "these"
        opening = f"Others can go on for ever, but {these} can never move again"
        if violation.leaked:
            opening = f"main has returned, and {these} could never move again"
    why = f", because {who} wait for each other in a circle" if violation.cycle else ""
    return opening + why


OVER_AND_OVER = "From here on, over and over:"
"""What comes before the steps of a loop."""


def wait_text(wait: Wait) -> str:
    """What a thread that cannot move waits for: "waits for forks[1]", "waits in join"."""
    location = one_line(wait.access.location or "")
    if not location:
        return f"waits in {one_line(wait.access.kind)}"
    if wait.access.kind in ("acquire", "run"):
        return f"waits for {location}"
    return f"waits for {location} ({one_line(wait.access.kind)})"


def poll_text(poll: Poll) -> str:
    """What a thread does that gets nowhere: "looks at flag = False over and over"."""
    known = dict(poll.values)
    names = dict.fromkeys(each.location or each.kind for each in poll.accesses)
    looks = [f"{name} = {show(known[name])}" if name in known else name for name in names]
    return f"looks at {' and '.join(map(one_line, looks))} over and over" if looks else _ROUND


_ROUND = "goes round in a loop"


def held_by(wait: Wait) -> str:
    """Who holds what a thread waits for: "held by philosopher[1]"; "" if nobody does, or if it goes
    without saying.
    """
    if not wait.names_holders:
        return ""
    names = ["itself" if name == wait.thread else one_line(name) for name in wait.holders]
    ended = ", which has ended" if wait.holders_ended else ""
    return f"{'run' if wait.is_run else 'held'} by {' and '.join(names)}{ended}"


def pending_text(pending: PendingAccess) -> str:
    """What a thread is about to do: "is about to write counter", "... write items (append)"."""
    does = "write" if pending.writes else "read"
    how = "" if pending.access.kind == does else f" ({one_line(pending.access.kind)})"
    return f"is about to {does} {one_line(pending.access.location or '')}{how}"


@dataclass(frozen=True)
class Role:
    """Why a step of a counterexample matters; `note` says it in a word or two."""

    name: str
    note: str


def roles(violation: Violation) -> dict[int, Role]:
    """The steps that make the violation, by number: three for a lost update, two where a call comes
    in between, else one at most.
    """
    lost = violation.detail
    if isinstance(lost, LostUpdate):
        read = "stale check" if lost.by_condition else "stale read"
        return {
            lost.read: Role("read", read),
            lost.lost: Role("lost", "lost write"),
            lost.overwrite: Role("overwrite", "overwrites"),
        }
    if isinstance(lost, NotAtomic):
        between = {lost.last: Role("read", "interrupted"), lost.next: Role("overwrite", "goes on")}
        return {number: role for number, role in between.items() if number}
    steps = violation.trace.steps
    if not steps:
        return {}
    if violation.kind in ("exception", "assertion"):
        # An exception may pass through `finally` and `with` on its way out of the thread.
        raising = [s for s in steps if s.thread in violation.threads and "raised " in s.outcome]
        return {(raising or steps)[-1].number: Role("fails", "fails here")}
    if violation.kind == "invariant":
        return {steps[-1].number: Role("fails", "breaks it")}
    return {}


def rows(violation: Violation, step: TraceStep) -> list[tuple[TraceStep | StepPart, Role | None]]:
    """What is shown of a step: its parts, or all of it in one; one of them with its role.

    That is the last part which concerns what the violation is about.
    """
    role = roles(violation).get(step.number)
    parts: list[TraceStep | StepPart] = [*(step.parts or (step,))]
    concerned = parts
    if isinstance(violation.detail, LostUpdate) and role is not None:
        concerned = [
            part
            for part in parts
            if violation.location in [access.location for access in part.accesses]
            and (part.changes or role.name == "read")
        ]
    marked = (concerned or parts)[-1]
    return [(part, role if part is marked else None) for part in parts]


def tells_lines(violation: Violation) -> bool:
    """Whether what there is to say of a violation shows the lines that it is about."""
    match violation.detail:
        case LostUpdate() | Polls() | DataRace():
            return True
        case Waits(waits):
            return bool(waits)
    return False


def violation_name(violation: Violation) -> str:
    """The kind, with the location where there is one: "lost-update on counter"."""
    if violation.location is None:
        return violation.kind
    return f"{violation.kind} on {one_line(violation.location)}"
