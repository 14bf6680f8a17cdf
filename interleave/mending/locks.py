"""`locks`: whether a lock is needed, by taking it away and checking again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

from interleave.asked import Asked, taking
from interleave.checks import Check
from interleave.engine.search import Searched
from interleave.engine.stopping import Guard
from interleave.errors import InterleaveError
from interleave.interrupts import AT_POLLS, leaving, listening
from interleave.loading import here
from interleave.mending.definitions import definition_of
from interleave.mending.holding import GIVING, TAKING, Held, Use, locks_in
from interleave.mending.regions import Region, regions_in, without
from interleave.mending.spans import updates_in
from interleave.mending.texts import Edit, SourceText, applied, last_line, lines_of
from interleave.mending.trying import Bench, Trial, cause_of, each_once, missing
from interleave.model import Model
from interleave.options import CheckOptions
from interleave.records import dataclass
from interleave.result import Outcome, Result, Violation
from interleave.selecting import Errors, Target, with_each_model


@dataclass(frozen=True)
class Need:
    """Whether a lock is needed under a runtime: None where that could not be told.

    `violation` is what a check finds without it, `outcome` one that is reached without it only, and
    `lost` one that is reached with it only. `one_step` are the lines (first, last) which run in one
    step without it, where they do; `gone` is how many violations fewer there are without it. `why`
    says what else there is to say.
    """

    runtime: str
    needed: bool | None
    violation: Violation | None = None
    outcome: Outcome | None = None
    lost: Outcome | None = None
    one_step: tuple[int, int] | None = None
    gone: int = 0
    why: str = ""


@dataclass(frozen=True)
class RegionUse:
    """A stretch of code that holds a lock, by its lines, and whether it needs to.

    `smaller` are the first and the last line around which it is enough to hold it, under every
    runtime; None where that is as small as it can be.
    """

    function: str
    text: str
    line: int
    last: int
    needs: tuple[Need, ...]
    smaller: tuple[int, int] | None = None


@dataclass(frozen=True)
class LockUse:
    """One lock, or several that the same code takes, and whether it is needed at all.

    `not_removable` says why taking it away would make another program of it; else it is "".
    `could_be` names the lock that would do for both, under every runtime.
    """

    names: tuple[str, ...]
    regions: tuple[RegionUse, ...]
    needs: tuple[Need, ...]
    not_removable: str = ""
    could_be: str = ""


@dataclass(frozen=True)
class ModelLocks:
    """The locks of one model. `limit` says what kept it from being judged; else it is "".
    `violations` are what a check finds with all of them, each cause once.

    `spare` are the names of locks of which none is needed as long as the others are there, and
    `together` says whether any of them is: it is empty where there are none, or only one.
    """

    model: str
    file: str
    runtimes: tuple[str, ...]
    locks: tuple[LockUse, ...]
    limit: str = ""
    spare: tuple[str, ...] = ()
    together: tuple[Need, ...] = ()
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True)
class Locks:
    """What `locks` returns: the models in order. `errors` are as in `Result`."""

    models: tuple[ModelLocks, ...]
    interrupted: bool = False
    errors: tuple[InterleaveError, ...] = ()

    @property
    def is_of_any(self) -> bool:
        """Whether it tells of any model."""
        return bool(self.models)

    @property
    def exit_code(self) -> int:
        """2: an error, 3: something could not be told, 0: neither."""
        needs = [need for each in self.models for lock in each.locks for need in lock.needs]
        needs += [need for each in self.models for need in each.together]
        needs += [
            need
            for each in self.models
            for lock in each.locks
            for region in lock.regions
            for need in region.needs
        ]
        unknown = any(need.needed is None for need in needs)
        limited = any(each.limit for each in self.models)
        return Result(
            interrupted=self.interrupted or unknown or limited, errors=self.errors
        ).exit_code


@taking(CheckOptions)
def locks(target: Target | Iterable[Target], asked: Asked[CheckOptions]) -> Locks:
    """Say of each lock, and of each stretch of code that holds it, whether it is needed.

    It is taken away, and the model is checked again under each runtime that it can mean, or the one
    that is asked for. It is needed where that shows a violation that was not there, or other
    outcomes. `target` is as for `check`; only locks that its file itself takes are looked at.

    Raises `InterleaveError` for a target, an option or a model that is at fault; where `on_error`
    is given, it is told of that instead, and the others are looked at.
    """
    errors = Errors(asked.options.on_error)
    guard = Guard()
    found: list[ModelLocks] = []

    def one(model: type[Model], file: str) -> None:
        with guard.phase():
            found.append(_Judge(model.__name__, Bench(file, asked)).judged())

    with listening(), leaving(AT_POLLS):
        with_each_model(target, asked, errors, guard, one)
    return Locks(tuple(found), guard.stop is not None, tuple(errors.found))


@dataclass(frozen=True)
class _Group:
    """Locks that the same code takes, and that code."""

    names: tuple[str, ...]
    regions: tuple[Region, ...]
    not_removable: str


class _Judge:
    """Takes the locks of one model away."""

    def __init__(self, name: str, bench: Bench) -> None:
        self.name = name
        self.bench = bench
        self.source = SourceText(bench.original.text)
        self.before: dict[str, Trial] = {}
        self.aside: frozenset[str] = frozenset()
        """The names of all locks: whether one is held in the end is no outcome without it."""
        self._known: dict[str, dict[str, Trial | InterleaveError]] = {}

    def judged(self) -> ModelLocks:
        """What there is to say of its locks."""
        text = self.bench.original.text
        uses: dict[Use, None] = {}
        belongs: dict[str, str] = {}
        first: set[str] = set()
        with self.bench.models(text) as models:
            model = self.bench.model_in(models, self.name)
            runtimes = tuple(self.bench.runtimes(model))
            for runtime in runtimes:
                trial = self.bench.trial_of(model, runtime)
                if not trial.result.complete or trial.searched is None:
                    limit = f"{trial.result.limit} under the runtime {runtime}"
                    return ModelLocks(self.name, self.bench.file, runtimes, (), limit)
                held = locks_in(trial.searched)
                if not held.uses:
                    return ModelLocks(self.name, self.bench.file, runtimes, ())
                uses.update(dict.fromkeys(held.uses))
                belongs.update(held.belongs)
                first |= held.held_first
                self.before[runtime] = trial
        self.aside = frozenset(use.lock for use in uses)
        groups = self._groups(Held(tuple(uses), belongs, frozenset(first)))
        could_be = self._could_be(groups)
        judged = tuple(self._judged(each, could_be.get(each.names, "")) for each in groups)
        spare = [
            group
            for group, lock in zip(groups, judged, strict=True)
            if lock.needs and not any(need.needed for need in lock.needs)
        ]
        together: tuple[Need, ...] = ()
        if len(spare) > 1:
            together = self._needs([region for each in spare for region in each.regions])
        names = tuple(name for each in spare for name in each.names) if together else ()
        return ModelLocks(
            self.name,
            self.bench.file,
            runtimes,
            judged,
            spare=names,
            together=together,
            violations=each_once([each.result for each in self.before.values()]),
        )

    def _groups(self, held: Held) -> list[_Group]:
        """The locks of the model, those together that the same code takes."""
        regions = regions_in(self.source)
        taken: dict[str, list[Region]] = {}
        apart: dict[str, str] = {}
        takes_first = sorted(held.uses, key=lambda use: use.operation in GIVING)
        for use in takes_first:
            known = taken.get(use.lock, []) if use.operation in GIVING else regions
            mine = [each for each in known if self._is_of(use, each)]
            taken.setdefault(use.lock, [])
            taken[use.lock] += [each for each in mine if each not in taken[use.lock]]
            if not mine or use.operation not in TAKING | GIVING:
                apart.setdefault(use.lock, _apart(use, self.bench.file))
        groups: list[tuple[list[str], list[Region]]] = []
        for lock, its in taken.items():
            joined = [each for each in groups if any(one in each[1] for one in its)]
            names = [name for each in joined for name in each[0]] + [lock]
            parts = [region for each in joined for region in each[1]]
            parts += [each for each in its if each not in parts]
            groups = [each for each in groups if each not in joined]
            groups.append((names, sorted(parts, key=lambda each: (each.line, each.column))))
        return [
            _Group(tuple(names), tuple(its), _not_removable(names, its, held, apart))
            for names, its in groups
        ]

    def _is_of(self, use: Use, region: Region) -> bool:
        if use.file != self.bench.file:
            return False
        if use.operation in GIVING:
            return use.line in region.given_back
        column = use.place.column
        if column is None:
            return use.place.line == region.line
        line = self.source.lines[use.place.line - 1]
        return region.covers(use.place.line, len(line[:column].encode()))

    def _judged(self, group: _Group, could_be: str) -> LockUse:
        if group.not_removable:
            bare = [RegionUse(r.function, r.expression, r.line, r.last, ()) for r in group.regions]
            return LockUse(group.names, tuple(bare), (), group.not_removable)
        regions = [self._region(region) for region in group.regions]
        needs = regions[0].needs if len(regions) == 1 else self._needs(group.regions)
        return LockUse(group.names, tuple(regions), needs, could_be=could_be)

    def _region(self, region: Region) -> RegionUse:
        needs = self._needs((region,))
        smaller = None
        if any(need.needed for need in needs):
            smaller = self._smaller(region)
        return RegionUse(
            region.function, region.expression, region.line, region.last, needs, smaller
        )

    def _smaller(self, region: Region) -> tuple[int, int] | None:
        """The smallest run of the statements that it is enough to hold the lock around."""
        body = region.body
        if not region.header or len(body) < 2:
            return None
        held = lines_of(body)
        updates = {line for line in self._updated(region) if line in held}
        for length in range(1, len(body)):
            for start in range(len(body) - length + 1):
                run = body[start : start + length]
                wrap = self.source.wrapped(run, region.header)
                if not updates <= {*lines_of(run)}:
                    continue
                if wrap is not None and self._is_same([*without(self.source, [region]), wrap]):
                    return run[0].lineno, last_line(run[-1])
        return None

    def _updated(self, region: Region) -> set[int]:
        """The lines of the updates that are lost without a region: of these, none is to be done in
        part while the lock is held, and in part after that.
        """
        trials = self._tried(without(self.source, [region])).values()
        return {
            line
            for trial in trials
            if isinstance(trial, Trial) and trial.searched is not None
            for span in updates_in(trial.searched, self.bench.file, trial.result.violations)
            for line in span.lines
        }

    def _could_be(self, groups: Sequence[_Group]) -> dict[tuple[str, ...], str]:
        """The locks in whose place another one would do, which is made before them."""
        single = [each for each in groups if len(each.names) == 1 and not each.not_removable]
        found: dict[tuple[str, ...], str] = {}
        for one, other in combinations(single, 2):
            if other.names in found or one.names in found:
                continue
            first = definition_of(self.source, self.name, one.names[0])
            second = definition_of(self.source, self.name, other.names[0])
            if first is None or second is None or first.block is not second.block:
                continue
            if self.source.start(first.value) > self.source.start(second.value):
                first, second, one, other = second, first, other, one
            if self.source.of(first.value) != self.source.of(second.value):
                continue
            if self._is_same([self.source.replaced(second.value, first.name)]):
                found[other.names] = one.names[0]
        return found

    def _is_same(self, edits: Sequence[Edit]) -> bool:
        """Whether a changed text does what the present one does, under every runtime."""
        text = applied(self.bench.original.text, edits)
        found = self.bench.tried(text, self.name, self.before, ends=self._differs)
        return not any(isinstance(each, InterleaveError) or self._differs(each)
                       for each in found.values())  # fmt: skip

    def _differs(self, trial: Trial) -> bool:
        return self._compared(trial.result.runtime, trial).needed is not False

    def _needs(self, regions: Sequence[Region]) -> tuple[Need, ...]:
        edits = without(self.source, regions)
        return tuple(
            self._compared(runtime, trial, regions) for runtime, trial in self._tried(edits).items()
        )

    def _tried(self, edits: Sequence[Edit]) -> dict[str, Trial | InterleaveError]:
        text = applied(self.bench.original.text, edits)
        if text not in self._known:
            self._known[text] = self.bench.tried(text, self.name, self.before)
        return self._known[text]

    def _compared(
        self, runtime: str, trial: Trial | InterleaveError, regions: Sequence[Region] = ()
    ) -> Need:
        """Whether what was there before is there after, and nothing else."""
        before = self.before[runtime]
        if isinstance(trial, InterleaveError):
            return Need(runtime, None, why=trial.what)
        new = [each for each in trial.result.violations if cause_of(each) not in before.causes]
        if new:
            return Need(runtime, True, violation=new[0])
        if not trial.result.complete:
            return Need(runtime, None, why=trial.result.limit)
        gone = len(before.result.violations) - len(trial.result.violations)
        warned = [each for each in trial.result.warnings if each not in before.result.warnings]
        if before.outcomes is None or trial.outcomes is None:
            return Need(runtime, None, why="its outcomes take too much to tell")
        less = missing(before.outcomes, trial.outcomes, self.aside)
        more = [] if gone else missing(trial.outcomes, before.outcomes, self.aside)
        if more or less:
            one, other = next(iter(more), None), next(iter(less), None)
            return Need(runtime, True, outcome=one, lost=other)
        if warned and not gone:
            return Need(runtime, True, why=warned[0])
        step = None
        if len(regions) == 1 and regions[0].body and trial.searched is not None:
            step = _one_step(trial.searched, self.bench.file, regions[0])
        return Need(runtime, False, one_step=step, gone=gone)


def _apart(use: Use, file: str) -> str:
    if use.file != file:
        does = "gives it back" if use.operation in GIVING else "takes it"
        return f"{here(use.file)} {does}; only locks that {here(file)} takes are looked at"
    if use.operation in TAKING:
        return f"it is taken at line {use.line} of {here(file)}, and given back elsewhere"
    if use.operation in GIVING:
        return f"it is given back at line {use.line} of {here(file)}, and taken elsewhere: a signal"
    return f"line {use.line} of {here(file)} goes on by whether it is held"


def _not_removable(
    names: Sequence[str], regions: Sequence[Region], held: Held, apart: dict[str, str]
) -> str:
    """Why locks cannot be taken away; "" where they can."""
    for name in names:
        if name in held.belongs:
            return f"it belongs to {held.belongs[name]}, whose wait() gives it back"
        if name in held.held_first:
            return "it is held before the threads begin: a signal"
        if name in apart:
            return apart[name]
    return next((each.why for each in regions if each.why), "")


def _one_step(found: Searched[Check], file: str, region: Region) -> tuple[int, int] | None:
    """The lines of a region, where a thread that has begun them comes through in the same step."""
    first, last = region.body[0].lineno, region.last
    lines = range(first, last + 1)
    graph, many = found.graph, 0
    begun: set[tuple[str, int, int]] = set()
    for number in range(len(graph)):
        for _, step, _, _ in graph.edges(number):
            inside = [
                access
                for access in step.accesses
                if access.place[0].file == file
                and access.place[0].source(access.place[1]).line in lines
            ]
            if not inside:
                continue
            many = max(many, len(inside))
            place, order = inside[0].place, inside[0].order
            begun.add((place[0].name, place[1], order))
    return (first, last) if many > 1 and len(begun) == 1 else None
