"""How a state is packed into words of 64 bits.

Each place of a state has a **slot**, some bits of one word. What stands there is no value id, but a
**code**: the values that were met at that place are counted from 0 in the order in which they were
met. So a slot is as wide as the number of its values asks for, and grows with it. Codes never
change; where they stand does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from interleave.machine import FAILED, FINISHED, State

WORD = 64
"""Bits of a word."""


class Layout:
    """The codes of every place, and where their slots are.

    `groups` says which places are of a kind, such as the instances of one thread: their slots are
    widened together, for what one of them meets, the others will. `threads` are the places of local
    states, where 0 and 1 stand for FINISHED and FAILED from the start.
    """

    def __init__(self, groups: Sequence[object], threads: Iterable[int]) -> None:
        self._groups = groups
        self._codes: list[dict[int, int]] = [{} for _ in groups]
        self._values: list[list[int]] = [[] for _ in groups]
        for place in threads:
            assert (self.code(place, FINISHED), self.code(place, FAILED)) == (0, 1)
        self.widths = [0] * len(groups)
        self.words = 1
        self.version = 0
        """How often slots were given their places."""
        self.slots: list[tuple[int, int]] = []
        """Word and shift of each place's slot."""
        self.arrange()

    def code(self, place: int, value: int) -> int:
        """What stands for a value at a place. Its slot may be too small for it: see `fits`."""
        codes = self._codes[place]
        found = codes.get(value)
        if found is None:
            found = codes[value] = len(codes)
            self._values[place].append(value)
        return found

    def value(self, place: int, code: int) -> int:
        """The value that a code stands for."""
        return self._values[place][code]

    def values(self, place: int) -> Sequence[int]:
        """The values met at a place, in the order of their codes."""
        return self._values[place]

    def fits(self, place: int) -> bool:
        """Whether the slot of a place is wide enough for all of its codes."""
        return len(self._codes[place]) <= 1 << self.widths[place]

    def mask(self, place: int) -> int:
        """The bits of a slot, moved to the right end of the word."""
        return (1 << self.widths[place]) - 1

    def arrange(self) -> None:
        """Make all slots wide enough, and give them their places anew.

        Slots that must be widened get a bit to spare, if that takes no word more: to move them is
        to move all states.
        """
        needed: dict[object, int] = {}
        for group, codes, width in zip(self._groups, self._codes, self.widths, strict=True):
            bits = max(0, len(codes) - 1).bit_length()
            needed[group] = max(needed.get(group, 0), bits, width)
        tight = [needed[group] for group in self._groups]
        ample = [new + (new > old > 0) for new, old in zip(tight, self.widths, strict=True)]
        self.slots, words = _placed(tight)
        self.widths = tight
        slots, enough = _placed(ample)
        if enough == words:
            self.slots, self.widths = slots, ample
        self.words = max(self.words, words)  # states never shrink
        self.version += 1

    def pack(self, state: State) -> list[int]:
        """The words of a state. All of its values must have fitting codes."""
        words = [0] * self.words
        for place, value in enumerate(state):
            word, shift = self.slots[place]
            words[word] |= self._codes[place][value] << shift
        return words

    def pack_all(self, states: Any) -> Any:
        """The words of states, which are the rows of an array of values; likewise. Widens slots."""
        codes = np.zeros(states.shape, np.uint64)
        for place in range(states.shape[1]):
            values, inverse = np.unique(states[:, place], return_inverse=True)
            codes[:, place] = np.array(
                [self.code(place, value) for value in values.tolist()], np.uint64
            )[inverse]
        self.arrange()
        words = np.zeros((len(states), self.words), np.uint64)
        for place, (word, shift) in enumerate(self.slots):
            words[:, word] |= codes[:, place] << np.uint64(shift)
        return words

    def find(self, state: State) -> list[int] | None:
        """The words of a state; None where one of its values was never met at its place."""
        words = [0] * self.words
        for place, value in enumerate(state):
            word, shift = self.slots[place]
            code = self._codes[place].get(value)
            if code is None or code >> self.widths[place]:
                return None
            words[word] |= code << shift
        return words

    def unpack(self, words: Sequence[int]) -> State:
        """The state that some words stand for."""
        return tuple(
            values[(words[word] >> shift) & ((1 << width) - 1)]
            for values, (word, shift), width in zip(
                self._values, self.slots, self.widths, strict=True
            )
        )


def _placed(widths: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """Word and shift for each of some slots, and how many words they take."""
    room = [WORD]
    slots = [(0, 0)] * len(widths)
    # The widest first: then the others fill what is left.
    for place in sorted(range(len(slots)), key=lambda place: -widths[place]):
        width = widths[place]
        if not width:
            break
        word = next((word for word, free in enumerate(room) if free >= width), len(room))
        if word == len(room):
            room.append(WORD)
        slots[place] = (word, WORD - room[word])
        room[word] -= width
    return slots, len(room)


def slot_arrays(layout: Layout, places: Sequence[int]) -> tuple[Any, Any, Any]:
    """Words, shifts and masks of the slots of some places."""
    return (
        np.array([layout.slots[place][0] for place in places], np.int64),
        np.array([layout.slots[place][1] for place in places], np.uint64),
        np.array([layout.mask(place) for place in places], np.uint64),
    )
