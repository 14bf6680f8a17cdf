"""Values as keys: every Python value that a state may hold, frozen into a hashable key and back.

A key is a tuple whose first item says what kind of value it is, so that 1, True and 1.0, which
Python calls equal, stay apart. Immutable values freeze to what they are made of. A reference to a
shared object freezes to the object's number. A mutable value of one thread (a list in a local
variable) freezes to its contents with a number by order of first visit, so that two locals that
are one list stay one list. Sets are kept in a fixed order, so that nothing depends on hash seeds.
"""

from __future__ import annotations

import functools
import re
import struct
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, fields
from enum import Enum
from types import MappingProxyType
from typing import Any

from interleave.errors import ModelError

Key = tuple[Any, ...]

COPY = "@copy"
"""Name among the globals of functions that run in a model's stead: it stands for the function that
is the copy of one of the model's (see `world`), and for nothing in a block.
"""


class Uncapturable(Exception):
    """A value that no state can hold. `value` is that value, `why` says what is wrong with it."""

    def __init__(self, value: object, why: str) -> None:
        super().__init__(why)
        self.value = value
        self.why = why


class Shared:
    """Base of everything that stands for a shared object: code holds it, a state refers to it."""

    __slots__ = ()
    _number: int
    """Index of the object in its heap."""
    _between_processes = False
    """Whether all processes share it; else each has a copy of its own."""
    _of_threads = False
    """Whether it keeps something for each thread, of which the class can `forget`."""

    def __reduce_ex__(self, _: object) -> Any:
        raise TypeError(f"cannot pickle {type(self).__name__!r} object")


class AsAnother:
    """Base of values that code takes for instances of another class, which is their `__class__`."""

    __slots__ = ()


class Unbound:
    """Stands for the value of a variable that has none."""

    def __repr__(self) -> str:
        return "nothing"


UNBOUND = Unbound()
"""What a variable holds that has no value yet, or has none any more."""


class OrderedSet(set[Any]):
    """A set that iterates in an order that depends on its elements only."""

    def __iter__(self) -> Any:
        return iter(in_order(set.__iter__(self)))

    def pop(self) -> Any:
        for first in self:
            self.remove(first)
            return first
        raise KeyError("pop from an empty set")

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self))
        return f"{{{inside}}}" if self else "set()"

    __hash__ = None
    __reduce__ = set.__reduce__


def _keeping_order(kind: type, operation: str) -> Callable[..., Any]:
    """An operation of `kind`, a subclass of set or frozenset, that gives another `kind`."""
    plain = getattr(set if issubclass(kind, set) else frozenset, operation)

    def operate(self: Any, *others: Any) -> Any:
        result = plain(self, *others)
        return result if result is NotImplemented else kind(result)

    return operate


class OrderedFrozenSet(frozenset[Any]):
    """A frozenset that iterates in an order that depends on its elements only."""

    def __iter__(self) -> Any:
        return iter(in_order(frozenset.__iter__(self)))

    def __repr__(self) -> str:
        inside = ", ".join(map(repr, self))
        return f"frozenset({{{inside}}})" if self else "frozenset()"

    __hash__ = frozenset.__hash__


# In messages of Python's, and in the model's own, they are what they stand for.
OrderedSet.__name__ = "set"
OrderedFrozenSet.__name__ = "frozenset"
for _kind in (OrderedSet, OrderedFrozenSet):
    for _name in (
        "__and__", "__or__", "__sub__", "__xor__", "__rand__", "__ror__", "__rsub__", "__rxor__",
        "copy", "difference", "intersection", "symmetric_difference", "union",
    ):  # fmt: skip
        setattr(_kind, _name, _keeping_order(_kind, _name))


def in_order(elements: Iterable[Any]) -> list[Any]:
    """The elements of a set, in the one order that every run uses.

    Raises `ModelError` for elements of which only addresses could tell the order.
    """
    freezer = Freezer()
    try:
        return sorted(elements, key=lambda element: order_of(freezer.freeze(element)))
    except Uncapturable as error:
        raise ModelError(
            f"this set has no order that is the same in every run: it holds {_a(error.value)}",
            remedy="use a list, or a dict with numbers or strings as keys",
        ) from None


def runs_python(value: Any) -> bool:
    """Whether hashing or comparing a value runs Python code: that of its class, or of a part."""
    if type(value) is tuple or type(value) is frozenset:
        return any(runs_python(each) for each in value)
    kind = type(value)
    return any(hasattr(getattr(kind, name, None), "__code__") for name in ("__hash__", "__eq__"))


def compared_in_python(value: Any, names: Iterable[str]) -> type | None:
    """The class that defines one of some comparisons in Python: that of a value, or of a part."""
    kind = type(value)
    if issubclass(kind, tuple | frozenset):
        found = (compared_in_python(each, names) for each in value)
        if (inside := next(filter(None, found), None)) is not None:
            return inside
    is_ours = kind.__module__.startswith("interleave.")
    methods = (getattr(kind, name, None) for name in names)
    return kind if not is_ours and any(hasattr(each, "__code__") for each in methods) else None


def order_of(key: Key) -> tuple[Any, ...]:
    """A sort key that orders any two frozen values, and never compares values of two kinds."""
    kind, *parts = key
    if isinstance(kind, type) and issubclass(kind, int | float):
        number = struct.unpack("<d", parts[0])[0] if kind is float else parts[0]
        if number != number:
            return ("number", False, 0, "nan")
        return ("number", True, number, kind.__name__)
    if isinstance(kind, type) and issubclass(kind, str | bytes):
        return (kind.__name__, parts[0])
    if kind in (tuple, frozenset):
        return (kind.__name__, tuple(order_of(part) for part in parts[0]))
    return ("~" + getattr(kind, "__qualname__", str(kind)), _stable_text(parts))


def _stable_text(parts: object) -> str:
    if isinstance(parts, tuple | list):
        return "(" + ",".join(_stable_text(part) for part in parts) + ")"
    return getattr(parts, "__qualname__", None) or repr(parts)


IS_WEAK = "_refers_weakly"
"""Attribute of the classes of what keeps nothing of what it refers to from being let go."""


FINALIZER = "_interleave_del"
"""The name under which a class of a model has its `__del__`: Python is not to call that."""


def is_weak(kind: object) -> bool:
    """Whether it is such a class."""
    return isinstance(kind, type) and _is_weak(kind)


@functools.cache
def _is_weak(kind: type) -> bool:
    return any(IS_WEAK in own for own in members_by_base(kind))


class Same:
    """Wraps an object that is compared by identity: a function, a class, a module."""

    __slots__ = ("it",)

    def __init__(self, it: object) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.it is other.it

    def __repr__(self) -> str:
        if isinstance(self.it, Enum):
            return f"{type(self.it).__qualname__}.{self.it.name}"
        name = getattr(self.it, "__qualname__", None) or getattr(self.it, "__name__", "object")
        return f"{getattr(self.it, '__module__', '')}.{name}"


class Freezer:
    """Freezes the values of one shared location, or of one whole local state.

    With `mutable`, mutable values are allowed and their identities kept across all calls of
    `freeze` on this freezer; without, they are replaced by what `share` gives for them, or are
    `Uncapturable`. `shared` has those that were replaced, by id, each with its replacement.
    """

    def __init__(
        self,
        *,
        mutable: bool = False,
        share: Callable[[object], object] | None = None,
        shared: Mapping[int, tuple[object, object]] = MappingProxyType({}),
    ) -> None:
        self._mutable = mutable
        self._share = share
        self._shared = shared
        self.replaced: set[int] = set()
        """Ids of those of `shared` that were met."""
        self._seen: dict[int, int] = {}
        self.met_mutable = False
        """Whether any mutable value was met so far, or one that was replaced."""

    def seen(self) -> set[int]:
        """Ids of the mutable values that were frozen."""
        return {*self._seen}

    def freeze(self, value: object) -> Key:
        """The key of `value`. Raises `Uncapturable`."""
        kind = type(value)
        if kind is int or kind is str or kind is bool or kind is bytes:
            return (kind, value)
        if value is None:
            return (None,)
        if kind is tuple:
            return (tuple, tuple([self.freeze(item) for item in value]))  # type: ignore[attr-defined]
        if issubclass(kind, Shared):
            return (Shared, value._number)  # type: ignore[attr-defined]
        if handler := _IMMUTABLE.get(kind):
            return handler(self, value)
        if kind in _MUTABLE:
            return self._freeze_mutable(kind, value)
        if kind is types.FunctionType:
            return self._freeze_function(value)  # type: ignore[arg-type]
        if issubclass(kind, Enum):
            return (Enum, Same(value))
        if derives_from_plain(kind):
            if attributes_of(value):
                raise Uncapturable(value, f"{_a(value)} has attributes besides")
            return ("derived", Same(kind), self.freeze(_made_from(value)))
        if is_frozen_dataclass(kind):
            parts = [self.freeze(getattr(value, field.name)) for field in fields(kind)]  # type: ignore[arg-type]
            return ("dataclass", Same(kind), tuple(parts))
        if isinstance(value, _NAMED):
            return self._freeze_named(value)
        if isinstance(value, types.FunctionType):  # its class says so
            return self._freeze_function(value)
        if isinstance(value, types.MethodType):
            return ("method", self.freeze(value.__self__), Same(value.__func__))
        return self._freeze_mutable(kind, value)

    def _freeze_named(self, value: Any) -> Key:
        # A metaclass would be asked, in code of the model.
        owner = None if isinstance(value, type) else getattr(value, "__self__", None)
        if owner is not None and not isinstance(owner, types.ModuleType):
            return ("builtin method", self.freeze(owner), value.__name__)
        return ("named object", Same(value))

    def _freeze_function(self, value: types.FunctionType) -> Key:
        is_counterpart = (value.__module__ or "").startswith("interleave.stdlib.")
        if is_counterpart or value.__globals__.get(COPY) is value:
            return ("named object", Same(value))  # there is one of it
        if value.__closure__ or "<lambda>" in value.__name__ or "<locals>" in value.__qualname__:
            raise Uncapturable(
                value,
                f"{_a(value)} is made by a running thread or holds variables of its surroundings",
            )
        return ("named object", Same(value))

    def _freeze_mutable(self, kind: type, value: Any) -> Key:
        handler = _MUTABLE.get(kind)
        if handler is None and not (isinstance(value, BaseException) or is_plain_object(value)):
            if (kind.__module__, kind.__name__) in _NUMBERS:
                return (kind, str(value))
            if (kind.__module__, kind.__name__) in _DATES:
                return ("made of", Same(kind), self._sequence(value.__reduce_ex__(4)[1]))
            raise Uncapturable(value, f"{_a(value)} cannot be kept in a state")
        self.met_mutable = True
        if id(value) in self._shared:
            self.replaced.add(id(value))
            return self.freeze(self._shared[id(value)][1])
        is_kept = self._mutable or isinstance(value, BaseException)
        if not is_kept and self._share is not None:
            return self.freeze(self._share(value))
        if not is_kept:
            raise Uncapturable(value, f"{_a(value)} was made by a thread")
        number = self._seen.get(id(value))
        if number is not None:
            return ("again", number)
        number = self._seen[id(value)] = len(self._seen)
        if handler is not None:
            return (set if kind is OrderedSet else kind, number, handler(self, value))
        if isinstance(value, BaseException):
            # As for pickling: an OSError keeps its file apart from its `args`. In the order in
            # which a `Thawer` makes them.
            made_from = self._sequence(_native(kind).__reduce__(value)[1])
            args = self._sequence(value.args)
            cause = self.freeze(value.__cause__), value.__suppress_context__
            inside = self._items(attributes_of(value).items())
            return ("exception", number, Same(kind), made_from, args, inside, cause)
        return ("object", number, Same(kind), self._items(attributes_of(value).items()))

    def _sequence(self, items: Iterable[Any]) -> tuple[Key, ...]:
        return tuple([self.freeze(item) for item in items])

    def _items(self, items: Iterable[tuple[Any, Any]]) -> tuple[tuple[Key, Key], ...]:
        return tuple([(self.freeze(name), self.freeze(item)) for name, item in items])

    def _elements(self, elements: Iterable[Any]) -> tuple[Key, ...]:
        # Elements that can change have no order but that of their addresses.
        freezer = Freezer()
        try:
            keys = [freezer.freeze(element) for element in elements]
        except Uncapturable as error:
            why = f"a set of a {type(error.value).__name__} has no order that is always the same"
            raise Uncapturable(error.value, why) from None
        return tuple(sorted(keys, key=order_of))


def _a(value: object) -> str:
    name = type(value).__name__
    if isinstance(value, types.FunctionType) and value.__name__ == "<lambda>":
        name = "lambda"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def is_frozen_dataclass(kind: type) -> bool:
    """Whether the instances of a class are values that never change."""
    for base in kind.__mro__:
        own = members_of(base)  # whatever its metaclass says of attributes
        if "__dataclass_params__" in own:
            return own["__dataclass_params__"].frozen is True
    return False


def derives_from_plain(kind: type) -> bool:
    """Whether a class of the user's derives from a type of numbers, texts, bytes or tuples."""
    return issubclass(kind, _PLAIN) and is_defined_in_python(kind) and not issubclass(kind, Enum)


def as_instance(kind: type, value: object) -> Any:
    """The same number, say, as an instance of another class."""
    return _plain_base(kind).__new__(kind, *_made_from(value))


def _made_from(value: object) -> tuple[Any, ...]:
    """What its type makes a value from, whatever its class says."""
    found: tuple[Any, ...] = _plain_base(type(value)).__getnewargs__(value)
    return found


def _plain_base(kind: type) -> Any:
    return next(base for base in _PLAIN if issubclass(kind, base))


_PLAIN = (tuple, int, float, complex, str, bytes)


def is_plain_object(value: object) -> bool:
    """Whether `value` is an instance of an ordinary class, whose attributes are all it is."""
    kind = type(value)
    return (
        is_defined_in_python(kind)
        and kind not in _IMMUTABLE
        and not issubclass(kind, Enum)
        and (kind.__module__, kind.__name__) not in _NUMBERS
        and kind.__base__ is not None
        and _rooted_in_object(kind)
        # Not of what C code makes, which may look as if it were made by a `class` statement.
        and getattr(kind.__new__, "__self__", object) is object
    )


def _rooted_in_object(kind: type) -> bool:
    return all(base is object or is_defined_in_python(base) for base in kind.__mro__)


def _native(kind: type) -> Any:
    """The nearest of Python's own classes that a class derives from."""
    return next(base for base in kind.__mro__ if not is_defined_in_python(base))


def is_defined_in_python(kind: type) -> bool:
    """Whether a class is made by a `class` statement."""
    # Of Include/object.h: HEAPTYPE, and neither IMMUTABLETYPE nor DISALLOW_INSTANTIATION.
    return kind.__flags__ & (1 << 9 | 1 << 8 | 1 << 7) == 1 << 9


def attributes_of(value: object) -> dict[str, Any]:
    """The attributes of an instance, from its `__dict__` and its `__slots__`, in order."""
    get = object.__getattribute__  # whatever its class says of getting one
    found = {}
    for name in slots_of(type(value)):
        try:
            found[name] = get(value, name)
        except AttributeError:  # it has no value yet
            continue
    try:
        found.update(get(value, "__dict__"))
    except AttributeError:  # it has none
        return found
    return found


def slots_of(kind: type) -> list[str]:
    """The names of the slots of a class and its bases, in order."""
    found: list[str] = []
    for base in reversed(kind.__mro__):
        slots = members_of(base).get("__slots__", ())
        if slots:
            names = (slots,) if isinstance(slots, str) else slots
            found += [mangle(each, base.__name__) for each in names]
    return [each for each in found if each not in ("__dict__", "__weakref__")]


members_of: Callable[[type], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
"""What a class itself has, by name: its `__dict__`, whatever its metaclass makes of that."""


def members_by_base(kind: type) -> Iterator[Mapping[str, Any]]:
    """The members of a class, and those of its bases, in the order in which Python looks."""
    return (members_of(base) for base in kind.__mro__)


def mangle(name: str, class_name: str | None) -> str:
    """The name Python gives to `name` inside the class: `__x` becomes `_Class__x`."""
    if class_name is None or not name.startswith("__") or name.endswith("__"):
        return name
    return f"_{class_name.lstrip('_')}{name}"


def number_in(key: Key) -> int | None:
    """The number that the key of a mutable value of a thread's own has, by order of first visit."""
    is_one = len(key) > 2 and (key[0] in _MUTABLE_KEYS or _is_mutable(key[0]))
    return key[1] if is_one else None


_MUTABLE_KEYS = ("object", "exception")


def _is_mutable(kind: object) -> bool:
    return isinstance(kind, type) and kind in _MUTABLE


class Thawer:
    """Makes values from keys. The inverse of a `Freezer`, with the same span.

    `shared` gives the object of each number.
    """

    def __init__(self, shared: Callable[[int], Any]) -> None:
        self._shared = shared
        self._made: dict[int, Any] = {}

    def made(self) -> list[Any]:
        """The mutable values that were made."""
        return list(self._made.values())

    def thaw(self, key: Key) -> Any:
        """The value of `key`: immutable values may be one object, mutable ones are made anew."""
        kind = key[0]
        if kind is int or kind is str or kind is bool or kind is bytes:
            return key[1]
        if kind is None:
            return None
        if kind is tuple:
            return tuple([self.thaw(item) for item in key[1]])
        if kind is Shared:
            return self._shared(key[1])
        return _THAW.get(kind, Thawer._number)(self, key)

    def placed(self, number: int, made: Any) -> Any:
        """`made`, known from now on as mutable value `number` of this local state."""
        self._made[number] = made
        return made

    def _number(self, key: Key) -> Any:
        return key[0](key[1])

    def _derived(self, key: Key) -> Any:
        kind = key[1].it
        return _plain_base(kind).__new__(kind, *self.thaw(key[2]))

    def _dataclass(self, key: Key) -> Any:
        kind = key[1].it
        made = object.__new__(kind)
        for field, part in zip(fields(kind), key[2], strict=True):
            object.__setattr__(made, field.name, self.thaw(part))
        return made

    def _method(self, key: Key) -> Any:
        return types.MethodType(key[2].it, self.thaw(key[1]))

    def _list(self, key: Key) -> Any:
        made: list[Any] = self._made.setdefault(key[1], [])
        made.extend([self.thaw(item) for item in key[2]])
        return made

    def _dict(self, key: Key) -> Any:
        made: dict[Any, Any] = self._made.setdefault(key[1], {})
        made.update([(self.thaw(name), self.thaw(item)) for name, item in key[2]])
        return made

    def _set(self, key: Key) -> Any:
        made = self._made.setdefault(key[1], OrderedSet())
        made.update([self.thaw(item) for item in key[2]])
        return made

    def _deque(self, key: Key) -> Any:
        maxlen, items = key[2]
        made: deque[Any] = self._made.setdefault(key[1], deque(maxlen=maxlen))
        made.extend([self.thaw(item) for item in items])
        return made

    def _bytearray(self, key: Key) -> Any:
        return self._made.setdefault(key[1], bytearray(key[2]))

    def _exception(self, key: Key) -> Any:
        _, number, kind, made_from, args, attributes, (cause, suppresses) = key
        given = [self.thaw(item) for item in made_from]
        made = self._made[number] = kind.it.__new__(kind.it, *given)
        # Python's own exceptions take attributes from their arguments: errno, code, value.
        _native(kind.it).__init__(made, *given)
        made.args = tuple([self.thaw(item) for item in args])
        made.__cause__ = self.thaw(cause)
        made.__suppress_context__ = suppresses
        return self._with_attributes(made, attributes)

    def _object(self, key: Key) -> Any:
        _, number, kind, attributes = key
        made = self._made[number] = object.__new__(kind.it)
        return self._with_attributes(made, attributes)

    def _with_attributes(self, made: Any, attributes: Iterable[tuple[Key, Key]]) -> Any:
        for name, item in attributes:
            object.__setattr__(made, self.thaw(name), self.thaw(item))
        return made


_IMMUTABLE: dict[type, Callable[[Freezer, Any], Key]] = {
    float: lambda _, value: (float, struct.pack("<d", value)),
    complex: lambda _, value: (complex, struct.pack("<dd", value.real, value.imag)),
    frozenset: lambda self, value: (frozenset, self._elements(frozenset.__iter__(value))),
    OrderedFrozenSet: lambda self, value: (frozenset, self._elements(frozenset.__iter__(value))),
    range: lambda _, value: (range, value.start, value.stop, value.step),
    slice: lambda self, value: (
        slice,
        self._sequence((value.start, value.stop, value.step)),
    ),
    type(...): lambda _, value: (type(...),),
    type(NotImplemented): lambda _, value: (type(NotImplemented),),
    Unbound: lambda _, value: (Unbound,),
    object: lambda _, value: (object, Same(value)),
    Field: lambda _, value: (object, Same(value)),
    re.Pattern: lambda self, value: (re.Pattern, self.freeze(value.pattern), value.flags),
    Same: lambda _, value: (Same, value),
}
"""How to freeze the immutable types that need care."""

_NAMED = (
    type, types.ModuleType, types.BuiltinFunctionType, types.MethodDescriptorType,
    types.WrapperDescriptorType, types.ClassMethodDescriptorType,
)  # fmt: skip
"""Types of what there is one of, under a name."""

_NUMBERS = {("decimal", "Decimal"), ("fractions", "Fraction")}
"""Numbers that their text makes again: by name, for few models want these modules imported."""

_DATES = {("datetime", name) for name in ("date", "datetime", "time", "timedelta", "timezone")}
"""What is made again of what it is made of for pickling."""

_MUTABLE: dict[type, Callable[[Freezer, Any], Any]] = {
    list: lambda self, value: self._sequence(value),
    dict: lambda self, value: self._items(value.items()),
    set: lambda self, value: self._elements(set.__iter__(value)),
    OrderedSet: lambda self, value: self._elements(set.__iter__(value)),
    deque: lambda self, value: (value.maxlen, self._sequence(value)),
    bytearray: lambda _, value: bytes(value),
}
"""How to freeze what is inside the mutable types."""

_THAW: dict[Any, Callable[[Thawer, Key], Any]] = {
    float: lambda _, key: struct.unpack("<d", key[1])[0],
    complex: lambda _, key: complex(*struct.unpack("<dd", key[1])),
    frozenset: lambda self, key: OrderedFrozenSet([self.thaw(item) for item in key[1]]),
    range: lambda _, key: range(*key[1:]),
    slice: lambda self, key: slice(*[self.thaw(item) for item in key[1]]),
    type(...): lambda *_: ...,
    type(NotImplemented): lambda *_: NotImplemented,
    Unbound: lambda *_: UNBOUND,
    Enum: lambda _, key: key[1].it,
    object: lambda _, key: key[1].it,
    re.Pattern: lambda self, key: re.compile(self.thaw(key[1]), key[2]),
    Same: lambda _, key: key[1],
    "derived": Thawer._derived,
    "dataclass": Thawer._dataclass,
    "named object": lambda _, key: key[1].it,
    "method": Thawer._method,
    "made of": lambda self, key: key[1].it(*[self.thaw(part) for part in key[2]]),
    "builtin method": lambda self, key: getattr(self.thaw(key[1]), key[2]),
    "again": lambda self, key: self._made[key[1]],
    list: Thawer._list,
    dict: Thawer._dict,
    set: Thawer._set,
    deque: Thawer._deque,
    bytearray: Thawer._bytearray,
    "exception": Thawer._exception,
    "object": Thawer._object,
}


def register_immutable(
    kind: type, freeze: Callable[[Freezer, Any], Key], thaw: Callable[[Thawer, Key], Any]
) -> None:
    """Teach freezers and thawers one more immutable type, whose keys begin with it."""
    _IMMUTABLE[kind] = freeze
    _THAW[kind] = thaw


def register_mutable(
    kind: type, freeze: Callable[[Freezer, Any], Any], thaw: Callable[[Thawer, Key], Any]
) -> None:
    """Teach freezers and thawers one more mutable type. Called at import by the type's module."""
    _MUTABLE[kind] = freeze
    _THAW[kind] = thaw
