"""`WeakKeyDictionary`, `WeakValueDictionary` and `WeakSet`.

Whoever asks for a key has it, so that it is not gone: what is said of one key is right, whether
steps show when CPython would let go of others or not. What goes by all that is there is done only
where all of that is never let go, and so is all that asks for a weakly referenced value.

After Lib/weakref.py and Lib/_weakrefset.py of CPython 3.11: a method is Python code, and what it
does with its dict, or set, is one access.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from interleave.errors import ModelError
from interleave.memory.containers import DictView, SharedContainer, SharedDict, SharedSet
from interleave.memory.cursors import NamedCursor, cursor
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.memory.values import OrderedSet, Shared, is_plain_object, runs_python
from interleave.stdlib.lasting import lasting, no_reference, refuses_references

_OF_ONE = frozenset(
    {"__contains__", "__delitem__", "__getitem__", "__setitem__", "add", "discard", "get", "pop",
     "remove", "setdefault"}
)  # fmt: skip
"""Operations about a key, or an element, which they are given."""

_OF_ALL = frozenset({"__len__", "pop", "popitem"})
"""Operations that go by all that is there; of `pop`, that of a set."""


def _weakly(value: Any) -> None:
    """Check that there are weak references to a value, and that what it is tells it from others."""
    if refuses_references(value):
        raise no_reference(value)
    if not (issubclass(type(value), Shared) or is_plain_object(value)):
        lasting(value)
    elif runs_python(value):
        kind = type(value).__name__
        current_port().halt(
            ModelError(
                f"a {kind}, which has an __eq__ or __hash__ of its own, is weakly referenced by a "
                "container",
                remedy=f"use a dict or a set, or let a {kind} be equal to nothing but itself",
            )
        )


class Items(NamedCursor):
    """An iterator over what is there: the real one is a generator, so that threads may switch."""

    __slots__ = ()

    def __next__(self) -> Any:
        current_port().switch_point()
        return super().__next__()


def _items(of: Any) -> Any:
    made: Any = cursor(of)
    made.__class__ = Items
    return made


class _Weak(SharedContainer):
    """Mixed into a container: what it does with its dict, or set, is checked before."""

    __slots__ = ()
    __class__ = property(type)  # it is neither a dict nor a set
    stands_for: ClassVar[tuple[type, ...]] = ()
    _refers_weakly = True

    def perform(self, name: str, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def checked(real: Any, *args: Any, **kwargs: Any) -> Any:
            self._check(name, real, args)
            return operation(real, *args, **kwargs)

        current_port().switch_point()
        if name not in _OF_ONE | _OF_ALL:
            self._refuse(name)
        return super().perform(name, checked, *args, **kwargs)

    def _check(self, name: str, real: Any, args: tuple[Any, ...]) -> None:
        """Halt where it is not known what of `real` is there."""
        if args:
            _weakly(args[0])
        elif name in _OF_ALL:
            for each in real:
                lasting(each)

    def _refuse(self, name: str) -> Any:
        what = f"{name} of a {type(self).__name__} has no modelled counterpart"
        return current_port().halt(ModelError(what, remedy="write it as a loop"))

    def __iter__(self) -> Any:
        return _items(self)

    def copy(self) -> Any:
        return self._refuse("copy")

    def __contains__(self, item: object) -> bool:
        return not refuses_references(item) and bool(self.operate("__contains__", item))


class _WeakDict(_Weak, SharedDict):
    __slots__ = ()

    def keys(self) -> Any:
        return _items(DictView(self, "keys"))

    def values(self) -> Any:
        return _items(DictView(self, "values"))

    def items(self) -> Any:
        return _items(DictView(self, "items"))

    def update(self, *others: Any, **more: Any) -> None:
        for key, value in _pairs(*others, **more):
            self.operate("__setitem__", key, value)

    def clear(self) -> None:
        """Let go of one after the other, as `MutableMapping` does."""
        try:
            while True:
                self.operate("popitem")
        except KeyError:
            return


def _pairs(given: Any = None, /, **more: Any) -> Iterator[tuple[Any, Any]]:
    """What `update` puts in."""
    if given is not None:
        yield from (given if hasattr(given, "items") else dict(given)).items()
    yield from more.items()


class WeakKeyDictionary(_WeakDict):
    """A `WeakKeyDictionary`."""

    __slots__ = ()
    stands_for = (weakref.WeakKeyDictionary,)

    def peek(self, contents: tuple[Any, ...], index: int) -> Any:
        return lasting(super().peek(contents, index))


class WeakValueDictionary(_WeakDict):
    """A `WeakValueDictionary`."""

    __slots__ = ()
    stands_for = (weakref.WeakValueDictionary,)

    def __contains__(self, item: object) -> bool:
        return bool(self.operate("__contains__", item))

    def _check(self, name: str, real: Any, args: tuple[Any, ...]) -> None:
        asked = args[:1] if name in _OF_ONE else [*real]
        for key in asked:
            if key in real:
                lasting(real[key])
        if name == "__setitem__":
            lasting(args[1])

    def peek(self, contents: tuple[Any, ...], index: int) -> Any:
        lasting(contents[index][1])
        return super().peek(contents, index)

    def setdefault(self, key: Any, default: Any = None, /) -> Any:
        """Look, and store what was given where nothing was: two accesses."""
        try:
            return self.operate("__getitem__", key)
        except KeyError:
            self.operate("__setitem__", key, default)
            return default


class WeakSet(_Weak, SharedSet):
    """A `WeakSet`."""

    __slots__ = ()
    stands_for = (weakref.WeakSet,)

    def peek(self, contents: tuple[Any, ...], index: int) -> Any:
        return lasting(super().peek(contents, index))

    def update(self, other: Any, /) -> None:
        for item in other:
            self.operate("add", item)

    def clear(self) -> None:
        """Let go of all elements."""
        self._refuse("clear")


def _made(kind: type[SharedContainer]) -> Callable[..., Any]:
    def make(given: Any = None, /) -> Any:
        current_port().switch_point()
        made = current_port().make(Kind(kind), kind.contents(kind._type()))
        if given is not None:
            made.update(given)
        return made

    make.__name__ = make.__qualname__ = kind.__name__
    return make


_KINDS: dict[type, type[_Weak]] = {
    weakref.WeakKeyDictionary: WeakKeyDictionary,
    weakref.WeakValueDictionary: WeakValueDictionary,
    weakref.WeakSet: WeakSet,
}
REAL = tuple(_KINDS)
"""The real ones."""

FUNCTIONS: dict[str, Any] = {kind.__name__: _made(kind) for kind in _KINDS.values()}
"""What makes them in a thread."""


def capture(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a real one, which has nothing in it that each run of setup has a copy of."""
    kind = _KINDS[type(real)]
    pairs = [*real.items()] if issubclass(kind, SharedDict) else [(each, None) for each in real]
    if any(id(each) in walk.copies for pair in pairs for each in pair):
        raise ModelError(
            f"{path} has a weak reference to what each run of setup has a copy of",
            remedy="make both in setup",
        )
    made = walk.stand_in(
        (path, kind), lambda number: kind(number, walk.location(path, number)), real
    )

    def fill() -> None:
        # What is met in another way as well is known by that.
        found = [
            (walk.visit(key, f"{path}.key"), walk.visit(value, f"{path}[{place}]"))
            for place, (key, value) in enumerate(pairs)
        ]
        inside: Any = dict(found)
        if not issubclass(kind, SharedDict):
            inside = OrderedSet(inside)
        walk.contents[made._location.number] = kind.contents(inside)

    walk.at_last.append(fill)
    return made
