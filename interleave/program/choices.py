"""Following, one after the other, all ways in which the choices of a run can go."""

from __future__ import annotations

from collections.abc import Sequence


class Choices:
    """The choices of one run: the first ones as they are given, then always the first option."""

    __slots__ = ("_given", "taken")

    def __init__(self, given: Sequence[int]) -> None:
        self._given = given
        self.taken: list[tuple[int, int]] = []
        """The choices of this run: the index of the option, and the number of options."""

    def choose(self, options: Sequence[object]) -> int:
        """The index of one of `options`."""
        place = len(self.taken)
        choice = self._given[place] if place < len(self._given) else 0
        self.taken.append((choice, len(options)))
        return choice


def next_choices(taken: list[tuple[int, int]]) -> list[int] | None:
    """What to give to the next run after one that has `taken` these; None when all are done."""
    for place in range(len(taken) - 1, -1, -1):
        choice, count = taken[place]
        if choice + 1 < count:
            return [each for each, _ in taken[:place]] + [choice + 1]
    return None
