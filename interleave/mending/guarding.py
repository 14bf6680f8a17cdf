"""Locks, held around the smallest runs of statements for which that is enough."""

from __future__ import annotations

import ast
import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from interleave.mending.differences import same_lines, size_of
from interleave.mending.layout import rearranged
from interleave.mending.making import LockChoice, existing_locks, new_lock
from interleave.mending.regions import Region, regions_in
from interleave.mending.scopes import Reach, Run
from interleave.mending.spans import Lines, Span, spans_of
from interleave.mending.texts import DEFINITIONS, lines_of
from interleave.mending.verifying import Candidate, Verified, Verifier, most_parallel
from interleave.result import Violation

MOST_RUNS = 3
"""Functions, at most, of which each may be where a lock belongs that a span speaks of."""


class Guarding(Verifier):
    """Looks for a lock to be held, and for where."""

    def guarded(self, other: Verified | None) -> Verified | None:
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
                    own = [lines_of(reach.statements(run)) for run in chosen]
                    lines = sum(map(len, own))
                    apart = sum(map(concerned.isdisjoint, own))
                    heapq.heappush(heap, ((len(chosen), apart, lines), chosen))

        violations = [each for trial in self.before.values() for each in trial.result.violations]
        for violation in violations:
            for span in self._spans(violation):
                concerned |= span.lines
        for violation in violations:
            for runs in self._configurations(reach, self._spans(violation)):
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
                verified = self.verified(candidate)
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
