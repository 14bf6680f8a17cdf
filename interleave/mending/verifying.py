"""Changes of a model that are checked, and what is asked of them besides a verdict."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from contextlib import suppress

from interleave.errors import InterleaveError
from interleave.interrupts import poll
from interleave.loading import has_threads
from interleave.mending.cost import orders
from interleave.mending.definitions import classes_of
from interleave.mending.differences import Size
from interleave.mending.scopes import Scope
from interleave.mending.texts import SourceText
from interleave.mending.trying import Bench, Trial, missing
from interleave.model import Model
from interleave.records import dataclass
from interleave.result import Described, Outcome, Violation
from interleave.runtimes import ThreadKind

MOST_STATES = 100_000
"""States of a changed model, at most, unless the model as it is has more."""

MOST_BEYOND = 30
"""Changes, at most, that are tried after one was verified that has other outcomes."""


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


@dataclass(frozen=True)
class Verified:
    """A candidate that a check has verified under every runtime, with what that says of each.

    `lost` and `new` are as in `Fix`.
    """

    candidate: Candidate
    trials: Mapping[str, Trial]
    lost: tuple[tuple[str, Outcome], ...]
    new: tuple[tuple[str, Outcome], ...]

    def kept(self) -> int:
        """In how many orders threads can access what they share, under all runtimes."""
        return sum(orders_of(each) or 0 for each in self.trials.values())


def orders_of(trial: Trial) -> int | None:
    """In how many orders threads can access what they share, where that can be told."""
    counted = trial.result.interleavings
    has_end = counted is not None and counted.total is not None
    return orders(trial.searched) if has_end and trial.searched is not None else None


class OutOfBounds(Exception):
    """As many texts were checked as may be."""


class Verifier:
    """Checks changes of one model of a file."""

    model: type[Model]

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
        self.scopes: list[Scope] = []
        """The functions that threads run, in the order of the lines."""
        self.before: dict[str, Trial] = {}
        self._seen: dict[str, tuple[Violation, ...]] = {text: ()}
        """What was found in the texts that were checked."""
        self.kinds: frozenset[ThreadKind] = frozenset()
        """The kinds of the threads of the model."""
        self.waiting: set[int] = set()
        """The lines where threads wait for others, other than for a lock."""
        self.statements: dict[str, frozenset[int]] = {}
        self.accessed: dict[tuple[str, str, bool], frozenset[int]] = {}
        self.aside: set[str] = set()
        """The names of locks: whether one is held in the end is no outcome."""
        self._other_outcomes: Verified | None = None
        self._others: dict[str, dict[str, Trial]] = {}

    def _first_of(self, candidates: Sequence[Candidate]) -> Verified | None:
        """The smallest of these that is verified; of those that write as many lines and indent as
        many, the one that leaves most orders of accesses.
        """
        found: list[Verified] = []
        for candidate in candidates:
            if found and candidate.size[:2] > found[0].candidate.size[:2]:
                break
            verified = self.verified(candidate)
            if verified is not None:
                found.append(verified)
        return most_parallel(found)

    def verified(self, candidate: Candidate) -> Verified | None:
        """A candidate with its trials, if they verify it and the outcomes are as they were."""
        trials = self._trials(candidate)
        return None if trials is None else self._kept(candidate, trials)

    def _trials(self, candidate: Candidate) -> dict[str, Trial] | None:
        """The trials of a candidate that is verified under every runtime, else None."""
        self.failing: tuple[Violation, ...] = ()
        if candidate.text in self._seen:
            self.failing = self._seen[candidate.text]
            return None
        self._seen[candidate.text] = ()
        poll()
        if self.tried >= min(self.most, self.share):
            raise OutOfBounds
        self.tried += 1
        found: dict[str, Trial] = {}
        try:
            ast.parse(candidate.text)
            with self.bench.models(candidate.text) as models:
                for runtime in sorted(self.before, key=self._is_clean):
                    trial = self.bench.trial_of(
                        models[self.name], runtime, fail_fast=True, max_states=self.most_states
                    )
                    if trial.result.verdict != "verified" or not self._warns_as_before(trial):
                        self.failing = self._seen[candidate.text] = trial.result.violations
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

    @property
    def most_states(self) -> int:
        """How many states a changed model may have."""
        return max(MOST_STATES, *(4 * each.result.states for each in self.before.values()))

    def _is_clean(self, runtime: str) -> bool:
        return not self.before[runtime].result.violations

    def _warns_as_before(self, trial: Trial) -> bool:
        """Whether a check warns of nothing new. Of what is violated it does not warn of all."""
        before = self.before[trial.result.runtime].result
        return bool(before.violations) or {*trial.result.warnings} <= {*before.warnings}

    def _leaves_others(self, text: str) -> bool:
        """Whether the other models of the file have no violation that they had not."""
        before, after = self.source, SourceText(text)
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

    def _kept(self, candidate: Candidate, trials: dict[str, Trial]) -> Verified | None:
        if candidate.frees and any(map(self._holds, trials.values())):
            return None
        after = {runtime: trial.outcomes for runtime, trial in trials.items()}
        lost, new = self._lost_and_new(after)
        verified = Verified(candidate, trials, lost, new)
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

    def _lost_and_new(
        self, reached: Mapping[str, Sequence[Outcome] | None]
    ) -> tuple[tuple[tuple[str, Outcome], ...], tuple[tuple[str, Outcome], ...]]:
        """The outcomes that are not `reached` any more, and those that were not reached before:
        each with its runtime, of which some outcomes were reached before.
        """
        lost: list[tuple[str, Outcome]] = []
        new: list[tuple[str, Outcome]] = []
        for runtime, after in reached.items():
            before = self.before[runtime].outcomes
            if before and after is not None:
                lost += [(runtime, each) for each in missing(before, after, self.aside)]
                new += [(runtime, each) for each in missing(after, before, self.aside)]
        return tuple(lost), tuple(new)

    def _holds(self, trial: Trial) -> bool:
        """Whether some lock is held in the end."""
        return any(
            name in self.aside and isinstance(value, Described) and value.text != "unlocked"
            for outcome in trial.outcomes or ()
            for name, value in outcome.state
        )


def most_parallel(found: Sequence[Verified]) -> Verified | None:
    """The one that leaves most orders of accesses; of several, what people would rather do."""
    if len(found) < 2:
        return next(iter(found), None)

    def least(each: Verified) -> tuple[int, int, Size]:
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
