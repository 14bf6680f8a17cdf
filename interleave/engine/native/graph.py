"""A state graph whose states are packed."""

from __future__ import annotations

from typing import Any

import numpy as np

from interleave.engine.graph import SearchGraph
from interleave.engine.native.entries import unkept
from interleave.engine.native.forest import Forest
from interleave.engine.native.store import table
from interleave.engine.native.store.layout import Layout, slot_arrays
from interleave.engine.native.store.states import PackedStates, Parallel, Sizes
from interleave.machine import State

AT_ONCE = 1_000_000
"""States whose words are looked at together."""


class NativeGraph(SearchGraph):
    """Goes on where another graph is, with all that this has. Its states are packed."""

    def __init__(
        self,
        graph: SearchGraph,
        layout: Layout,
        forest: Forest,
        workers: int,
        sizes: Sizes,
        parallel: Parallel,
    ) -> None:
        vars(self).update(graph.all_but_states())
        self.layout = layout
        self.cyclic = False
        """Whether there is known to be a cycle."""
        self.forest = forest
        """What the kernel knows of steps: all that the graph has, when the search is over."""
        self.other_bytes = 0
        """What the arrays that are not states take: trees, and room for rounds."""
        self._parallel = parallel
        self.count = len(graph)
        states = np.array([graph.state(number) for number in range(len(graph))], np.int64)
        words = layout.pack_all(states)
        self.packed = PackedStates(layout, workers, sizes)
        self.packed.begin(words, graph.parents(), parallel)

    @property
    def kind(self) -> str:
        return "native"

    @property
    def workers(self) -> int:
        return self.packed.workers

    @property
    def is_kept(self) -> bool:
        return not unkept

    @property
    def bytes(self) -> int:
        return self.packed.bytes + self.other_bytes

    @property
    def peak_bytes(self) -> int:
        return self.packed.peak + self.other_bytes

    @property
    def depth(self) -> int:
        return int(table.depth_of(self.packed.space, self.count - 1))

    def __len__(self) -> int:
        return self.count

    def state(self, number: int) -> State:
        return self.packed.state(number)

    def number(self, state: State) -> int | None:
        return self.packed.find(state)

    def parent(self, number: int) -> int:
        return self.packed.parent(number)

    def parents(self) -> Any:
        return self.packed.parents(self.count)

    def variety(self, place: int) -> int:
        (word,), (shift,), (mask,) = slot_arrays(self.layout, [place])
        found = np.zeros(int(mask) + 1, np.bool_)
        for begin in range(0, self.count, AT_ONCE):
            words = self.packed.words_of(slice(begin, min(begin + AT_ONCE, self.count)))
            found[(words[:, word] >> shift) & mask] = True
        return int(found.sum())

    def add(self, state: State, parent: int) -> None:
        for place, value in enumerate(state):
            self.layout.code(place, value)
        self.packed.append(state, parent, self.count, self._parallel)
        self.count += 1

    def are_over(self, words: Any) -> Any:
        """For each of some states, whether the program has ended in it: see `Machine.is_over`."""
        over = self.machine.program.over
        if over is None:
            return np.zeros(len(words), bool)
        word, shift = self.layout.slots[over.index]
        codes = (words[:, word] >> np.uint64(shift)) & np.uint64(self.layout.mask(over.index))
        values = self.machine.program.heap.values
        truth = [bool(values[value]) for value in self.layout.values(over.index)]
        return np.array(truth, bool)[codes]

    def truncate(self, count: int) -> None:
        """Forget all states but the first `count`."""
        self.count = count
        self.packed.truncate(count, self._parallel)
