"""The search for the smallest change of a model, and for several that remove a part each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from interleave.compiler.source import statement_text
from interleave.loading import expectation_of
from interleave.mending.changes import Ground, changes_of
from interleave.mending.differences import Size, diff, size_of
from interleave.mending.guarding import Guarding
from interleave.mending.holding import locks_in
from interleave.mending.results import Cost, Fix
from interleave.mending.scopes import Scope, scopes_in
from interleave.mending.spans import accessed_in, waited_in
from interleave.mending.texts import applied
from interleave.mending.trying import Trial, cause_of, each_once
from interleave.mending.verifying import Candidate, OutOfBounds, Verified, orders_of
from interleave.notes import notes_of
from interleave.result import Violation
from interleave.runtimes import NAMED

MOST_PARTS = 3
"""Changes, at most, of which each removes a part of what is found."""

MOST_PARTLY = 40
"""Changes, at most, of which it is asked whether they remove a part."""


class Search(Guarding):
    """Looks for a change of one model."""

    def found(self) -> tuple[Fix, str]:
        """What there is to say of the model, and the text that the file would have."""
        with self.bench.models(self.text) as models:
            self.model = self.bench.model_in(models, self.name)
            self._check()
            expects = self._expects()
            results = tuple(each.result for each in self.before.values())
            violations = each_once(results)
            plain = Fix(self.name, self.bench.file, results, violations)
            if violations:
                self._read_scopes()
        if not violations:
            return replace(plain, mended=self._mended()), self.text
        if len(violations) > 1 and self.depth < MOST_PARTS:
            self.share = max(self.most * 3 // 5, 1)
        limit = ""
        verified: Verified | None = None
        try:
            verified = self._smallest()
        except OutOfBounds:
            limit = f"{self.tried:,} changes were tried"
        verified = verified or self._other_outcomes
        if verified is None:
            if len(violations) > 1 and self.depth < MOST_PARTS:
                parts = [self._in_parts(plain, *each) for each in islice(self._partly(), 2)]
                if parts:
                    return min(parts, key=self._left)
            plain = replace(plain, tried=self.tried, limit=limit, most_states=self.most_states)
            return plain, self.text
        return self._told(plain, verified, expects, limit), verified.candidate.text

    def _check(self) -> None:
        """Check the model as it is, and note what its lines access, and its locks."""
        for runtime in self.bench.runtimes(self.model):
            self.before[runtime] = trial = self.bench.trial_of(self.model, runtime)
            if trial.searched is not None:
                found = accessed_in(trial.searched, self.bench.file)
                for key, lines in found.items():
                    self.accessed[key] = self.accessed.get(key, frozenset()) | lines
                self.aside |= {use.lock for use in locks_in(trial.searched).uses}
                self.waiting |= waited_in(trial.searched, self.bench.file)
                self.kinds |= {each.kind for each in trial.searched.machine.program.threads}

    def _mended(self) -> tuple[Violation, ...]:
        """What is found in the model as its file has it, where its text was changed already."""
        original = self.bench.original.text
        if self.text == original:
            return ()
        with self.bench.models(original) as models:
            model = self.bench.model_in(models, self.name)
            return each_once([
                self.bench.trial_of(model, runtime).result for runtime in self.before
            ])  # fmt: skip

    def _expects(self) -> bool:
        """Whether the model says that it expects something to be found."""
        return any(
            (each := expectation_of(self.model, NAMED[name])) is not None and bool(each.kinds)
            for name in self.before
            if name in NAMED
        )

    def _read_scopes(self) -> None:
        """Note the functions that threads run, and where their statements are by their texts."""
        found: dict[int, Scope] = {}
        for trial in self.before.values():
            if trial.searched is not None:
                for scope in scopes_in(self.source, trial.searched, self.bench.file):
                    found.setdefault(id(scope.node), scope)
        self.scopes = sorted(found.values(), key=lambda scope: getattr(scope.node, "lineno", 0))
        for scope in self.scopes:
            for statement in (each for block in scope.blocks for each in block):
                told = statement_text(self.bench.file, statement)
                lines = self.statements.get(told, frozenset())
                self.statements[told] = lines | {statement.lineno}

    def _told(self, plain: Fix, verified: Verified, expects: bool, limit: str) -> Fix:
        text = verified.candidate.text
        self.reached = {name: each.outcomes for name, each in verified.trials.items()}
        costs = tuple(
            Cost(runtime, orders_of(self.before[runtime]), orders_of(trial))
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
        return len(found[0].left), size_of(self.text, found[1])

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
        search = Search(self.bench, self.name, candidate.text, depth=self.depth + 1)
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
        self.reached = search.reached
        lost, new = self._lost_and_new(self.reached)
        costs = tuple(
            Cost(each.runtime, orders_of(self.before[each.runtime]), each.after)
            for each in rest.costs
        )
        told = replace(first, after=rest.after, lost=lost, new=new, costs=costs)
        return told, text

    # Changes that remove all of it

    def _smallest(self) -> Verified | None:
        """The smallest change that is verified and leaves the outcomes as they are."""
        small: list[Candidate] = []
        kinds = {each.kind for trial in self.before.values() for each in trial.result.violations}
        ground = Ground(self.source, self.name, tuple(self.scopes), frozenset(kinds), self._is_go())
        for change in changes_of(ground):
            text = applied(self.text, change.edits)
            size = size_of(self.text, text)
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
        return self.guarded(found) or found

    def _is_go(self) -> bool:
        """Whether the return of main ends the program, and `defer` is how one tidies up."""
        notes = notes_of(self.model).threads.values()
        return any(each.main is not None for note in notes for each in note.kind.runtimes)
