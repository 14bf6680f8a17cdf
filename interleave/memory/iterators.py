"""Iterators that threads share: the one that has it next takes the item, in one access.

CPython takes an item in C code, within one bytecode; what runs code of the model on the way
(a generator that is enumerated, say) is refused.
"""

from __future__ import annotations

import gc
import itertools
from typing import Any, ClassVar

from interleave.memory import cursors
from interleave.memory.cursors import disclosed, enclosed, made_of, parts_of
from interleave.memory.port import Location, current_port
from interleave.memory.primitive import Primitive

SHARED = (
    cursors.NamedCursor,
    cursors.Backwards,
    cursors.Enumerated,
    cursors.Zipped,
    cursors.Chained,
    cursors.Cycle,
    cursors.Sliced,
)
"""The iterators of a thread's own that it may share."""


class SharedIterator(Primitive):
    """An iterator of some type; its state are its parts."""

    stands_for: ClassVar[tuple[type, ...]] = (itertools.cycle,)

    def __init__(self, number: int, location: Location, kind: type) -> None:
        super().__init__(number, location)
        self._type = kind

    @classmethod
    def contents(cls, value: Any) -> tuple[Any, ...]:
        """The state of one of a thread's own."""
        found: tuple[Any, ...] = enclosed(parts_of(value))
        return found

    @classmethod
    def content(cls, state: Any) -> object:
        return state

    @classmethod
    def describe(cls, state: Any) -> str:
        match state:
            case (tuple() | str() | bytes() | range() as left, int(), int(), str(), tuple()):
                return f"{len(left)} left"
            case (_, tuple(met), int(place)):
                return f"{len(met)} met, at {place}"
            case (_, int(place), *_):
                return f"at {place}"
        return "an iterator"

    def __iter__(self) -> SharedIterator:
        return self

    def __next__(self) -> Any:
        def effect() -> Any:
            iterator = made_of(self._type, disclosed(self.state))
            try:
                return next(iterator)
            finally:
                self.state = self.contents(iterator)

        return effect() if current_port().in_access else self.operate("next", effect)


SharedIterator.__name__ = "iterator"


_SEQUENCES: tuple[Any, ...] = ([], (), range(0), "", b"")
_OVER_SEQUENCES = tuple(type(iter(each)) for each in _SEQUENCES)


def parts_of_real(real: Any) -> tuple[type, tuple[Any, ...]] | None:
    """The type, and the parts, of an iterator of Python's; None where nobody knows its parts."""
    if isinstance(real, _OVER_SEQUENCES):
        state: tuple[Any, ...] = real.__reduce__()
        if len(state) == 2:  # it has ended, and stays so
            return cursors.NamedCursor, ((), 0, -1, "", ())
        source, place = state[1][0], state[2]
        if type(source) is not list:
            source, place = source[place:], 0
        return cursors.NamedCursor, (source, place, -1, "", ())
    if type(real) is enumerate:
        return cursors.Enumerated, tuple(real.__reduce__()[1])
    if type(real) is zip:
        sources: Any = real.__reduce__()
        return cursors.Zipped, (sources[1], bool(sources[2:] and sources[2]))
    if type(real) is itertools.cycle:
        inside = [each for each in gc.get_referents(real) if each is not itertools.cycle]
        going = [each for each in inside if type(each) is not list]
        met = [each for each in inside if type(each) is list]
        if len(going) == len(met) == 1:  # else it has come to the end, and is at some place
            return cursors.Cycle, (going[0], tuple(met[0]), 0)
    return None
