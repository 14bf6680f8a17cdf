"""Shared `defaultdict`, `OrderedDict` and `Counter`, as the code of a model sees them."""

from __future__ import annotations

import gc
from collections import Counter, OrderedDict, defaultdict
from typing import Any

from interleave.memory.containers import CONTAINERS, SharedDict, forward
from interleave.memory.factories import made_by
from interleave.memory.port import current_port
from interleave.memory.values import UNBOUND, Freezer, Key, Thawer, register_mutable


class SharedDefaultDict(SharedDict):
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

    def build(self, contents: tuple[Any, ...]) -> Any:
        return defaultdict(self._options[0], contents)

    def __getitem__(self, key: Any) -> Any:
        found = self.perform("__getitem__", lambda real, key: real.get(key, UNBOUND), key)
        return self.__missing__(key) if found is UNBOUND else found

    def __missing__(self, key: Any) -> Any:
        if self.default_factory is None:
            raise KeyError(key)
        value = made_by(self.default_factory)

        def store(real: Any, key: Any) -> Any:
            # All that comes of the statement is done to what others can see by now.
            real[key] = shared = current_port().give_away(value, f"{self._location.name}[{key!r}]")
            return shared

        return self.perform("__setitem__", store, key)


class SharedOrderedDict(SharedDict):
    """A shared `OrderedDict`."""

    __slots__ = ()
    _type = OrderedDict
    move_to_end = forward("move_to_end")


class SharedCounter(SharedDict):
    """A shared `Counter`."""

    __slots__ = ()
    _type = Counter

    def build(self, contents: tuple[Any, ...]) -> Any:
        return Counter(dict(contents))

    def __missing__(self, key: Any) -> int:
        return 0

    most_common = forward("most_common")
    elements = forward("elements")
    total = forward("total")
    subtract = forward("subtract")
    __add__ = forward("__add__")
    __sub__ = forward("__sub__")
    __and__ = forward("__and__")


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
