"""`fix`: the smallest change of a file that removes what a check finds in it."""

from __future__ import annotations

import ast
import difflib
import heapq
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice, product

from interleave.asked import Asked, taking
from interleave.compiler.source import statement_text
from interleave.engine.stopping import Guard
from interleave.errors import InterleaveError, UsageError
from interleave.interrupts import AT_POLLS, leaving, listening, poll, take
from interleave.loading import expectation_of, has_threads
from interleave.mending.changes import Ground, changes_of
from interleave.mending.cost import orders
from interleave.mending.definitions import classes_of
from interleave.mending.holding import locks_in
from interleave.mending.layout import rearranged
from interleave.mending.making import LockChoice, existing_locks, new_lock
from interleave.mending.regions import Region, regions_in
from interleave.mending.scopes import Reach, Run, Scope, scopes_in
from interleave.mending.spans import Lines, Span, accessed_in, spans_of
from interleave.mending.texts import SourceText, applied, first_line, last_line
from interleave.mending.trying import Bench, Trial, cause_of, missing
from interleave.model import Model
from interleave.notes import notes_of
from interleave.options import FixOptions
from interleave.records import dataclass
from interleave.result import Described, ModelResult, Outcome, Result, Violation
from interleave.runtimes import NAMED
from interleave.selecting import Errors, Target, find_models, targets_in

MOST_STATES = 100_000
"""States of a changed model, at most, unless the model as it is has more."""

MOST_RUNS = 3
"""Functions, at most, of which each may be where a lock belongs that a span speaks of."""

MOST_BEYOND = 30
"""Changes, at most, that are tried after one was verified that has other outcomes."""

MOST_PARTS = 3
"""Changes, at most, of which each removes a part of what is found."""

MOST_PARTLY = 40
"""Changes, at most, of which it is asked whether they remove a part."""

Size = tuple[int, int, int]
"""Lines that a change writes, lines that it indents, and characters."""


@dataclass(frozen=True)
class Cost:
    """In how many orders threads can perform their accesses under a runtime, before and after.

    None where there is no end to them, or it takes too much to tell: see `mending.cost`.
    """

    runtime: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Fix:
    """What was found for one model.

    `before` has the results of the checks that found something, `violations` each of these once.
    `words` says what the change does, and `diff` is the change of the file, as unified lines; both
    are "" where none was found. `after` has a result for each runtime. `lost` are outcomes, by
    runtime, that were reached without a violation and are not any more; `new` those that were not
    reached before. `tried` says how many texts were checked; `limit` what ended the search for one
    before all were, else it is "". `left` are the violations that remain where only some could be
    removed. `expects`: the model says that it expects what is removed.
    """

    model: str
    file: str
    before: tuple[ModelResult, ...]
    violations: tuple[Violation, ...]
    words: str = ""
    diff: str = ""
    after: tuple[ModelResult, ...] = ()
    lost: tuple[tuple[str, Outcome], ...] = ()
    new: tuple[tuple[str, Outcome], ...] = ()
    untold: bool = False
    costs: tuple[Cost, ...] = ()
    tried: int = 0
    limit: str = ""
    left: tuple[Violation, ...] = ()
    expects: bool = False

    @property
    def is_found(self) -> bool:
        """Whether there is a change after which nothing is found any more."""
        return bool(self.diff) and not self.left


@dataclass(frozen=True)
class Fixes:
    """What `fix` returns: the models in order, with `texts`, what each file would be, by its path,
    and `diffs`, the changes of each that has any, as unified lines.

    `applied` are the paths of the files that were written. `errors` are as in `Result`.
    """

    models: tuple[Fix, ...]
    texts: Mapping[str, str]
    diffs: Mapping[str, str]
    applied: tuple[str, ...] = ()
    interrupted: bool = False
    errors: tuple[InterleaveError, ...] = ()

    @property
    def exit_code(self) -> int:
        """2: an error; 1: something is violated for which none was found; 3: something could not be
        told; 0: all that was violated has a change, or nothing was.
        """
        broken = any(each.violations and not each.is_found for each in self.models)
        unknown = any(
            not each.violations and any(not result.complete for result in each.before)
            for each in self.models
        )
        worst = Result(interrupted=self.interrupted or unknown, errors=self.errors)
        return worst.exit_code if worst.exit_code == 2 or not broken else 1


@taking(FixOptions)
def fix(target: Target | Iterable[Target], asked: Asked[FixOptions]) -> Fixes:
    """Find the smallest change of each model that removes what a check finds in it.

    Each change that comes into question is checked under every runtime that the model can mean, or
    the one that is asked for; one whose check does not come to its end counts for nothing.
    `target` is as for `check`. Nothing is written, unless `apply`.

    Raises `InterleaveError` for a target, an option or a model that is at fault; where `on_error`
    is given, it is told of that instead, and the others are looked at.
    """
    errors = Errors(asked.options.on_error)
    guard = Guard()
    found: list[Fix] = []
    benches: dict[str, Bench] = {}
    texts: dict[str, str] = {}
    done: list[str] = []
    with listening(), leaving(AT_POLLS):
        models: list[tuple[type[Model], str]] = []
        with guard.phase():
            models = find_models(targets_in(target), asked, errors)
        for model, file in models:
            if guard.stop is not None:
                break
            with errors.noted(), guard.phase():
                bench = benches.setdefault(file, Bench(file, asked))
                present = texts.get(file, bench.original.text)
                one, text = _Search(bench, model.__name__, present).found()
                found.append(one)
                texts[file] = text
            guard.note(take())
        if asked.options.apply and guard.stop is None:
            for file, text in texts.items():
                if text != benches[file].original.text:
                    with errors.noted():
                        benches[file].original.overwrite(text)
                        done.append(file)
    diffs = {file: diff(file, benches[file].original.text, text) for file, text in texts.items()}
    return Fixes(
        tuple(found),
        texts,
        {file: text for file, text in diffs.items() if text},
        tuple(done),
        guard.stop is not None,
        tuple(errors.found),
    )


@dataclass(frozen=True)
class Candidate:
    """A text, what it does in words, and its size.

    `runs`, `strict` and `frees` are as in `Change`; what has a lower `rank` is what people would
    rather do, of changes of one size and one cost.
    """

    text: str
    words: str
    size: Size
    runs: str = ""
    strict: bool = False
    frees: bool = False
    rank: int = 0


class _Verified:
    """A candidate that a check has verified under every runtime."""

    def __init__(
        self,
        candidate: Candidate,
        trials: Mapping[str, Trial],
        lost: Sequence[tuple[str, Outcome]],
        new: Sequence[tuple[str, Outcome]],
    ) -> None:
        self.candidate = candidate
        self.trials = trials
        self.lost = tuple(lost)
        self.new = tuple(new)

    def kept(self) -> int:
        """In how many orders threads can access what they share, under all runtimes."""
        return sum(_orders(each) or 0 for each in self.trials.values())


def _orders(trial: Trial) -> int | None:
    counted = trial.result.interleavings
    has_end = counted is not None and counted.total is not None
    return orders(trial.searched) if has_end and trial.searched is not None else None


class _OutOfBounds(Exception):
    """As many texts were checked as may be."""


class _Search:
    """Looks for a change of one model."""

    def __init__(self, bench: Bench, name: str, text: str, depth: int = 0) -> None:
        self.depth = depth
        self.rejected: list[Candidate] = []
        self.reached: dict[str, Sequence[Outcome] | None] = {}
        """The outcomes of what was found, by runtime."""
        self.bench = bench
        self.name = name
        self.text = text
        self.most: int = bench.asked.options.candidates
        self.share = self.most
        """How many of these may be tried for a change that removes all that is found."""
        self.tried = 0
        self.source = SourceText(text)
        self.before: dict[str, Trial] = {}
        self._seen: set[str] = {text}
        self.statements: dict[str, frozenset[int]] = {}
        self.accessed: dict[tuple[str, str], frozenset[int]] = {}
        self.aside: set[str] = set()
        """The names of locks: whether one is held in the end is no outcome."""
        self._other_outcomes: _Verified | None = None
        self._others: dict[str, dict[str, Trial]] = {}

    def found(self) -> tuple[Fix, str]:
        """What there is to say of the model, and the text that the file would have."""
        with self.bench.models(self.text) as models:
            if self.name not in models:
                raise UsageError(
                    f"{self.bench.file} has no model {self.name}",
                    remedy="name the file that defines it",
                )
            model = self.model = models[self.name]
            for runtime in self.bench.runtimes(model):
                self.before[runtime] = trial = self.bench.trial_of(model, runtime)
                if trial.searched is not None:
                    found = accessed_in(trial.searched, self.bench.file)
                    for key, lines in found.items():
                        self.accessed[key] = self.accessed.get(key, frozenset()) | lines
                    self.aside |= {use.lock for use in locks_in(trial.searched).uses}
            expects = any(
                (each := expectation_of(model, NAMED[name])) is not None and bool(each.kinds)
                for name in self.before
                if name in NAMED
            )
            results = tuple(each.result for each in self.before.values())
            violations = _once(results)
            plain = Fix(self.name, self.bench.file, results, violations)
            if not violations:
                return plain, self.text
            self.scopes = self._scopes()
            for scope in self.scopes:
                for statement in (each for block in scope.blocks for each in block):
                    told = statement_text(self.bench.file, statement)
                    lines = self.statements.get(told, frozenset())
                    self.statements[told] = lines | {statement.lineno}
        if len(violations) > 1 and self.depth < MOST_PARTS:
            self.share = max(self.most * 3 // 5, 1)
        limit = ""
        verified: _Verified | None = None
        try:
            verified = self._smallest()
        except _OutOfBounds:
            limit = f"{self.tried:,} changes were tried"
        verified = verified or self._other_outcomes
        if verified is None:
            if len(violations) > 1 and self.depth < MOST_PARTS:
                parts = [self._in_parts(plain, *each) for each in islice(self._partly(), 2)]
                if parts:
                    return min(parts, key=self._left)
            return replace(plain, tried=self.tried, limit=limit), self.text
        return self._told(plain, verified, expects, limit), verified.candidate.text

    def _scopes(self) -> list[Scope]:
        found: dict[int, Scope] = {}
        for trial in self.before.values():
            if trial.searched is not None:
                for scope in scopes_in(self.source, trial.searched, self.bench.file):
                    found.setdefault(id(scope.node), scope)
        return sorted(found.values(), key=lambda scope: getattr(scope.node, "lineno", 0))

    def _told(self, plain: Fix, verified: _Verified, expects: bool, limit: str) -> Fix:
        text = verified.candidate.text
        self.reached = {name: each.outcomes for name, each in verified.trials.items()}
        costs = tuple(
            Cost(runtime, _orders(self.before[runtime]), _orders(trial))
            for runtime, trial in verified.trials.items()
        )
        return replace(
            plain,
            words=verified.candidate.words,
            diff=diff(self.bench.file, self.text, text),
            after=tuple(each.result for each in verified.trials.values()),
            lost=verified.lost,
            new=verified.new,
            untold=any(each.outcomes is None for each in self.before.values()),
            costs=costs,
            tried=self.tried,
            limit=limit,
            expects=expects,
        )

    # Changes that remove only some of what is found

    def _partly(self) -> Iterator[tuple[Candidate, dict[str, Trial]]]:
        """Changes after which less is found, and nothing that was not found before, with their
        trials: the smallest first.
        """
        for candidate in sorted(self.rejected, key=lambda each: each.size)[:MOST_PARTLY]:
            trials = self.bench.tried(candidate.text, self.name, self.before)
            told = {name: each for name, each in trials.items() if isinstance(each, Trial)}
            if len(told) == len(self.before) and self._is_part(told):
                if self._leaves_others(candidate.text):
                    yield candidate, told

    def _left(self, found: tuple[Fix, str]) -> tuple[int, Size]:
        """How much is left, and how much was written."""
        return len(found[0].left), _size(self.text, found[1])

    def _is_part(self, trials: Mapping[str, Trial]) -> bool:
        """Whether some cause is gone under some runtime, and none is new under any."""
        is_less = False
        for runtime, trial in trials.items():
            before = {*map(cause_of, self.before[runtime].result.violations)}
            after = {*map(cause_of, trial.result.violations)}
            if not trial.result.complete or not after <= before:
                return False
            is_less |= after < before
        return is_less

    def _in_parts(
        self, plain: Fix, candidate: Candidate, trials: Mapping[str, Trial]
    ) -> tuple[Fix, str]:
        """What there is to say where one change removes some, and others are looked for then."""
        search = _Search(self.bench, self.name, candidate.text, depth=self.depth + 1)
        search.most = max((self.most - self.tried) // 2, 1)
        search.share = search.most
        rest, text = search.found()
        words = f"{candidate.words}; then {rest.words}" if rest.diff else candidate.words
        first = replace(
            plain,
            words=words,
            diff=diff(self.bench.file, self.text, text if rest.diff else candidate.text),
            tried=self.tried + rest.tried,
            after=tuple(each.result for each in trials.values()),
        )
        if not rest.is_found:
            left = rest.left or rest.violations
            return replace(first, left=left, after=rest.after or first.after), self.text
        lost: list[tuple[str, Outcome]] = []
        new: list[tuple[str, Outcome]] = []
        for runtime, outcomes in search.reached.items():
            before = self.before[runtime].outcomes
            if before and outcomes is not None:
                lost += [(runtime, each) for each in missing(before, outcomes, self.aside)]
                new += [(runtime, each) for each in missing(outcomes, before, self.aside)]
        self.reached = search.reached
        costs = tuple(
            Cost(each.runtime, _orders(self.before[each.runtime]), each.after)
            for each in rest.costs
        )
        told = replace(first, after=rest.after, lost=tuple(lost), new=tuple(new), costs=costs)
        return told, text

    # The search

    def _smallest(self) -> _Verified | None:
        """The smallest change that is verified and leaves the outcomes as they are."""
        small: list[Candidate] = []
        kinds = {each.kind for trial in self.before.values() for each in trial.result.violations}
        ground = Ground(self.source, self.name, tuple(self.scopes), frozenset(kinds), self._is_go())
        for change in changes_of(ground):
            text = applied(self.text, change.edits)
            size = _size(self.text, text)
            small.append(
                Candidate(
                    text,
                    change.words,
                    size,
                    runs=change.runs,
                    strict=change.strict,
                    frees=change.frees,
                    rank=change.rank,
                )
            )
        found = self._first_of(sorted(small, key=lambda each: each.size))
        return self._by_holding(found) or found

    def _is_go(self) -> bool:
        """Whether the return of main ends the program, and `defer` is how one tidies up."""
        notes = notes_of(self.model).threads.values()
        return any(each.main is not None for note in notes for each in note.kind.runtimes)

    def _first_of(self, candidates: Sequence[Candidate]) -> _Verified | None:
        """The smallest of these that is verified; of those that write as many lines and indent as
        many, the one that leaves most orders of accesses.
        """
        found: list[_Verified] = []
        for candidate in candidates:
            if found and candidate.size[:2] > found[0].candidate.size[:2]:
                break
            verified = self._verified(candidate)
            if verified is not None:
                found.append(verified)
        return _most_parallel(found)

    def _verified(self, candidate: Candidate) -> _Verified | None:
        """A candidate with its trials, if they verify it and the outcomes are as they were."""
        trials = self._trials(candidate)
        return None if trials is None else self._kept(candidate, trials)

    def _trials(self, candidate: Candidate) -> dict[str, Trial] | None:
        """The trials of a candidate that is verified under every runtime, else None."""
        self.failing: tuple[Violation, ...] = ()
        if candidate.text in self._seen:
            return None
        self._seen.add(candidate.text)
        poll()
        if self.tried >= min(self.most, self.share):
            raise _OutOfBounds
        self.tried += 1
        most = max(MOST_STATES, *(4 * each.result.states for each in self.before.values()))
        found: dict[str, Trial] = {}
        try:
            ast.parse(candidate.text)
            with self.bench.models(candidate.text) as models:
                for runtime in sorted(self.before, key=self._is_clean):
                    trial = self.bench.trial_of(
                        models[self.name], runtime, fail_fast=True, max_states=most
                    )
                    if trial.result.verdict != "verified" or not self._warns_as_before(trial):
                        self.failing = trial.result.violations
                        if not (candidate.strict or candidate.frees):
                            self.rejected.append(candidate)
                        return None
                    if candidate.runs and candidate.runs not in _lines_run(trial):
                        return None
                    found[runtime] = trial
        except (SyntaxError, KeyError, InterleaveError):
            return None
        if not self._leaves_others(candidate.text):
            return None
        return {runtime: found[runtime] for runtime in self.before}

    def _is_clean(self, runtime: str) -> bool:
        return not self.before[runtime].result.violations

    def _warns_as_before(self, trial: Trial) -> bool:
        """Whether a check warns of nothing new. Of what is violated it does not warn of all."""
        before = self.before[trial.result.runtime].result
        return bool(before.violations) or {*trial.result.warnings} <= {*before.warnings}

    def _leaves_others(self, text: str) -> bool:
        """Whether the other models of the file have no violation that they had not."""
        after = SourceText(text)
        before = SourceText(self.text)
        with self.bench.models(self.text) as models:
            others = [name for name in models if name != self.name and has_threads(models[name])]
            touched = [name for name in others if _code(before, name) != _code(after, name)]
            for name in touched:
                if name not in self._others:
                    self._others[name] = {}
                    with suppress(InterleaveError):  # a base, or one that cannot be checked
                        for each in self.bench.runtimes(models[name]):
                            self._others[name][each] = self.bench.trial_of(models[name], each)
        if not any(self._others[name] for name in touched):
            return True
        with self.bench.models(text) as models:
            for name in touched:
                for runtime, earlier in self._others[name].items():
                    trial = self.bench.trial_of(models[name], runtime)
                    if not trial.result.complete or not trial.causes <= earlier.causes:
                        return False
        return True

    def _kept(self, candidate: Candidate, trials: dict[str, Trial]) -> _Verified | None:
        if candidate.frees and any(map(self._holds, trials.values())):
            return None
        lost: list[tuple[str, Outcome]] = []
        new: list[tuple[str, Outcome]] = []
        for runtime, trial in trials.items():
            before = self.before[runtime].outcomes
            if before is not None and trial.outcomes is not None:
                gone = missing(before, trial.outcomes, self.aside)
                lost += [(runtime, each) for each in gone]
                if before:  # else all of them are
                    more = missing(trial.outcomes, before, self.aside)
                    new += [(runtime, each) for each in more]
        verified = _Verified(candidate, trials, lost, new)
        if not (lost or new):
            return verified
        if candidate.strict:
            return None
        best = self._other_outcomes
        if best is None or candidate.size < best.candidate.size:
            self._other_outcomes = verified
        if best is None:
            self.most = min(self.most, self.tried + MOST_BEYOND)
        return None

    def _holds(self, trial: Trial) -> bool:
        """Whether some lock is held in the end."""
        return any(
            name in self.aside and isinstance(value, Described) and value.text != "unlocked"
            for outcome in trial.outcomes or ()
            for name, value in outcome.state
        )

    # Holding a lock

    def _by_holding(self, other: _Verified | None) -> _Verified | None:
        """A lock, held around the smallest runs of statements for which that is enough; None where
        no change is as small as the `other` one.
        """
        most = (10**9, 0) if other is None else other.candidate.size[:2]
        reach = Reach(self.scopes)
        heap: list[tuple[tuple[int, int, int], tuple[Run, ...]]] = []
        known: set[tuple[Run, ...]] = set()
        concerned: set[int] = set()

        def push(runs: Iterable[Run]) -> None:
            runs = [*runs]
            for chosen in (reach.apart(runs), reach.merged(runs)):
                if chosen and chosen not in known:
                    known.add(chosen)
                    lines = sum(_lines(reach.statements(run)) for run in chosen)
                    apart = sum(concerned.isdisjoint(_own_lines(reach, run)) for run in chosen)
                    heapq.heappush(heap, ((len(chosen), apart, lines), chosen))

        violations = [each for trial in self.before.values() for each in trial.result.violations]
        for violation in violations:
            for span in self._spans(violation):
                concerned |= span.lines
        for violation in violations:
            for runs in self._configurations(reach, self._spans(violation)):
                push(runs)
        found: list[_Verified] = []
        enough = (0, 0, 0)
        while heap:
            weight, held = heapq.heappop(heap)
            if found and weight > enough:
                break
            candidates = [each for each in self._held(reach, held) if each.size[:2] <= most]
            counterexamples: list[list[Span]] = []
            is_enough = False
            for candidate in candidates:
                verified = self._verified(candidate)
                if verified is not None:
                    found.append(verified)
                    is_enough = True
                counterexamples += [self._spans(each, candidate.text) for each in self.failing]
            if is_enough:
                enough = weight
                for number, run in enumerate(held):
                    for shrunk in reach.shrunk(run):
                        push([*held[:number], *shrunk, *held[number + 1 :]])
            if found or not candidates:
                continue
            for spans in counterexamples:
                for more in self._configurations(reach, spans):
                    push([*held, *more])
            for number, run in enumerate(held):
                for grown in reach.grown(run):
                    push([*held[:number], grown, *held[number + 1 :]])
        if not found:
            return None
        least = min(each.candidate.size[:2] for each in found)
        found += [other] if other is not None else []
        return _most_parallel([each for each in found if each.candidate.size[:2] == least])

    def _spans(self, violation: Violation, text: str | None = None) -> list[Span]:
        """The lines that a violation speaks of, as the present text has them: those of another
        text that are in this one, too.
        """
        accessed = {} if text else self.accessed
        spans = spans_of(violation, Lines(self.bench.file, accessed, self.statements))
        if text is None:
            return spans
        same = _same_lines(text, self.text)
        return [
            Span(span.thread, frozenset(same[line] for line in span.lines if line in same))
            for span in spans
            if any(line in same for line in span.lines)
        ]

    def _configurations(self, reach: Reach, spans: Sequence[Span]) -> Iterator[list[Run]]:
        """The runs that spans may be in: one for each span, and each on its own."""
        options = [options for span in spans if (options := reach.runs(span.lines)[:MOST_RUNS])]
        for chosen in product(*options):
            yield [*chosen]
        for number in range(len(options)):
            for run in options[number]:
                yield [run]

    def _held(self, reach: Reach, runs: tuple[Run, ...]) -> Iterator[Candidate]:
        """The texts in which some lock is held around runs, the smallest first."""
        scopes = [self.scopes[run[0]] for run in runs]
        choices: list[LockChoice] = existing_locks(self.source, self.model, scopes)
        made = new_lock(self.source, self.model, scopes)
        choices += [] if made is None else [made]
        regions = regions_in(self.source)
        found: list[Candidate] = []
        for choice in choices:
            blocks: list[tuple[list[ast.stmt], str]] = []
            gone: list[Region] = []
            for run, scope in zip(runs, scopes, strict=True):
                statements = reach.statements(run)
                header = choice.header(statements, scope)
                if header is None or _cannot_be_held(statements):
                    break
                same = [each for each in regions if each.expression == choice.expression]
                if any(_is_inside(statements, each) for each in same):
                    continue
                gone += [each for each in same if _is_around(statements, each)]
                blocks.append((statements, header))
            else:
                if not blocks:
                    continue
                text = rearranged(self.source, blocks, gone, choice.edits)
                if text is not None:
                    words = _held_words(choice, blocks)
                    found.append(Candidate(text, words, _size(self.text, text)))
        yield from sorted(found, key=lambda each: each.size)


def _most_parallel(found: Sequence[_Verified]) -> _Verified | None:
    if len(found) < 2:
        return next(iter(found), None)

    def least(each: _Verified) -> tuple[int, int, Size]:
        return -each.kept(), each.candidate.rank, each.candidate.size

    return min(found, key=least)


def _lines_run(trial: Trial) -> set[str]:
    """The texts of the lines of the accesses that threads perform."""
    if trial.searched is None:
        return set()
    graph = trial.searched.graph
    return {
        access.place[0].source(access.place[1]).text
        for number in range(len(graph))
        for _, step, _, _ in graph.edges(number)
        for access in step.accesses
    }


def _once(results: Sequence[ModelResult]) -> tuple[Violation, ...]:
    """The violations of several results, each cause once."""
    found: dict[tuple[str, str], Violation] = {}
    for result in results:
        for each in result.violations:
            found.setdefault(cause_of(each), each)
    return tuple(found.values())


def _own_lines(reach: Reach, run: Run) -> range:
    """The lines of the statements of a run, without those that they lead to."""
    statements = reach.statements(run)
    return range(first_line(statements[0]), last_line(statements[-1]) + 1)


def _lines(statements: Sequence[ast.stmt]) -> int:
    return last_line(statements[-1]) - first_line(statements[0]) + 1


def _cannot_be_held(statements: Sequence[ast.stmt]) -> bool:
    """Whether some of these are no code that runs: definitions, and what names are."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Global | ast.Nonlocal
    return any(isinstance(each, kinds) for each in statements)


def _is_inside(statements: Sequence[ast.stmt], region: Region) -> bool:
    """Whether statements are within what a region holds already."""
    if not region.body:
        return False
    first, last = first_line(region.body[0]), last_line(region.body[-1])
    return first <= first_line(statements[0]) and last_line(statements[-1]) <= last


def _is_around(statements: Sequence[ast.stmt], region: Region) -> bool:
    """Whether a region is within statements."""
    first, last = first_line(statements[0]), last_line(statements[-1])
    return first <= region.line and region.last <= last


def _held_words(choice: LockChoice, blocks: Sequence[tuple[Sequence[ast.stmt], str]]) -> str:
    places = []
    for statements, _ in blocks:
        first, last = first_line(statements[0]), last_line(statements[-1])
        places.append(f"line {first}" if first == last else f"lines {first}-{last}")
    new = "a new lock, " if choice.edits else ""
    return f"hold {new}`{choice.expression}` around {' and '.join(places)}"


def _code(source: SourceText, name: str) -> list[str]:
    """What a model is made of in its file: its class and bases, and all that is no model."""
    own = classes_of(source, name)
    found = [ast.dump(each) for each in own]
    for node in source.tree.body:
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        is_made = isinstance(node, ast.Assign)
        if is_import or is_made or node in own:
            continue
        if isinstance(node, ast.ClassDef) and node.bases:
            continue
        found.append(ast.dump(node))
    return found


def _size(before: str, after: str) -> Size:
    """How much a change writes: lines, lines that are only indented, and characters."""
    one, other = before.splitlines(), after.splitlines()
    stripped = difflib.SequenceMatcher(
        None, [line.strip() for line in one], [line.strip() for line in other], autojunk=False
    )
    written = indented = characters = 0
    for tag, a, b, c, d in stripped.get_opcodes():
        if tag == "equal":
            moved = zip(one[a:b], other[c:d], strict=True)
            indented += sum(left != right for left, right in moved)
        else:
            written += max(b - a, d - c)
            characters += sum(map(len, one[a:b])) + sum(map(len, other[c:d]))
    return written, indented, characters


def _same_lines(text: str, other: str) -> dict[int, int]:
    """The lines of a text that another one has too, as numbers in both, but for white space."""
    one, two = ([line.strip() for line in each.splitlines()] for each in (text, other))
    blocks = difflib.SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    return {a + n + 1: b + n + 1 for a, b, size in blocks for n in range(size)}


def diff(file: str, before: str, after: str) -> str:
    """A change as unified lines, without a newline at the end."""
    one, other = io.StringIO(before).readlines(), io.StringIO(after).readlines()
    lines = difflib.unified_diff(one, other, file, file, n=2)
    whole = (line if line.endswith("\n") else f"{line}\n{_NO_END}\n" for line in lines)
    return "".join(whole).removesuffix("\n")


_NO_END = "\\ No newline at end of file"
