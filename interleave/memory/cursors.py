"""Iterators that a state can hold: where a `for` loop of a thread stands.

Over a shared container or array a cursor is live: each element it takes is one access, and it sees
what other threads do to the container meanwhile. Over a list or dict of the thread it is live too,
as in Python. Of anything that cannot change, it keeps only what is still to come.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any

from interleave.errors import ModelError
from interleave.memory.containers import DictView, SharedArray, SharedContainer, SharedList
from interleave.memory.port import AccessKind, current_port
from interleave.memory.values import Freezer, Key, Thawer, in_order, register_mutable

LONGEST = 100_000
"""Items at most that are taken at once from an iterator which cannot be kept in a state."""


class Cursor:
    """An iterator: `source` is what it iterates over, `place` how far it is."""

    __slots__ = ("place", "size", "source")

    def __init__(self, source: Any, place: int = 0, size: int = -1) -> None:
        self.source = source
        self.place = place
        self.size = size

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> Any:
        source = self.source
        if isinstance(source, SharedContainer | DictView):
            return self._next_shared(source)
        if isinstance(source, SharedArray | list | deque):
            if self.place >= len(source):
                raise StopIteration
            self.place += 1
            return source[self.place - 1]
        if isinstance(source, dict):
            return self._next_key(source)
        if not source:
            raise StopIteration
        first, self.source = source[0], source[1:]
        return first

    def _next_shared(self, source: SharedContainer | DictView) -> Any:
        container = source.of if isinstance(source, DictView) else source
        location = container._location
        port = current_port()
        place = self.place

        def effect() -> tuple[Any, ...]:
            contents = port.read(location)
            if self.size >= 0 and len(contents) != self.size:
                return ("changed",)
            try:
                return ("item", source.peek(contents, place), len(contents))
            except IndexError:
                return ("end",)

        if location.constant:
            what, *item = effect()
        else:
            what, *item = port.access(AccessKind("next", location), effect)
        if what == "end":
            raise StopIteration
        if what == "changed":
            kind = container._type.__name__
            word = "dictionary" if kind == "dict" else kind
            raise RuntimeError(f"{word} changed size during iteration")
        self.place += 1
        if not isinstance(source, SharedList):
            self.size = item[1]
        return item[0]

    def _next_key(self, source: dict[Any, Any]) -> Any:
        if self.size < 0:
            self.size = len(source)
        if len(source) != self.size:
            raise RuntimeError("dictionary changed size during iteration")
        for key in itertools.islice(source, self.place, None):
            self.place += 1
            return key
        raise StopIteration


class Enumerated:
    """`enumerate(x)` that a state can hold."""

    __slots__ = ("count", "source")

    def __init__(self, iterable: Any, start: int = 0) -> None:
        self.source = cursor(iterable)
        self.count = start

    def __iter__(self) -> Enumerated:
        return self

    def __next__(self) -> tuple[int, Any]:
        item = next(self.source)
        self.count += 1
        return self.count - 1, item


class Zipped:
    """`zip(x, y, ...)` that a state can hold."""

    __slots__ = ("sources", "strict")

    def __init__(self, *iterables: Any, strict: bool = False) -> None:
        self.sources = tuple(cursor(iterable) for iterable in iterables)
        self.strict = strict

    def __iter__(self) -> Zipped:
        return self

    def __next__(self) -> tuple[Any, ...]:
        items: list[Any] = []
        for source in self.sources:
            for item in source:
                items.append(item)
                break
            else:
                return self._end(len(items))
        if not items:
            raise StopIteration
        return tuple(items)

    def _end(self, taken: int) -> Any:
        if not self.strict:
            raise StopIteration
        if taken:
            raise ValueError(f"zip() argument {taken + 1} is shorter than argument {taken}")
        for number, source in enumerate(self.sources[1:], 2):
            for _ in source:
                raise ValueError(f"zip() argument {number} is longer than argument {number - 1}")
        raise StopIteration


def cursor(iterable: Any) -> Iterator[Any]:
    """An iterator over `iterable` that a state can hold.

    Raises `ModelError` for an iterator without end, `TypeError` for what cannot be iterated.
    """
    if isinstance(iterable, Cursor | Enumerated | Zipped):
        return iterable
    if isinstance(iterable, SharedContainer | DictView | SharedArray):
        return Cursor(iterable)
    if type(iterable) in (list, deque, dict, tuple, str, bytes, range):
        return Cursor(iterable)
    if isinstance(iterable, set | frozenset):
        return Cursor(tuple(in_order(iterable)))
    items = tuple(itertools.islice(iterable, LONGEST + 1))
    if len(items) > LONGEST:
        raise ModelError(
            f"this loop iterates over more than {LONGEST:,} items that cannot be kept in a state",
            remedy="iterate over a range, tuple or list, or use a `while` loop",
        )
    return Cursor(items)


def reverse(sequence: Any) -> Iterator[Any]:
    """`reversed(x)` that a state can hold: over the contents as they are now."""
    return Cursor(tuple(reversed(sequence)))


def _freeze_cursor(freezer: Freezer, value: Cursor) -> Key:
    return (freezer.freeze(value.source), value.place, value.size)


def _thaw_cursor(thawer: Thawer, key: Key) -> Cursor:
    made = thawer.placed(key[1], Cursor(()))
    source, made.place, made.size = key[2]
    made.source = thawer.thaw(source)
    return made


def _thaw_enumerated(thawer: Thawer, key: Key) -> Enumerated:
    made = thawer.placed(key[1], Enumerated(()))
    source, made.count = key[2]
    made.source = thawer.thaw(source)
    return made


def _thaw_zipped(thawer: Thawer, key: Key) -> Zipped:
    made = thawer.placed(key[1], Zipped(strict=key[2][1]))
    made.sources = tuple([thawer.thaw(source) for source in key[2][0]])
    return made


register_mutable(Cursor, _freeze_cursor, _thaw_cursor)
register_mutable(
    Enumerated, lambda freezer, value: (freezer.freeze(value.source), value.count), _thaw_enumerated
)
register_mutable(
    Zipped,
    lambda freezer, value: (tuple([freezer.freeze(s) for s in value.sources]), value.strict),
    _thaw_zipped,
)
register_mutable(
    DictView,
    lambda freezer, value: (freezer.freeze(value.of), value.which),
    lambda thawer, key: thawer.placed(
        key[1], DictView(thawer.thaw(key[2][0]), key[2][1])
    ),
)
