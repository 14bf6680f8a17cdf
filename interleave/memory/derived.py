"""Python's containers as classes of the model derive from them.

An instance of such a class is an object like any other, with one attribute more: the container that
has its items. What a container can do is done to that. So a method of the class may be the model's
own code, and `super()` leads to the items.
"""

from __future__ import annotations

import _thread
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from interleave.errors import ModelError
from interleave.memory import parts
from interleave.memory.cursors import iterate, reverse
from interleave.memory.made import MadeObject
from interleave.memory.namespaces import SimpleNamespace
from interleave.memory.port import current_port
from interleave.memory.values import UNBOUND, Shared, attributes_of, is_plain_object

ITEMS = "(items)"
"""The attribute that has the items of an instance. No code can name it, so nobody sets it again."""


BEHIND = "(thread)"
"""The same of what is behind an instance of a class that derives from `threading.Thread`."""

POOL = "(pool)"
"""The same of one that derives from `ThreadPoolExecutor`."""

LOCAL = "(local)"
"""The same of one that derives from `threading.local`."""

INNER = (ITEMS, BEHIND, POOL, LOCAL)
"""Attributes that such instances have in a model only: they hold what an instance is there."""


def inner_of(value: Any, name: str) -> Any:
    """Such an attribute, which nobody sets again: to look at it is no step. `UNBOUND` where the
    instance has none.
    """
    if issubclass(type(value), MadeObject):
        return parts.read(value, name, of_class=False, private=True)
    return value.__dict__.get(name, UNBOUND)


def items_of(value: Any) -> Any:
    """The container that has the items of an instance."""
    return inner_of(value, ITEMS)


class Derived:
    """What the bases below have in common."""

    stands_in_for: type

    def __new__(cls, *_: Any, **__: Any) -> Any:
        made = object.__new__(cls)
        made.__dict__[ITEMS] = cls.stands_in_for()
        return made

    __hash__ = None  # type: ignore[assignment]

    def contents_in_c(self) -> Any:
        """What C code takes of it, where others are not to run in between: see `in_c`."""
        items = in_c(self)
        if items is self:
            return {key: self[key] for key in self.keys()} if hasattr(self, "keys") else [*self]
        return items.snapshot() if issubclass(type(items), Shared) else items

    def __iter__(self) -> Any:
        return iterate(items_of(self))

    def __repr__(self) -> str:
        shown, name = repr(items_of(self)), type(self).__name__
        if self.stands_in_for in (list, dict):
            return shown
        is_set = shown.startswith("{")
        return f"{name}({shown})" if is_set else name + shown[shown.index("(") :]


def _filled(self: Any, *args: Any, **kwargs: Any) -> None:
    """`__init__` of most of them: the items are those of a new one."""
    made = self.stands_in_for(*map(in_c, args), **kwargs)
    items = items_of(self)
    if issubclass(self.stands_in_for, dict):
        items.update(made)
        return
    if items:
        items.clear()
    if made:
        (items.update if issubclass(self.stands_in_for, set) else items.extend)(made)


def _with_option(self: Any, *args: Any, **kwargs: Any) -> None:
    """`__init__` of those that have something which never changes: they begin anew."""
    self.__dict__[ITEMS] = self.stands_in_for(*map(in_c, args), **kwargs)


def in_c(value: Any) -> Any:
    """What C code goes through: the items of an instance, past what its class says of them.

    After `dict_merge` of CPython: where the class, or `OrderedDict`, iterates in a way of its own,
    C code asks for item by item.
    """
    if not isinstance(value, Derived) or type(value).__iter__ is not Derived.__iter__:
        return value
    is_asked = value.stands_in_for is OrderedDict and _overrides(value, "__getitem__", "keys")
    return value if is_asked else items_of(value)


def _forwarded(kind: type, name: str) -> Callable[..., Any]:
    """A method that does to the items what that of a container does."""
    in_place = name.startswith("__i") and name not in ("__init__", "__iter__")

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if name in _MAKING_ANOTHER.get(kind, ()):
            _refuse(self, name)
        found = getattr(items_of(self), name)(*map(in_c, args), **kwargs)
        return self if in_place and found is not NotImplemented else found

    method.__name__ = name
    method.__qualname__ = f"{kind.__name__}.{name}"
    return method


def _refuse(value: Any, name: str) -> None:
    kind = type(value)
    current_port().halt(
        ModelError(
            f"{name} of a {kind.__name__} makes another {kind.__name__}, which has no modelled "
            "counterpart",
            remedy=f"make a {kind.stands_in_for.__name__} of it first",
        )
    )


def _get_item(self: Any, key: Any) -> Any:
    """`dict.__getitem__`: what a class of the model's says of keys that are missing goes first."""
    own = getattr(type(self), "__missing__", None)
    if own is None or own is getattr(_DERIVED[self.stands_in_for], "__missing__", None):
        return items_of(self)[key]
    found = items_of(self).get(key, UNBOUND)
    return own(self, key) if found is UNBOUND else found


def _overrides(value: Any, *names: str) -> bool:
    """Whether the class of an instance has one of these methods of its own."""
    base = _DERIVED[value.stands_in_for]
    return any(getattr(type(value), name) is not getattr(base, name) for name in names)


def _missing(self: Any, key: Any) -> Any:
    """`defaultdict.__missing__`."""
    items = items_of(self)
    if not _overrides(self, "__setitem__") or items.default_factory is None:
        return items.__missing__(key)
    self[key] = made = items.default_factory()
    return made


def _update(self: Any, other: Any = (), /, **named: Any) -> None:
    """`OrderedDict.update`, and what begins with it: it goes by `__setitem__`."""
    if not _overrides(self, "__setitem__"):
        items_of(self).update(in_c(other), **named)
        return
    for key in other if hasattr(other, "keys") else ():
        self[key] = other[key]
    for key, value in () if hasattr(other, "keys") else other:
        self[key] = value
    for key, value in named.items():
        self[key] = value


def _update_in_place(self: Any, other: Any) -> Any:
    _update(self, other)
    return self


def _set_default(self: Any, key: Any, default: Any = None) -> Any:
    """`OrderedDict.setdefault`."""
    if not _overrides(self, "__contains__", "__getitem__", "__setitem__"):
        return items_of(self).setdefault(key, default)
    if key in self:
        return self[key]
    self[key] = default
    return default


def _unless_overridden(name: str, *called: str) -> Callable[..., Any]:
    """A method that may call others of the instance: it is none of the items alone if the class of
    the model's overrides one of these.
    """

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if (args or kwargs or name != "__init__") and _overrides(self, *called):
            kind = type(self).__name__
            current_port().halt(
                ModelError(
                    f"{name} of a {self.stands_in_for.__name__} may call what {kind} overrides",
                    remedy="write out what it does: by items, and `del`",
                )
            )
        found = getattr(items_of(self), "update" if name == "__init__" else name)
        return found(*map(in_c, args), **kwargs)

    return method


_POPPING = ("__contains__", "__getitem__", "__delitem__")
"""What `OrderedDict.pop` and its like call up to CPython 3.11."""

_COUNTING = ("__contains__", "__getitem__", "__setitem__", "__delitem__", "get", "items", "update")
"""What methods of `Counter` call, which are Python code."""


def _reversed(self: Any) -> Any:
    return reverse(items_of(self))


_OPERATORS = {f"__{way}{name}__" for name in ("and", "or", "xor", "sub") for way in ("", "r")}
_MAKING_ANOTHER: dict[type, set[str]] = {
    set: {*_OPERATORS, "copy", "union", "difference", "intersection", "symmetric_difference"},
    deque: {"copy", "__add__", "__mul__", "__rmul__"},
    OrderedDict: {"copy", "__or__", "__ror__"},
    defaultdict: {"copy", "__or__", "__ror__"},
    Counter: {*_OPERATORS, "copy", "__add__", "__pos__", "__neg__"},
}
"""What gives another instance of the class, past its `__init__` or by it."""

_COMPARING = {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}
_OWN: dict[type, dict[str, Callable[..., Any]]] = {
    dict: {"__getitem__": _get_item},
    OrderedDict: {
        "__getitem__": _get_item,
        "__init__": _update,
        "update": _update,
        "__ior__": _update_in_place,
        "setdefault": _set_default,
        **{name: _unless_overridden(name, *_POPPING) for name in ("pop", "popitem")},
    },
    defaultdict: {"__getitem__": _get_item, "__missing__": _missing},
    Counter: {
        "__getitem__": _get_item,
        **{
            name: _unless_overridden(name, *_COUNTING)
            for name in ("__init__", "update", "subtract", "most_common", "elements", "total",
                         "__delitem__")
        },
    },
}  # fmt: skip
"""What is more than the same of the items."""


def _base(kind: type) -> type:
    has_option = kind in (deque, defaultdict)
    members: dict[str, Any] = {
        "__module__": kind.__module__,
        "stands_in_for": kind,
        "__init__": _with_option if has_option else _filled,
        **_OWN.get(kind, {}),
    }
    if hasattr(kind, "__reversed__"):
        members["__reversed__"] = _reversed
    for name in dir(kind):
        if name in members or name in vars(Derived) or name == "__class_getitem__":
            continue
        if name in _COMPARING or name not in vars(object):
            members[name] = _forwarded(kind, name)
    for name in ("maxlen", "default_factory"):
        if name in members:
            members[name] = _option(name)
    return type(kind.__name__, (Derived,), members)


def _option(name: str) -> property:
    return property(lambda self: getattr(items_of(self), name))


def _taken_over(kind: type, real: Any) -> Any:
    """A container with the items of an instance that was there before the threads."""
    members: Any = vars(kind)
    if kind is deque:
        return deque(deque.__iter__(real), members["maxlen"].__get__(real))
    if kind is defaultdict:
        return defaultdict(members["default_factory"].__get__(real), dict.items(real))
    if kind is OrderedDict:
        return OrderedDict(OrderedDict.items(real))
    if issubclass(kind, dict):
        made = kind()
        dict.update(made, dict.items(real))
        return made
    return set(set.__iter__(real)) if kind is set else list(list.__iter__(real))


_DERIVED: dict[type, type[Derived]] = {
    kind: _base(kind) for kind in (list, dict, set, deque, OrderedDict, defaultdict, Counter)
}


def derived_from(kind: type) -> type | None:
    """The container that a class derives from; None where that is none, or it is one itself."""
    if kind in _DERIVED:
        return None
    return next((base for base in kind.__mro__ if base in _DERIVED), None)


def base_of(kind: type) -> type | None:
    """What classes derive from in place of a container, or of `SimpleNamespace`; None for anything
    else.
    """
    return SimpleNamespace if kind is types.SimpleNamespace else _DERIVED.get(kind)


def is_object(value: object) -> bool:
    """Whether an object is an instance of a class in Python, for a model."""
    kind = type(value)
    is_namespace = issubclass(kind, types.SimpleNamespace)
    is_local = issubclass(kind, _thread._local) and kind is not _thread._local
    is_derived = is_namespace or is_local or derived_from(kind) is not None
    return is_derived or is_plain_object(value)


def attributes_before(real: Any) -> dict[str, Any]:
    """The attributes of what stands for an instance of a class that derives from one of these."""
    attributes = attributes_of(real)
    if (kind := derived_from(type(real))) is not None:
        attributes[ITEMS] = _taken_over(kind, real)
    return attributes


def is_instance(value: object, kinds: Any, /) -> bool:
    """`isinstance`: an instance of a class that derives from a container is one of that."""
    return isinstance(value, kinds) or is_derived(type(value), kinds)


def is_subclass(cls: type, kinds: Any, /) -> bool:
    """`issubclass`, likewise."""
    return issubclass(cls, kinds) or is_derived(cls, kinds)


def is_derived(cls: type, kinds: Any) -> bool:
    """Whether a class derives from what stands in for a class of these kinds."""
    return issubclass(cls, Derived | SimpleNamespace) and issubclass(cls.stands_in_for, kinds)
