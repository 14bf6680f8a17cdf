"""Which lines of which threads a violation speaks of: what a change is to be made around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from interleave.checks import Check
from interleave.engine.search import Searched
from interleave.records import dataclass
from interleave.result import Source, TraceStep, Violation


@dataclass(frozen=True)
class Span:
    """The lines of one thread that others came between, or that came between those of others."""

    thread: str
    lines: frozenset[int]


QUIET = frozenset({"start", "join", "acquire", "release", "Lock", "Unlock", "begin", "sleep"})
"""Operations that are no accesses to what is shared by a program's own doing."""


Accessed = Mapping[tuple[str, str, bool], frozenset[int]]
"""By thread, location, and whether it is written: the lines that access the location so."""


def accessed_in(found: Searched[Check], file: str) -> Accessed:
    """Which lines of a file access what, as a state graph has it. Raises `Stopped`."""
    machine, graph = found.machine, found.graph
    lines: dict[tuple[str, str, bool], set[int]] = {}
    for number in range(len(graph)):
        graph.guard.poll()
        for state, step, _, _ in graph.edges(number):
            for access in step.accesses:
                code, block = access.place
                location = machine.names_in(state).where(access.kind)
                if location is not None and code.file == file:
                    thread = machine.program.threads[step.thread].name
                    key = thread, location, bool(access.writes)
                    lines.setdefault(key, set()).add(code.source(block).line)
    return {key: frozenset(each) for key, each in lines.items()}


WAITS = frozenset({"wait", "wait_for", "Wait", "join", "get"})
"""Operations that wait for what others do, and not for a lock."""


def waited_in(found: Searched[Check], file: str) -> set[int]:
    """The lines of a file where threads wait for others. Raises `Stopped`."""
    graph = found.graph
    lines: set[int] = set()
    for number in range(len(graph)):
        graph.guard.poll()
        for _, step, _, _ in graph.edges(number):
            for access in step.accesses:
                code, block = access.place
                is_wait = access.kind.name.rpartition(".")[2] in WAITS
                if is_wait and access.kind.container is None and code.file == file:
                    lines.add(code.source(block).line)
    return lines


@dataclass(frozen=True)
class Lines:
    """What is known of the lines of a file: what they access, and where its statements are by
    their text, for code of a library is told of by the statement that led there.
    """

    file: str
    accessed: Accessed
    statements: Mapping[str, frozenset[int]]

    def accessing(self, thread: str, locations: Set[str], *, written: bool) -> frozenset[int]:
        """The lines of a thread that read some locations, or that write them."""
        keys = [(thread, location, written) for location in sorted(locations)]
        return frozenset[int]().union(*[self.accessed.get(key, frozenset()) for key in keys])

    def of(self, source: Source) -> frozenset[int]:
        """The lines that a source speaks of."""
        if source.file == self.file:
            return frozenset([source.line])
        call, _, rest = source.text.rpartition(" (")
        return self.statements.get(call, frozenset()) if rest.endswith(")") else frozenset()

    def of_step(self, step: TraceStep) -> frozenset[int]:
        """The lines that a step and its parts speak of."""
        sources = (step.source, *[part.source for part in step.parts])
        return frozenset[int]().union(*map(self.of, sources))

    def named_in(self, step: TraceStep) -> frozenset[int]:
        """The lines of the statements that a step names by their text."""
        names = step.source.text.split("; ")
        texts = [text for name in names for text in (name, f"{name}:")]  # that of a block has one
        return frozenset[int]().union(*[self.statements.get(e, frozenset()) for e in texts])


def updates_in(found: Searched[Check], file: str, violations: Iterable[Violation]) -> list[Span]:
    """The lines of a file between the read and the write of each update that is lost, or that
    overwrites another one. Raises `Stopped`.
    """
    lines = Lines(file, accessed_in(found, file), {})
    lost = (each for each in violations if each.lost_update is not None)
    return [span for each in lost for span in spans_of(each, lines)]


def spans_of(violation: Violation, lines: Lines) -> list[Span]:
    """The lines in a file that a violation speaks of, thread by thread."""
    steps = violation.trace.all_steps
    lost = violation.lost_update
    if lost is not None:
        numbers = {
            lost.reader: [lost.read, lost.overwrite],
            lost.writer: [*_reads_before(steps, lost.writer, lost.lost), lost.lost],
        }
        named = [(thread, [steps[n - 1] for n in found]) for thread, found in numbers.items()]
        # What a task has made may be called otherwise in its steps than in the end.
        common = set.intersection(
            *[_locations(steps[n - 1]) for n in (lost.read, lost.lost, lost.overwrite)]
        )
        given = {violation.location} if violation.location is not None else set[str]()
        about = given & common or common or given
        return [*_as_update(named, about, lines)]
    if violation.race:
        return [
            Span(side.thread, found) for side in violation.race if (found := lines.of(side.source))
        ]
    by_thread: dict[str, list[TraceStep]] = {}
    for step in steps:
        by_thread.setdefault(step.thread, []).append(step)
    common = _shared_by_several(steps)
    named = [
        (thread, [step for step in its if common & _locations(step)])
        for thread, its in by_thread.items()
    ]
    spans = [*_as_spans(named, common, lines)]
    if violation.source is not None and violation.threads:
        for number, span in enumerate(spans):
            if span.thread == violation.threads[0]:
                spans[number] = Span(span.thread, span.lines | lines.of(violation.source))
    spans += [Span(wait.thread, lines.of(wait.source)) for wait in violation.waits]
    return [span for span in spans if span.lines]


def _as_spans(
    named: Iterable[tuple[str, Sequence[TraceStep]]], about: Set[str], lines: Lines
) -> Iterator[Span]:
    """The lines of steps; of a step that has several, those that access what it is `about`."""
    for thread, steps in named:
        told = frozenset[int]().union(*[lines.of_step(step) for step in steps])
        known = lines.accessing(thread, about, written=False)
        known |= lines.accessing(thread, about, written=True)
        if steps and (told or known):
            yield Span(thread, (told & known or known) if known else told)


def _as_update(
    named: Iterable[tuple[str, Sequence[TraceStep]]], about: Set[str], lines: Lines
) -> Iterator[Span]:
    """The lines of the reads and the writes of a lost update: of a step that has several, those
    that read what it is `about`, or that write it, as the step does. A step is at the line of its
    first statement, and names the others by their text.
    """
    for thread, steps in named:
        found = frozenset[int]()
        for step in steps:
            alike = lines.accessing(thread, about, written=_writes(step, about))
            told = lines.of_step(step)
            found |= told & alike or lines.named_in(step) & alike or alike or told
        if found:
            yield Span(thread, found)


def _writes(step: TraceStep, about: Set[str]) -> bool:
    """Whether a step does more to some locations than to read them."""
    return any(each.location in about and each.kind != "read" for each in step.accesses)


def _locations(step: TraceStep) -> set[str]:
    return {
        access.location
        for access in step.accesses
        if access.location is not None and access.kind.rpartition(".")[2] not in QUIET
    }


def _shared_by_several(steps: Sequence[TraceStep]) -> set[str]:
    """The locations that more than one thread has accessed on the way."""
    users: dict[str, set[str]] = {}
    for step in steps:
        for location in _locations(step):
            users.setdefault(location, set()).add(step.thread)
    return {location for location, threads in users.items() if len(threads) > 1}


def _reads_before(steps: Sequence[TraceStep], thread: str, number: int) -> list[int]:
    """The last read of what a step writes, by the same thread before it."""
    wanted = _locations(steps[number - 1])
    before = [
        step.number
        for step in steps[: number - 1]
        if step.thread == thread and wanted & _locations(step)
    ]
    return before[-1:]
