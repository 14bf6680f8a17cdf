"""Locks, held around the smallest runs of statements for which that is enough."""

from __future__ import annotations

import ast
import heapq
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import product

from interleave.compiler.source import Definition
from interleave.mending.definitions import classes_of
from interleave.mending.differences import same_lines, size_of
from interleave.mending.layout import rearranged
from interleave.mending.making import Guarded, LockChoice, existing_locks, new_lock
from interleave.mending.regions import Region, regions_in
from interleave.mending.scopes import Reach, Run
from interleave.mending.spans import WAITS, Lines, Span, spans_of
from interleave.mending.texts import DEFINITIONS, lines_of
from interleave.mending.verifying import (
    Candidate,
    OutOfBounds,
    Verified,
    Verifier,
    most_parallel,
)
from interleave.result import Violation

MOST_RUNS = 3
"""Functions, at most, of which each may be where a lock belongs that a span speaks of."""


class Guarding(Verifier):
    """Looks for a lock to be held, and for where."""

    def guarded(self, other: Verified | None) -> Verified | None:
        """A lock, held around the smallest runs of statements for which that is enough; None where
        no change is as small as the `other` one. It belongs to the functions that access what is
        shared; to those that call them only if that is not enough.
        """
        bound = self.share
        self.share = self.tried + max((min(self.most, bound) - self.tried) // 2, 1)
        found: Verified | None = None
        with suppress(OutOfBounds):
            found = self._guarded(other, nearest=True)
        self.share = bound
        return found or self._guarded(other, nearest=False)

    def _guarded(self, other: Verified | None, *, nearest: bool) -> Verified | None:
        most = (10**9, 0) if other is None else other.candidate.size[:2]
        reach = Reach(self.scopes)
        heap: list[tuple[tuple[int, int, int], tuple[Run, ...]]] = []
        known: set[tuple[Run, ...]] = set()
        concerned: set[int] = set()

        def push(runs: Iterable[Run]) -> None:
            runs = [*runs]
            for chosen in (reach.apart(runs), reach.merged(runs)):
                if chosen and chosen not in known and not self._parts(reach, chosen, updates):
                    known.add(chosen)
                    own = [lines_of(reach.statements(run)) for run in chosen]
                    lines = sum(map(len, own))
                    apart = sum(map(concerned.isdisjoint, own))
                    heapq.heappush(heap, ((len(chosen), apart, lines), chosen))

        violations = [each for trial in self.before.values() for each in trial.result.violations]
        updates: list[frozenset[int]] = []
        for violation in violations:
            for span in self._spans(violation):
                concerned |= span.lines
                updates += [span.lines] if violation.lost_update is not None else []
        conflicts = [each for each in violations if each.lost_update or each.race]
        for violation in (conflicts or violations) if nearest else violations:
            for runs in self._configurations(reach, self._spans(violation), nearest=nearest):
                push(runs)
        found: list[Verified] = []
        enough = (0, 0, 0)
        while heap:
            weight, held = heapq.heappop(heap)
            if found and weight > enough:
                break
            candidates = [each for each in self._held(reach, held) if each.size[:2] <= most]
            counterexamples: list[list[Span]] = []
            is_enough = False
            for candidate in candidates:
                try:
                    verified = self.verified(candidate)
                except OutOfBounds:
                    if not found:
                        raise
                    heap.clear()
                    break
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
                for more in self._configurations(reach, spans, nearest=nearest):
                    push([*held, *more])
            for number, run in enumerate(held):
                for grown in reach.grown(run):
                    push([*held[:number], grown, *held[number + 1 :]])
        if not found:
            return None
        least = min(each.candidate.size[:2] for each in found)
        found += [other] if other is not None else []
        return most_parallel([each for each in found if each.candidate.size[:2] == least])

    def _spans(self, violation: Violation, text: str | None = None) -> list[Span]:
        """The lines that a violation speaks of, as the present text has them: those of another
        text that are in this one, too.
        """
        accessed = {} if text else self.accessed
        spans = spans_of(violation, Lines(self.bench.file, accessed, self.statements))
        if text is None:
            return spans
        same = same_lines(text, self.text)
        return [
            Span(span.thread, frozenset(same[line] for line in span.lines if line in same))
            for span in spans
            if any(line in same for line in span.lines)
        ]

    def _parts(self, reach: Reach, runs: Iterable[Run], updates: Iterable[frozenset[int]]) -> bool:
        """Whether some run begins or ends between the read and the write of an update."""
        for run in runs:
            own = {*lines_of(reach.statements(run))}
            for lines in updates:
                here = {line for line in lines if self.scopes[run[0]].has(line)}
                if own & here and not here <= own:
                    return True
        return False

    def _configurations(
        self, reach: Reach, spans: Sequence[Span], *, nearest: bool
    ) -> Iterator[list[Run]]:
        """The runs that spans may be in: one for each span, and each on its own."""
        found = (self._runs(reach, span, nearest=nearest)[:MOST_RUNS] for span in spans)
        options = [each for each in found if each]
        for chosen in product(*options):
            yield [*chosen]
        for number in range(len(options)):
            for run in options[number]:
                yield [run]

    def _runs(self, reach: Reach, span: Span, *, nearest: bool) -> list[Run]:
        """The runs that a span may be in. What a test calls is to be mended, and not the test."""
        own = self._of_test
        called = {
            line for line in span.lines if not any(self.scopes[each].has(line) for each in own)
        }
        found = reach.runs(called or span.lines, nearest=nearest)
        return [run for run in found if not called or run[0] not in own]

    @cached_property
    def _of_test(self) -> frozenset[int]:
        """The numbers of the functions that are a test, or stand in it: none for other models."""
        if classes_of(self.source, self.name):
            return frozenset()
        inside = {
            id(each)
            for node in ast.walk(self.source.tree)
            if isinstance(node, Definition) and node.name == self.name and node.decorator_list
            for each in ast.walk(node)
        }
        return frozenset(
            number
            for number, scope in enumerate(self.scopes)
            if scope.owner is None and id(scope.node) in inside
        )

    def _waits(self, reach: Reach, statements: Sequence[ast.stmt], choice: LockChoice) -> bool:
        """Whether threads wait for others within statements, and a lock would be held meanwhile:
        all but one that is there and that waiting gives back.
        """
        lines = set[int]().union(*map(reach.of, statements)) & self.waiting
        if not lines or choice.edits:
            return bool(lines)
        kept = choice.expression.removeprefix("self.")
        given_back = {choice.expression}
        for node in ast.walk(self.source.tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                arguments = {ast.unparse(each).removeprefix("self.") for each in node.value.args}
                if kept in arguments:
                    given_back |= {ast.unparse(each).rpartition(".")[2] for each in node.targets}
        return any(
            self.source.of(node.func.value) not in given_back
            and self.source.of(node.func.value).removeprefix("self.") not in given_back
            for node in ast.walk(self.source.tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            and node.func.attr in WAITS and node.lineno in lines
        )  # fmt: skip

    def _held(self, reach: Reach, runs: tuple[Run, ...]) -> Iterator[Candidate]:
        """The texts in which some lock is held around runs, the smallest first."""
        scopes = [self.scopes[run[0]] for run in runs]
        choices: list[LockChoice] = existing_locks(self.source, self.model, scopes)
        around = tuple(each for run in runs for each in reach.statements(run))
        made = new_lock(self.source, self.model, Guarded(tuple(scopes), around, self.kinds))
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
                if self._waits(reach, statements, choice):
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
                    found.append(Candidate(text, words, size_of(self.text, text)))
        yield from sorted(found, key=lambda each: each.size)


def _cannot_be_held(statements: Sequence[ast.stmt]) -> bool:
    """Whether some of these are no code that runs: definitions, and what names are."""
    return any(isinstance(each, DEFINITIONS | ast.Global | ast.Nonlocal) for each in statements)


def _is_inside(statements: Sequence[ast.stmt], region: Region) -> bool:
    """Whether statements are within what a region holds already."""
    if not region.body:
        return False
    inner, outer = lines_of(statements), lines_of(region.body)
    return outer.start <= inner.start and inner.stop <= outer.stop


def _is_around(statements: Sequence[ast.stmt], region: Region) -> bool:
    """Whether a region is within statements."""
    lines = lines_of(statements)
    return region.line in lines and region.last in lines


def _held_words(choice: LockChoice, blocks: Sequence[tuple[Sequence[ast.stmt], str]]) -> str:
    places = []
    for statements, _ in blocks:
        lines = lines_of(statements)
        places.append(f"lines {lines[0]}-{lines[-1]}" if len(lines) > 1 else f"line {lines[0]}")
    new = "a new lock, " if choice.edits else ""
    return f"hold {new}`{choice.expression}` around {' and '.join(places)}"
