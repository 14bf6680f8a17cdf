"""One report for one cause: what differs only in the numbers of instances, or in who of two was the
first, is folded.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import replace

from interleave.result import Source, Violation


def folded(violations: Iterable[Violation]) -> list[Violation]:
    """One violation of each group of like ones, the one with the shortest schedule.

    Violations are alike if their words and the lines that they are about differ in numbers only:
    of threads, goroutines, objects and steps. Lost updates are if two lines write the same
    location, whichever of them is lost. The one that is kept names the others.
    """
    groups: dict[Hashable, list[Violation]] = {}
    for violation in violations:
        groups.setdefault(_cause(violation), []).append(violation)
    return [_one_of(group) for group in groups.values()]


def _one_of(group: list[Violation]) -> Violation:
    if len(group) == 1:
        return group[0]
    kept = min(group, key=lambda each: len(each.trace.steps))
    others = dict.fromkeys(each.message for each in group if each.message != kept.message)
    return replace(kept, alike=tuple(others))


def _cause(violation: Violation) -> Hashable:
    """What like violations have in common."""
    location = re.sub(r"#\d+", "#", violation.location or "")
    if (lost := violation.lost_update) is not None:
        # Two writes, of which either may lose the other: that is one cause.
        steps = violation.trace.steps
        writes = [steps[number - 1].source for number in (lost.lost, lost.overwrite)]
        return violation.kind, location, _sorted(writes)
    parts = re.split("[;:] ", re.sub(r"\d+", "0", violation.message))
    words = (violation.kind, location, violation.hint, violation.leaked, tuple(sorted(parts)))
    waits = [wait.source for wait in violation.waits]
    at_fault = [violation.source] if violation.source else []
    races = [pending.source for pending in violation.race]
    return words, _sorted([*(waits or at_fault), *races])


def _sorted(sources: Iterable[Source]) -> tuple[tuple[str, int], ...]:
    """The lines that a violation is about."""
    return tuple(sorted((source.file, source.line) for source in sources))
