"""The edges of a state graph, as numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable


class Targets:
    """Where each state leads to: one target number for each transition, in order."""

    def __init__(self, rows: Iterable[Iterable[int]]) -> None:
        self.all = array("q")
        self._starts = array("q", [0])
        for row in rows:
            self.all.extend(row)
            self._starts.append(len(self.all))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> array[int]:
        return self.all[self._starts[number] : self._starts[number + 1]]
