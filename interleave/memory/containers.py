"""Shared lists, dicts, sets, deques and arrays, as the code of a model sees them.

A container is one location whose value is the tuple of its contents, and each operation on it is
one access. An array has a location per element. A container that no thread ever changes is a
constant, and looking at it is no access at all.
"""

from __future__ import annotations

import copy
import types
from collections import deque
from collections.abc import (
    Callable,
    Generator,
    Iterable,
    Iterator,
    MutableMapping,
    MutableSequence,
    MutableSet,
)
from operator import itemgetter
from typing import Any

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.comparing import IN_STEPS, among_values
from interleave.memory.looking import looks_only
from interleave.memory.port import WHOLE, AccessKind, Location, current_port, using_port
from interleave.memory.values import (
    UNBOUND,
    Freezer,
    OrderedSet,
    Shared,
    Uncapturable,
    compared_in_python,
    in_order,
    is_plain_object,
    runs_python,
)
from interleave.said import shown_by

_BLIND = {"__setitem__", "__delitem__", "clear", "replace"}
"""Changes that do not depend on what they overwrite."""

_CHANGING = _BLIND | {
    "append", "appendleft", "extend", "extendleft", "insert", "remove", "pop", "popleft",
    "popitem", "sort", "reverse", "rotate", "setdefault", "update", "add", "discard",
    "difference_update", "intersection_update", "symmetric_difference_update",
    "move_to_end", "subtract", "exchange", "heapify", "heappop", "heappush", "heappushpop",
    "heapreplace", "byteswap", "frombytes", "fromlist", "fromunicode",
    "__iadd__", "__imul__", "__ior__", "__iand__", "__isub__", "__ixor__", "__next__",
}  # fmt: skip
"""Operations that may change the container."""

_NAMES = {
    "__getitem__": "read", "__setitem__": "write", "__delitem__": "delete", "__len__": "len",
    "__contains__": "contains", "__iadd__": "extend", "__ior__": "update", "__next__": "next",
    "replace": "intersection_update",
}  # fmt: skip
"""What reports call an operation, where its own name would not do; other dunders are reads."""

_TAKING_ELEMENTS = {
    "__contains__", "__delitem__", "__getitem__", "__setitem__", "add", "append", "appendleft",
    "count", "discard", "get", "heappush", "heappushpop", "heapreplace", "index", "insert", "pop",
    "remove", "setdefault",
}  # fmt: skip
"""Operations to which a container is given as an element, and not to have its contents taken."""

_FOR_EACH: dict[str, dict[type, str]] = {
    "extend": {list: "append", deque: "append"},
    "extendleft": {deque: "appendleft"},
    "update": {set: "add", dict: "__setitem__"},
    "__iadd__": {list: "append", deque: "append"},
    "__ior__": {dict: "__setitem__"},
}
"""Operations that put in what an iterable gives -> for each type, the one that puts in an item."""

_COMPARING = {
    ("__eq__",): {"__contains__", "count", "index", "remove", "__eq__", "__ne__"},
    ("__eq__", "__lt__", "__gt__"): {
        "__lt__", "__le__", "__gt__", "__ge__",
        "sort", "heapify", "heappop", "heappush", "heappushpop", "heapreplace",
    },
}  # fmt: skip
"""Operations of sequences that compare elements, by the methods of theirs that this calls."""

_NOT_FORWARDED = {
    "__new__", "__init__", "__init_subclass__", "__subclasshook__", "__class__",
    "__class_getitem__",
    "__getattribute__", "__setattr__", "__delattr__", "__dir__", "__doc__", "__hash__", "__iter__",
    "__reduce__", "__reduce_ex__", "__getstate__", "__sizeof__", "__copy__", "__deepcopy__",
    "__reversed__", "keys", "values", "items", "copy", "__bool__", "maxlen",
    "__buffer__", "__release_buffer__",
}  # fmt: skip

_TEXTS = frozenset({"__repr__", "__str__", "__format__"})
"""Operations that make a text of all that is in a container."""


class SharedContainer(Shared):
    """Stands for one shared container. Subclasses forward the operations of one type."""

    __slots__ = ("_location", "_number", "_options")
    _type: type = object
    _by_key: frozenset[str] = frozenset()
    """Operations that concern one element only, the one that their first argument names."""
    # isinstance(stand_in, list) holds, and no C code takes it for a list and looks inside.
    __class__ = property(lambda self: type(self)._type)

    def __init__(self, number: int, location: Location, options: tuple[Any, ...] = ()) -> None:
        self._number = number
        self._location = location
        self._options = options

    @classmethod
    @looks_only
    def contents(cls, value: Any) -> tuple[Any, ...]:
        """The tuple that represents `value`, a real container, in a state."""
        return tuple(value)

    @classmethod
    def options(cls, value: Any) -> tuple[Any, ...]:
        """What of `value` never changes (the bound of a deque)."""
        return ()

    @looks_only
    def build(self, contents: tuple[Any, ...]) -> Any:
        """A real container with these contents."""
        return self._type(contents)

    def operate(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """One operation of the real container, as one access; what puts in the items of a generator
        of the model's own, between which others may run, is one for each item.
        """
        if name in _FOR_EACH and args and isinstance(args[-1], Generator):
            found = (one for kind, one in _FOR_EACH[name].items() if issubclass(self._type, kind))
            if current_port().others_run and (one := next(found, "")):
                for item in args[-1]:
                    self.operate(one, *(item if one == "__setitem__" else (item,)))
                return self if name.startswith("__i") else None

        def method(real: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(real, name)(*args, **kwargs)

        return self.perform(name, method, *args, **kwargs)

    def perform(self, name: str, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What a function does with the real container, as one access of that name."""
        if name not in _TAKING_ELEMENTS or (args and type(args[0]) is slice):
            args = tuple(_contents_of(arg) for arg in args)
        port = current_port()
        location = port.locate(self._location)
        changing = name in _CHANGING

        def effect() -> Any:
            contents = port.read(location, part=None)
            if port.others_run and not (location.constant and not changing):
                compared = self._compared_in_python(name, (*contents, *args), kwargs)
                if compared is not None and self._type is list and name in IN_STEPS:
                    return UNBOUND
                if compared is not None:
                    port.halt(_compares_by_python(name, compared))
            part = self.part_of(name, args, contents)
            if name not in _BLIND:
                port.read(location, part=part)
            real = self.build(contents)
            result = operation(real, *args, **kwargs)
            if changing:
                port.write(location, self.contents(real), part=part, fresh=name not in _BLIND)
            return None if result is real else result

        if args and name in _TAKING_ELEMENTS and runs_python(args[0]):
            if issubclass(self._type, dict | set) and _looks_at_attributes(args[0]):
                port.halt(key_that_changes(location.name, type(args[0])))
            port.switch_point()
        if location.constant and not changing:
            return effect()
        label = _NAMES.get(name, "read" if name.startswith("__") else name)
        shown = f"[{shown_by(args[0])}]" if args and name in self._by_key else ""
        atomic = changing and name not in _BLIND
        kind = AccessKind(label, location, shown, atomic, self._type, text=name in _TEXTS)
        result = port.access(kind, effect)
        if result is UNBOUND and name in IN_STEPS:
            return IN_STEPS[name](self, *args, **kwargs)
        return self if changing and name.startswith("__i") else result

    def _compared_in_python(
        self, name: str, values: tuple[Any, ...], options: dict[str, Any]
    ) -> type | None:
        """The class by whose Python code an operation compares elements: that of one, or of a key
        function. None where it compares none, or by C code: others may not run in between.
        """
        compared = next((names for names, by in _COMPARING.items() if name in by), ())
        if not compared or issubclass(self._type, set | dict):
            return None  # keys never change
        key = options.get("key")
        if key is not None and (not runs_in_c(key) or any(map(_is_object, values))):
            return type(key)
        found = (compared_in_python(each, compared) for each in values)
        return next(filter(None, found), None)

    def snapshot(self) -> Any:
        """A real container with the present contents, read in one access."""
        return self.operate("copy")

    @looks_only
    def part_of(self, name: str, args: tuple[Any, ...], contents: tuple[Any, ...]) -> object:
        """The key that an operation concerns, as a tuple of one; WHOLE where it concerns all."""
        return (args[0],) if args and name in self._by_key and _can_be_key(args[0]) else WHOLE

    @looks_only
    def part(self, contents: tuple[Any, ...], part: object) -> object:
        """What is at a key of these contents, as a tuple of one; () where nothing is."""
        assert isinstance(part, tuple)
        try:
            return (self.build(contents)[part[0]],)
        except (LookupError, TypeError):
            return ()

    def peek(self, contents: tuple[Any, ...], index: int) -> Any:
        """Element number `index` for an iterator that stands there; `IndexError` at the end."""
        return contents[index]

    def __iter__(self) -> Iterator[Any]:
        # Iteration by C code (list(x), sum(x), a star, unpacking) is one operation; a `for` loop of
        # a thread goes by machine.cursors, one access an element.
        return iter(self.snapshot())

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self.snapshot())

    def copy(self) -> Any:
        return self.snapshot()

    def __copy__(self) -> Any:
        return self.snapshot()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.snapshot().__reduce_ex__(max(protocol, 2))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made = memo[id(self)] = self.snapshot()  # which may be in itself
        items = [*(made.items() if isinstance(made, dict) else made)]
        made.clear()
        for each in items:
            copied = copy.deepcopy(each, memo)
            if isinstance(made, dict):
                made[copied[0]] = copied[1]
            elif isinstance(made, set):
                made.add(copied)
            else:
                made.append(copied)
        return made

    __hash__ = None  # type: ignore[assignment]


_IN_C = (types.BuiltinFunctionType, types.MethodDescriptorType, itemgetter)


def runs_in_c(function: object) -> bool:
    """Whether a function runs no Python code, given plain values."""
    return isinstance(function, _IN_C)


def _is_object(value: Any) -> bool:
    return issubclass(type(value), Shared) or is_plain_object(value)


def _compares_by_python(name: str, kind: type) -> ModelError:
    return ModelError(
        f"{name} compares elements by Python code, that of {kind.__name__}: other "
        "threads may run in between, which no step shows",
        remedy="write it as a loop over the elements, or compare numbers, strings or "
        "tuples of these",
    )


@looks_only
def _can_be_key(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


@looks_only
def _looks_at_attributes(key: Any) -> bool:
    """Whether `__hash__` or `__eq__` of a shared object looks at what threads share."""
    if not issubclass(type(key), Shared):
        return False
    with using_port(None):
        try:
            hash(key)
            key == key  # noqa: B015
        except ModelError:
            return True
        except Exception:  # as it will raise in the operation itself
            return False
    return False


def key_that_changes(name: str, kind: type) -> ModelError:
    """The error for a dict or set with a key that is told from others by what can change."""
    return ModelError(
        f"{name} has a {kind.__name__} as a key, whose __hash__ or __eq__ looks at what can change",
        remedy=f"let {kind.__name__} be a dataclass with `frozen=True`, or use a number, "
        "a string or a tuple as the key",
    )


def plain(value: Any) -> Any:
    """`value`, or a real container with the contents of the shared one that it stands for."""
    return value.snapshot() if issubclass(type(value), SharedContainer) else value


def _contents_of(argument: Any) -> Any:
    """An argument of an operation, with all accesses that it takes done before."""
    kind = type(argument)
    if issubclass(kind, DictView):
        return argument._real()
    if hasattr(kind, "contents_in_c"):
        return argument.contents_in_c()
    if issubclass(kind, SharedArray) or hasattr(kind, "__next__"):
        return list(argument)
    return plain(argument)


def forward(name: str) -> Callable[..., Any]:
    """The operation of that name of a real container, as one of a shared one."""

    def operation(self: SharedContainer, *args: Any, **kwargs: Any) -> Any:
        return self.operate(name, *args, **kwargs)

    operation.__name__ = operation.__qualname__ = name
    return operation


def stands_for(kind: type) -> Callable[[type], type]:
    """Give a class every operation of `kind`, and make isinstance() take it for one."""

    def fill(cls: type) -> type:
        for name in dir(kind):
            if name not in _NOT_FORWARDED and name not in vars(cls):
                setattr(cls, name, forward(name))
        cls._type = kind  # type: ignore[attr-defined]
        cls.__name__ = kind.__name__  # in messages of Python's
        return cls

    return fill


class SharedSequence(SharedContainer):
    """What is shared and has its elements in order, by number."""

    __slots__ = ()
    _by_key = frozenset({"__getitem__", "__setitem__"})

    @looks_only
    def part_of(self, name: str, args: tuple[Any, ...], contents: tuple[Any, ...]) -> object:
        if name not in self._by_key or not isinstance(args[0], int):
            return WHOLE
        return (args[0] + len(contents) if args[0] < 0 else args[0],)


@stands_for(list)
class SharedList(SharedSequence):
    """A shared list."""

    __slots__ = ()

    def __radd__(self, other: Any) -> Any:
        return other + self.snapshot()


@stands_for(deque)
class SharedDeque(SharedSequence):
    """A shared deque."""

    __slots__ = ()

    @classmethod
    def options(cls, value: Any) -> tuple[Any, ...]:
        return (value.maxlen,)

    @property
    def maxlen(self) -> int | None:
        return self._options[0]

    @looks_only
    def build(self, contents: tuple[Any, ...]) -> Any:
        return deque(contents, *self._options)

    def __radd__(self, other: Any) -> Any:
        return other + self.snapshot()


@stands_for(set)
class SharedSet(SharedContainer):
    """A shared set.

    After Objects/setobject.c of CPython 3.13: what takes several others takes one after the other,
    and the elements that stay in an intersection are looked for before they are put in place.
    """

    __slots__ = ()

    def update(self, *others: Any) -> None:
        for other in others:
            self.operate("update", other)

    def difference_update(self, *others: Any) -> None:
        for other in others:
            self.operate("difference_update", other)

    def intersection_update(self, *others: Any) -> None:
        self.perform("replace", _replace, self.operate("intersection", *others))

    @classmethod
    @looks_only
    def contents(cls, value: Any) -> tuple[Any, ...]:
        return Bag(in_order(set.__iter__(value)))

    @looks_only
    def build(self, contents: tuple[Any, ...]) -> Any:
        return OrderedSet(contents)

    def snapshot(self) -> Any:
        return OrderedSet(self.operate("copy"))


def _replace(real: set[Any], elements: Iterable[Any]) -> None:
    real.clear()
    real.update(elements)


@stands_for(dict)
class SharedDict(SharedContainer):
    """A shared dict. By CPython 3.13, `update` takes keywords after what it takes besides."""

    __slots__ = ()
    _by_key = frozenset(
        {"__getitem__", "__setitem__", "__delitem__", "__contains__", "get", "pop", "setdefault"}
    )

    @classmethod
    @looks_only
    def contents(cls, value: Any) -> tuple[Any, ...]:
        return tuple(value.items())

    @looks_only
    def part(self, contents: tuple[Any, ...], part: object) -> object:
        assert isinstance(part, tuple)
        found = dict(contents).get(part[0], UNBOUND)  # which makes nothing for what is missing
        return () if found is UNBOUND else (found,)

    def peek(self, contents: tuple[Any, ...], index: int) -> Any:
        return contents[index][0]

    def get(self, key: Any, default: Any = None) -> Any:
        return self._or_default("get", key, default)

    def pop(self, key: Any, *default: Any) -> Any:
        return self._or_default("pop", key, *default) if default else self.operate("pop", key)

    def _or_default(self, name: str, key: Any, default: Any) -> Any:
        try:
            Freezer().freeze(default)
        except Uncapturable:
            # What the thread itself made must come back as the same object.
            found = self.operate(name, key, UNBOUND)
            return default if found is UNBOUND else found
        return self.operate(name, key, default)

    def update(self, *others: Any, **more: Any) -> None:
        if others and more:
            self.operate("update", *others)
        self.operate("update", *(() if more else others), **more)

    def keys(self) -> DictView:
        return DictView(self, "keys")

    def values(self) -> DictView:
        return DictView(self, "values")

    def items(self) -> DictView:
        return DictView(self, "items")


MutableSequence.register(SharedList)
MutableSequence.register(SharedDeque)
MutableSet.register(SharedSet)
MutableMapping.register(SharedDict)


class DictView:
    """`keys()`, `values()` or `items()` of a shared dict; looking at it is an access."""

    __slots__ = ("of", "which")

    def __init__(self, of: SharedDict, which: str) -> None:
        self.of = of
        self.which = which

    def peek(self, contents: tuple[Any, ...], index: int) -> Any:
        key, value = self.of.peek(contents, index), contents[index][1]
        return {"keys": key, "values": value, "items": (key, value)}[self.which]

    def _real(self) -> Any:
        return getattr(self.of.snapshot(), self.which)()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._real())

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self._real())

    def __len__(self) -> int:
        return len(self.of)  # type: ignore[arg-type]

    def __contains__(self, item: object) -> bool:
        return among_values(self.of, item) if self.which == "values" else item in self._real()

    def __eq__(self, other: object) -> bool:
        return bool(self._real() == _real_view(other))

    def __le__(self, other: Any) -> bool:
        return bool(self._real() <= _real_view(other))

    def __lt__(self, other: Any) -> bool:
        return bool(self._real() < _real_view(other))

    def __ge__(self, other: Any) -> bool:
        return bool(self._real() >= _real_view(other))

    def __gt__(self, other: Any) -> bool:
        return bool(self._real() > _real_view(other))

    def __and__(self, other: Any) -> Any:
        return OrderedSet(self._real() & _real_view(other))

    def __or__(self, other: Any) -> Any:
        return OrderedSet(self._real() | _real_view(other))

    def __sub__(self, other: Any) -> Any:
        return OrderedSet(self._real() - _real_view(other))

    def __xor__(self, other: Any) -> Any:
        return OrderedSet(self._real() ^ _real_view(other))

    def __rsub__(self, other: Any) -> Any:
        return OrderedSet(other - self._real())

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def isdisjoint(self, other: Any) -> bool:
        return bool(self._real().isdisjoint(_real_view(other)))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._real())


def _real_view(value: Any) -> Any:
    return value._real() if isinstance(value, DictView) else plain(value)


CONTAINERS: dict[type, type[SharedContainer]] = {
    list: SharedList,
    dict: SharedDict,
    set: SharedSet,
    OrderedSet: SharedSet,
    deque: SharedDeque,
}
"""The stand-in of each real container type."""


class SharedArray(Shared):
    """Stands for an `array(values)`: fixed length, every element a location of its own."""

    __slots__ = ("_locations", "_number")

    def __init__(self, number: int, locations: tuple[Location, ...]) -> None:
        self._number = number
        self._locations = locations

    def __len__(self) -> int:
        return len(self._locations)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return read_location(self._at(index))

    def __setitem__(self, index: Any, value: object) -> None:
        if isinstance(index, slice):
            places = range(*index.indices(len(self)))
            values = list(value)  # type: ignore[call-overload]
            if len(values) != len(places):
                raise ValueError("an array has a fixed length: the slice and the values differ")
            for place, item in zip(places, values, strict=True):
                self[place] = item
            return
        write_location(self._at(index), value)

    def _at(self, index: Any) -> Location:
        try:
            return self._locations[index]
        except IndexError:
            raise IndexError("array index out of range") from None

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __reversed__(self) -> Iterator[Any]:
        return (self[index] for index in reversed(range(len(self))))

    def __contains__(self, item: object) -> bool:
        return any(item == element for element in self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SharedArray | list | tuple):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def index(self, item: object) -> int:
        for place, element in enumerate(self):
            if element == item:
                return place
        raise ValueError(f"{item!r} is not in array")

    def count(self, item: object) -> int:
        return sum(element == item for element in self)

    def __repr__(self) -> str:
        return f"array({list(self)!r})"


def read_location(location: Location) -> Any:
    """The value there: an access, unless it is a constant."""
    port = current_port()
    location = port.locate(location)
    if location.constant:
        return port.read(location)
    return port.access(AccessKind("read", location), lambda: port.read(location))


def write_location(location: Location, value: object) -> None:
    """Store a value there: an access."""
    port = current_port()
    location = port.locate(location)
    port.access(AccessKind("write", location), lambda: port.write(location, value))


def delete_location(
    location: Location,
    error: Exception,
    is_absent: Callable[[object], bool] = lambda value: value is UNBOUND,
) -> None:
    """Leave it without a value: an access. Raises `error` where it has none."""
    port = current_port()
    location = port.locate(location)

    def delete() -> None:
        if is_absent(port.read(location)):
            raise error
        port.write(location, UNBOUND)

    port.access(AccessKind("delete", location), delete)
