"""Shared `defaultdict`, `OrderedDict` and `Counter`, as the code of a model sees them."""

from __future__ import annotations

import gc
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from operator import add, sub
from typing import Any

from interleave.memory.containers import CONTAINERS, SharedDict, forward
from interleave.memory.factories import made_by
from interleave.memory.looking import looks_only
from interleave.memory.port import current_port
from interleave.memory.values import UNBOUND, Freezer, Key, Thawer, register_mutable
from interleave.said import shown_by


class _WithMissing(SharedDict):
    """A shared dict that has something for keys that are not in it."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        found = self.perform("__getitem__", lambda real, key: real.get(key, UNBOUND), key)
        return self.__missing__(key) if found is UNBOUND else found

    def __missing__(self, key: Any) -> Any:
        raise NotImplementedError


class SharedDefaultDict(_WithMissing):
    """A shared `defaultdict`. Looking in vain and storing what the factory gives are two accesses.

    After CPython up to 3.14, `defdict_missing` in Modules/_collectionsmodule.c: it calls the
    factory, and stores what that gives over what may have come meanwhile (python/cpython#142495).
    """

    __slots__ = ()
    _type = defaultdict

    @classmethod
    def options(cls, value: Any) -> tuple[Any, ...]:
        return (value.default_factory,)

    @property
    def default_factory(self) -> Any:
        return self._options[0]

    @looks_only
    def build(self, contents: tuple[Any, ...]) -> Any:
        return defaultdict(self._options[0], contents)

    def __missing__(self, key: Any) -> Any:
        if self.default_factory is None:
            raise KeyError(key)
        value = made_by(self.default_factory)

        def store(real: Any, key: Any) -> Any:
            # All that comes of the statement is done to what others can see by now.
            real[key] = shared = current_port().give_away(
                value, f"{self._location.name}[{shown_by(key)}]"
            )
            return shared

        return self.perform("__setitem__", store, key)


class SharedOrderedDict(SharedDict):
    """A shared `OrderedDict`."""

    __slots__ = ()
    _type = OrderedDict
    move_to_end = forward("move_to_end")


class SharedCounter(_WithMissing):
    """A shared `Counter`, whose own methods are Python code: what they look at, and what they set,
    is one access each.

    After Lib/collections/__init__.py. Most of `most_common` and `total` is C code: these are one
    access. Counting what comes from an iterable is C code too (`_count_elements`), which holds no
    lock from one access to the next: so without a GIL, others may run there.
    """

    __slots__ = ()
    _type = Counter

    @looks_only
    def build(self, contents: tuple[Any, ...]) -> Any:
        return Counter(dict(contents))

    def __missing__(self, key: Any) -> int:
        current_port().switch_point()
        return 0

    def __delitem__(self, key: Any) -> None:
        current_port().switch_point()
        if key in self:
            current_port().switch_point()  # up to CPython 3.11, after the call of super()
            self.perform("__delitem__", dict.__delitem__, key)

    def update(self, iterable: Any = None, /, **counts: Any) -> None:
        """Add counts, or count what comes."""
        current_port().switch_point()
        if iterable is not None:
            if not isinstance(iterable, Mapping):
                for key in [*iterable]:
                    self[key] = self.get(key, 0) + 1  # type: ignore[index]
            elif self:
                self._change(iterable.items(), add)
            else:
                current_port().switch_point()  # up to CPython 3.11, after the call of super()
                self.perform("update", dict.update, iterable)
        if counts:
            self.update(counts)

    def subtract(self, iterable: Any = None, /, **counts: Any) -> None:
        """Take counts, or what comes, from what is there."""
        current_port().switch_point()
        if iterable is not None:
            is_counts = isinstance(iterable, Mapping)
            self._change(iterable.items() if is_counts else [(key, 1) for key in iterable], sub)
        if counts:
            self.subtract(counts)

    def _change(self, counts: Iterable[tuple[Any, Any]], how: Callable[[Any, Any], Any]) -> None:
        """Change what is there by each of these counts."""
        port = current_port()
        for key, count in counts:
            port.switch_point()
            before = self.get(key, 0)
            port.switch_point()  # after the call of get()
            self[key] = how(before, count)  # type: ignore[index]

    def __or__(self, other: Any) -> Any:
        found = Counter.__or__(self, other)  # type: ignore[operator]
        if found is NotImplemented and issubclass(type(other), dict):
            return dict.__ror__(other, self.snapshot())
        return found

    most_common = forward("most_common")
    elements = forward("elements")
    total = forward("total")


for _name in (
    "__eq__", "__ne__", "__le__", "__lt__", "__ge__", "__gt__", "__add__", "__sub__", "__and__",
    "__pos__", "__neg__", "__iadd__", "__isub__", "__iand__", "__ior__",
    "_keep_positive",
):  # fmt: skip
    setattr(SharedCounter, _name, vars(Counter)[_name])


DICTS = (defaultdict, OrderedDict, Counter)
"""The kinds of dicts of `collections`."""

for _kind in (SharedDefaultDict, SharedOrderedDict, SharedCounter):
    _kind.__name__ = _kind._type.__name__  # in messages of Python's
    CONTAINERS[_kind._type] = _kind


def _freeze_default(freezer: Freezer, value: Any) -> Key:
    items = [(freezer.freeze(key), freezer.freeze(item)) for key, item in value.items()]
    return (freezer.freeze(value.default_factory), tuple(items))


def _freeze_items(freezer: Freezer, value: Any) -> Key:
    return tuple([(freezer.freeze(key), freezer.freeze(item)) for key, item in value.items()])


def _thaw_default(thawer: Thawer, key: Key) -> Any:
    factory, items = key[2]
    made = thawer.placed(key[1], defaultdict(thawer.thaw(factory)))
    made.update([(thawer.thaw(name), thawer.thaw(item)) for name, item in items])
    return made


def _thaw_ordered(thawer: Thawer, key: Key) -> Any:
    made = thawer.placed(key[1], OrderedDict())
    made.update([(thawer.thaw(name), thawer.thaw(item)) for name, item in key[2]])
    return made


def _thaw_counter(thawer: Thawer, key: Key) -> Any:
    made = thawer.placed(key[1], Counter())
    dict.update(made, [(thawer.thaw(name), thawer.thaw(item)) for name, item in key[2]])
    return made


register_mutable(defaultdict, _freeze_default, _thaw_default)
register_mutable(OrderedDict, _freeze_items, _thaw_ordered)
register_mutable(Counter, _freeze_items, _thaw_counter)


def dict_of(view: Any) -> Any:
    """The dict itself that a view is one of, and not the read-only proxy that it offers."""
    (found,) = gc.get_referents(view)
    return found
