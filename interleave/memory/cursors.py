"""Iterators that a state can hold: where a `for` loop of a thread stands.

Over a shared container or array a cursor is live: each element it takes is one access, and it sees
what other threads do to the container meanwhile. Over a list, dict, set or deque of the thread it
is live too, as in Python. Of anything that cannot change, it keeps only what is still to come.
"""

from __future__ import annotations

import itertools
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from interleave.errors import ModelError
from interleave.memory.buffers import BUFFERS, SharedByteArray, SharedNumbers
from interleave.memory.calling import call
from interleave.memory.containers import (
    DictView,
    SharedArray,
    SharedContainer,
    SharedList,
    runs_in_c,
)
from interleave.memory.counting import SharedCount
from interleave.memory.dicts import DICTS, dict_of
from interleave.memory.port import AccessKind, current_port
from interleave.memory.values import (
    Freezer,
    Key,
    OrderedSet,
    Shared,
    Thawer,
    compared_in_python,
    in_order,
    is_plain_object,
    register_immutable,
    register_mutable,
)

LONGEST = 100_000
"""Items at most that are taken at once from an iterator which cannot be kept in a state."""

_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
_IMMUTABLE = (tuple, str, bytes, range)
_LAZY = (types.GeneratorType, map, filter)
"""Iterators that run code of the model between one item and the next."""


class Cursor:
    """An iterator: `source` is what it iterates over, `place` how far it is.

    `size` is how many items `source` had when the loop began, where that must not change (-1: it
    may), `view` what is wanted of a dict, `passed` are the keys of it that were met.
    """

    __slots__ = ("passed", "place", "size", "source", "view")

    def __init__(self, source: Any, *, size: int = -1, view: str = "") -> None:
        self.source = source
        self.place = 0
        self.size = size
        self.view = view
        self.passed: tuple[Any, ...] = ()

    def __iter__(self) -> Cursor:
        return self

    def __next__(self) -> Any:
        source = self.source
        if type(source) in _IMMUTABLE:
            if not source:
                raise StopIteration
            first, self.source = source[0], source[1:]
            return first
        if isinstance(source, DictView):
            return self._next_shared(source, source.of)
        if issubclass(type(source), SharedContainer):
            return self._next_shared(source, source)
        is_dict = isinstance(source, dict)
        keys = [*source] if is_dict else source
        place = self._place_in(type(source), keys)
        if place >= len(source):
            self._end()
        if is_dict:
            self.passed += (keys[place],)
        item = self._item(source, place)
        self.place += 1
        return item

    def _item(self, source: Any, place: int) -> Any:
        if isinstance(source, set):
            return in_order(source)[place]
        if isinstance(source, dict):
            found = getattr(source, self.view)()
            return next(itertools.islice(found, place, None))
        return source[place]

    def _place_in(self, kind: type, keys: Sequence[Any]) -> int:
        """Where it goes on in a container of some kind, given the keys of a dict, or all items.

        In a dict, what was put in anew comes after all that was there. Raises `RuntimeError` as
        Python does.
        """
        is_at_end = issubclass(kind, OrderedDict) and self.place == self.size
        if self.size >= 0 and len(keys) != self.size and not is_at_end:
            raise _changed(kind)
        if is_at_end:
            return len(keys)
        if not issubclass(kind, dict):
            return self.place
        place = 0
        for key in self.passed:
            if place < len(keys) and _is_same(key, keys[place]):
                place += 1
        is_ordered = issubclass(kind, OrderedDict) and place < len(self.passed)
        if is_ordered or place < len(keys) == len(self.passed):
            raise _changed(kind, "keys changed")
        return place

    def _next_shared(self, source: Any, container: SharedContainer) -> Any:
        is_dict = issubclass(container._type, dict)

        def take(contents: tuple[Any, ...]) -> tuple[Any, ...]:
            keys = [key for key, _ in contents] if is_dict else contents
            place = self._place_in(container._type, keys)
            if place >= len(contents):
                return ()
            return source.peek(contents, place), len(contents), keys[place]

        found = _take_shared(container, take)
        if not found:
            self._end()
        item, _, key = found
        if is_dict:
            self.passed += (key,)
        self.place += 1
        return item

    def _end(self) -> None:
        """An iterator at its end stays there."""
        self.source, self.place, self.size, self.passed = (), 0, -1, ()
        raise StopIteration


class NamedCursor(Cursor):
    """What `iter(x)` gives: others than one loop may have it."""

    __slots__ = ()


def _is_same(one: Any, other: Any) -> bool:
    """Whether two keys are one, without code of the model's that compares them."""
    freezer = Freezer(mutable=True)
    return one is other or freezer.freeze(one) == freezer.freeze(other)


def _take_shared(
    container: SharedContainer, take: Callable[[tuple[Any, ...]], tuple[Any, ...]]
) -> tuple[Any, ...]:
    """What is taken from the contents of a shared container, in one access: an item, and what there
    is to say of it; () at the end.
    """
    port = current_port()
    location = port.locate(container._location)

    def effect() -> tuple[Any, ...]:
        return take(port.read(location))

    if location.constant or port.in_access:
        return effect()
    found: tuple[Any, ...] = port.access(AccessKind("next", location), effect)
    return found


def _changed(kind: type, what: str = "changed size") -> RuntimeError:
    if issubclass(kind, deque):
        return RuntimeError("deque mutated during iteration")
    if issubclass(kind, OrderedDict):
        return RuntimeError("OrderedDict mutated during iteration")
    word = "dictionary" if issubclass(kind, dict) else "Set"
    return RuntimeError(f"{word} {what} during iteration")


class Backwards:
    """`reversed(x)` for a sequence that can change: `place` is the index of the next item."""

    __slots__ = ("place", "source")

    def __init__(self, source: Any) -> None:
        self.source = source
        self.place = len(source) - 1

    def __iter__(self) -> Backwards:
        return self

    def __next__(self) -> Any:
        if self.place < 0:
            raise StopIteration
        source = self.source
        if type(source) is SharedList:
            found = _take_shared(source, lambda contents: contents[self.place :][:1])
        else:
            found = (source[self.place],) if self.place < len(source) else ()
        if not found:
            self.source, self.place = (), -1
            raise StopIteration
        self.place -= 1
        return found[0]


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
            try:
                items.append(next(source))
            except StopIteration:
                return self._end(len(items))
        if not items:
            raise StopIteration
        return tuple(items)

    def _end(self, taken: int) -> Any:
        if not self.strict:
            raise StopIteration
        if taken:
            raise self._unequal(taken, "shorter")
        for number, source in enumerate(self.sources[1:], 1):
            try:
                next(source)
            except StopIteration:
                continue
            raise self._unequal(number, "longer")
        raise StopIteration

    @staticmethod
    def _unequal(before: int, what: str) -> ValueError:
        others = "argument 1" if before == 1 else f"arguments 1-{before}"
        return ValueError(f"zip() argument {before + 1} is {what} than {others}")


class Mapped:
    """`map(function, x, ...)` that a state can hold, if it can hold the function."""

    __slots__ = ("function", "sources")

    def __init__(self, function: Any, *iterables: Any) -> None:
        if not iterables:
            raise TypeError("map() must have at least two arguments.")
        self.function = function
        self.sources = tuple(cursor(iterable) for iterable in iterables)

    def __iter__(self) -> Mapped:
        return self

    def __next__(self) -> Any:
        return call(self.function, [next(source) for source in self.sources])


class Filtered:
    """`filter(function, x)` that a state can hold, if it can hold the function."""

    __slots__ = ("function", "source")

    def __init__(self, function: Any, iterable: Any) -> None:
        self.function = function
        self.source = cursor(iterable)

    def __iter__(self) -> Filtered:
        return self

    def __next__(self) -> Any:
        while True:
            item = next(self.source)
            if item if self.function in (None, bool) else call(self.function, [item]):
                return item


class Cycle:
    """`itertools.cycle` that a state can hold: what it has met comes again from `place` on, as soon
    as `source` has ended, and is None.
    """

    __slots__ = ("met", "place", "source")

    def __init__(self, iterable: Any, /) -> None:
        self.source: Any = cursor(iterable)
        self.met: tuple[Any, ...] = ()
        self.place = 0

    def __iter__(self) -> Cycle:
        return self

    def __next__(self) -> Any:
        if self.source is not None:
            try:
                item = next(self.source)
            except StopIteration:
                self.source = None
            else:
                self.met += (item,)
                return item
        if not self.met:
            raise StopIteration
        item = self.met[self.place]
        self.place = (self.place + 1) % len(self.met)
        return item


class Chained:
    """`itertools.chain` that a state can hold: `rest` gives what comes after `source`."""

    __slots__ = ("rest", "source")

    def __init__(self, *iterables: Any) -> None:
        self.rest: Any = cursor(iterables)
        self.source: Any = None

    @classmethod
    def from_iterable(cls, iterable: Any, /) -> Chained:
        """The same of what something gives."""
        made = cls()
        made.rest = cursor(iterable)
        return made

    def __iter__(self) -> Chained:
        return self

    def __next__(self) -> Any:
        while self.rest is not None:
            if self.source is None:
                try:
                    following = next(self.rest)
                except StopIteration:
                    self.rest = None
                    break
                self.source = cursor(following)
            try:
                return next(self.source)
            except StopIteration:
                self.source = None
        raise StopIteration


class Sliced:
    """`itertools.islice` that a state can hold: `count` items were taken, and `following` is the
    number of the next one that is given. A `stop` of -1 is none.
    """

    __slots__ = ("count", "following", "source", "step", "stop")

    def __init__(self, iterable: Any, /, *bounds: Any) -> None:
        itertools.islice((), *bounds)  # raises what Python raises
        parts = slice(*bounds)
        self.source: Any = cursor(iterable)
        self.count, self.following, self.step = 0, parts.start or 0, parts.step or 1
        self.stop = -1 if parts.stop is None else parts.stop

    def __iter__(self) -> Sliced:
        return self

    def __next__(self) -> Any:
        if self.source is None:
            raise StopIteration
        try:
            while self.count < self.following:
                next(self.source)
                self.count += 1
            if 0 <= self.stop <= self.count:
                raise StopIteration
            item = next(self.source)
        except StopIteration:
            self.source = None
            raise
        self.count += 1
        self.following += self.step
        if 0 <= self.stop < self.following:
            self.following = self.stop
        return item


class Calls:
    """`iter(function, sentinel)` that a state can hold."""

    __slots__ = ("function", "sentinel")

    def __init__(self, function: Any, sentinel: Any) -> None:
        self.function = function
        self.sentinel = sentinel

    def __iter__(self) -> Calls:
        return self

    def __next__(self) -> Any:
        if self.function is None:
            raise StopIteration
        item = call(self.function, ())
        if item == self.sentinel:
            self.function = None
            raise StopIteration
        return item


_COUNTS = (itertools.count, SharedCount)
_OURS = (
    Cursor, NamedCursor, Backwards, Enumerated, Zipped, Mapped, Filtered, Cycle, Chained, Sliced,
    Calls,
)  # fmt: skip


def cursor(iterable: Any) -> Iterator[Any]:
    """An iterator over `iterable` that a state can hold, as far as there is one.

    Raises `ModelError` for an iterator without end, `TypeError` for what cannot be iterated.
    """
    kind = type(iterable)
    if kind in _OURS or kind in _COUNTS or (issubclass(kind, Shared) and hasattr(kind, "__next__")):
        return iterable
    if issubclass(kind, SharedList | SharedArray | SharedByteArray | SharedNumbers):
        return Cursor(iterable)
    if issubclass(kind, SharedContainer | DictView):
        return Cursor(iterable, size=_size_of(iterable.of if kind is DictView else iterable))
    if kind is tuple and current_port().has_finalizers:
        return Cursor([*iterable])  # which keeps what it has given
    if kind in _IMMUTABLE or kind in (list, *BUFFERS):
        return Cursor(iterable)
    if kind in (set, OrderedSet, deque):
        return Cursor(iterable, size=len(iterable))
    if kind is dict or kind in DICTS:
        return Cursor(iterable, size=len(iterable), view="keys")
    if kind in _VIEWS:
        underlying = dict_of(iterable)
        return Cursor(underlying, size=len(underlying), view=_VIEWS[kind])
    if isinstance(iterable, frozenset):
        return Cursor(tuple(in_order(iterable)))
    iterator: Iterator[Any] = iter(iterable)
    if isinstance(iterator, _LAZY) or type(iterator) in _OURS or is_plain_object(iterator):
        return iterator
    taken = _all_of(iterator)
    return Cursor([*taken] if current_port().has_finalizers else taken)


def gone_through(iterable: Any) -> Any:
    """What a loop in code that is run as a whole goes through: a shared container item by item."""
    return cursor(iterable) if is_shared(iterable) and current_port().others_run else iterable


def is_shared(iterable: Any) -> bool:
    """Whether this is a container that threads share, or a view of one, and change."""
    container = iterable.of if type(iterable) is DictView else iterable
    if not issubclass(type(container), SharedContainer):
        return False
    return not current_port().locate(container._location).constant


def _size_of(container: SharedContainer) -> int:
    """How many items a shared container has when a loop over it begins: an access of its own."""
    port = current_port()
    location = port.locate(container._location)

    def effect() -> int:
        return len(port.read(location))

    if location.constant:
        return effect()
    return int(port.access(AccessKind("iter", location), effect))


def _all_of(iterator: Iterator[Any]) -> tuple[Any, ...]:
    """Every item of an iterator of Python's own, which would give the same ones later."""
    port = current_port()
    before = port.progress()
    items = tuple(itertools.islice(iterator, LONGEST + 1))
    if port.progress() != before:
        port.halt(
            ModelError(
                f"a loop over {type(iterator).__name__!r} touches shared state when it takes items",
                remedy="make a list of it first: `for x in list(...)`, or write the loops out",
            )
        )
    if len(items) > LONGEST:
        raise ModelError(
            f"this loop iterates over more than {LONGEST:,} items that cannot be kept in a state",
            remedy="iterate over a range, tuple or list, or use a `while` loop",
        )
    return items


def iterate(iterable: Any, *sentinel: Any) -> Iterator[Any]:
    """`iter(x)` or `iter(function, sentinel)` that a state can hold."""
    if sentinel:
        return Calls(iterable, *sentinel)
    made: Any = cursor(iterable)
    if type(made) is Cursor and made is not iterable:
        made.__class__ = NamedCursor
    return made


_ORDERED = ("__lt__", "__gt__")
_ADDED = ("__add__", "__radd__")
_TRUE = ("__bool__", "__len__")


def live(iterable: Any, methods: tuple[str, ...], function: Any = None) -> Any:
    """What C code goes through that calls these methods of the items on the way, or a function.

    A shared container, in one access; but where Python code runs between one item and the next,
    others do as well, and each item is an access.
    """
    container = iterable.of if type(iterable) is DictView else iterable
    port = current_port()
    if not issubclass(type(container), SharedContainer) or not port.others_run:
        return iterable
    location = port.locate(container._location)
    if location.constant:
        return iterable
    if function is not None and not runs_in_c(function):
        return cursor(iterable)

    def effect() -> tuple[Any, ...] | None:
        contents = port.read(location, part=None)
        items = tuple([iterable.peek(contents, place) for place in range(len(contents))])
        if any(compared_in_python(each, methods) for each in items):
            return None
        port.read(location)
        return items

    kind = AccessKind("copy", location, container=container._type)
    found = port.access(kind, effect)
    return cursor(iterable) if found is None else found


def least(*values: Any, **options: Any) -> Any:
    """`min`."""
    return min(*_one_live(values, options), **options)


def greatest(*values: Any, **options: Any) -> Any:
    """`max`."""
    return max(*_one_live(values, options), **options)


def _one_live(values: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
    is_one = len(values) == 1
    return (live(values[0], _ORDERED, options.get("key")),) if is_one else values


def total(iterable: Any, /, *start: Any, **options: Any) -> Any:
    """`sum`."""
    return sum(live(iterable, _ADDED), *start, **options)


def any_of(iterable: Any, /) -> bool:
    """`any`."""
    return any(live(iterable, _TRUE))


def all_of(iterable: Any, /) -> bool:
    """`all`."""
    return all(live(iterable, _TRUE))


def reverse(sequence: Any) -> Iterator[Any]:
    """`reversed(x)` that a state can hold."""
    if type(sequence) in (list, deque, SharedList, SharedArray):
        return Backwards(sequence)
    return cursor(reversed(sequence))


_FIELDS: dict[type, tuple[str, ...]] = {
    Cursor: ("source", "place", "size", "view", "passed"),
    Backwards: ("source", "place"),
    Enumerated: ("source", "count"),
    Zipped: ("sources", "strict"),
    Mapped: ("function", "sources"),
    Filtered: ("function", "source"),
    Cycle: ("source", "met", "place"),
    Chained: ("rest", "source"),
    Sliced: ("source", "count", "following", "step", "stop"),
    Calls: ("function", "sentinel"),
    DictView: ("of", "which"),
}
_FIELDS[NamedCursor] = _FIELDS[Cursor]
"""The attributes of iterators, by type."""


def parts_of(iterator: Any) -> tuple[Any, ...]:
    """What an iterator is made of."""
    return tuple([getattr(iterator, field) for field in _FIELDS[type(iterator)]])


def made_of(kind: type, parts: tuple[Any, ...]) -> Any:
    """An iterator of a type, made of such parts."""
    return _with_parts(object.__new__(kind), parts)


def _with_parts(made: Any, parts: tuple[Any, ...]) -> Any:
    for field, part in zip(_FIELDS[type(made)], parts, strict=True):
        setattr(made, field, part)
    return made


def _freeze(freezer: Freezer, value: Any) -> Key:
    return tuple([freezer.freeze(part) for part in parts_of(value)])


def _thaw(thawer: Thawer, key: Key) -> Any:
    made = thawer.placed(key[1], object.__new__(key[0]))
    return _with_parts(made, tuple([thawer.thaw(part) for part in key[2]]))


for _kind in _FIELDS:
    register_mutable(_kind, _freeze, _thaw)


class Inside:
    """An iterator as a part of the one thing that uses it."""

    def __init__(self, it: Any) -> None:
        self.it = it


register_immutable(
    Inside,
    lambda freezer, value: (Inside, freezer.freeze(parts_of(value.it))),
    lambda thawer, key: Inside(made_of(Cursor, thawer.thaw(key[1]))),
)


def enclosed(part: Any) -> Any:
    """A part of what is shared: the iterator of a loop is nobody else's."""
    if type(part) is tuple:
        return tuple(map(enclosed, part))
    return Inside(part) if type(part) is Cursor else part


def disclosed(part: Any) -> Any:
    """The same part, for whoever uses it: a shared value does not change with it."""
    if type(part) is tuple:
        return tuple(map(disclosed, part))
    return made_of(Cursor, parts_of(part.it)) if type(part) is Inside else part


KEEPING_ITEMS = (Enumerated, Zipped)
"""Kinds of iterators that give items in a tuple, which they keep."""
