"""Pictures: what a value is at one moment, with all that it refers to, as a constant.

A picture has a **form** of the value, in which shared objects stand for themselves, and the forms
of what is in those.
"""

from __future__ import annotations

import itertools
import types
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from interleave.compiler.generators import Generator
from interleave.memory.aliases import ORIGINAL_CLASS
from interleave.memory.closures import Closure
from interleave.memory.containers import SharedContainer
from interleave.memory.counting import parts_of
from interleave.memory.cursors import (
    Backwards,
    Calls,
    Chained,
    Cursor,
    Cycle,
    Enumerated,
    Filtered,
    Mapped,
    NamedCursor,
    Sliced,
    Zipped,
)
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.memory.values import (
    UNBOUND,
    Freezer,
    OrderedSet,
    Same,
    Shared,
    Uncapturable,
    attributes_of,
    in_order,
    is_plain_object,
)
from interleave.program.heap import Heap
from interleave.result import Described
from interleave.showing import show
from interleave.world.holders import Holder
from interleave.world.instances import Inherited

_ITERATORS = (
    Cursor, NamedCursor, Backwards, Enumerated, Zipped, Mapped, Filtered, Calls, Cycle, Chained,
    Sliced,
)  # fmt: skip
"""The classes of what stands for iterators."""

ORIGIN = "_interleave_origin"
"""Attribute of an exception that a thread has caught: where it was first raised."""

Form = tuple[Any, ...]
"""What a value is. The first item says which of these it is:

("value", v): one that never changes. ("of", class, n, parts): a container, an object or an
exception that one thread has for itself, the n-th of its picture; `parts` are forms, or pairs of
them. Those of a `Closure` are a function, and what it has captured: of a method, its object.
("again", n): that one once more. ("shared", k, stand-in): a shared object, the k-th of its picture.
("named", text): what is told from all else by its name; a function stands behind it, as methods of
one class may have one name. ("opaque", text): what has no value to be
compared.
"""


class Picture(NamedTuple):
    """A value at one moment: its form, and what is in each shared object that it leads to."""

    form: Form
    inside: tuple[tuple[Any, Form], ...] = ()


_PLAIN = (int, str, bool, bytes, float, complex, type(None), type(...), type(NotImplemented), range)


class Pictures:
    """Takes pictures of values of one heap.

    `at` gives the value id at a place of the state; `is_beyond` says of a shared object, by its
    number, that it is not gone into.
    """

    def __init__(
        self, heap: Heap, at: Callable[[int], int], is_beyond: Callable[[int], bool]
    ) -> None:
        self._heap = heap
        self._at = at
        self._is_beyond = is_beyond
        self._met: dict[int, tuple[int, Any]] = {}
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []

    def take(self, value: Any) -> Picture:
        """The picture of a value."""
        return self._taken(lambda: self._form(value))

    def take_at(self, location: Location) -> Picture:
        """The picture of what is at a location."""

        def form() -> Form:
            owner, held = self._heap.owner(location), self._held(location)
            is_whole = location.field is None and isinstance(owner, SharedContainer | Primitive)
            return self._contents(owner, held) if is_whole else self._form(held)

        return self._taken(form)

    def _taken(self, look: Callable[[], Form]) -> Picture:
        self._met, self._numbers, self._kept = {}, {}, []
        form = look()
        inside: list[tuple[Any, Form]] = []
        while len(inside) < len(self._met):
            _, stand_in = [*self._met.values()][len(inside)]
            inside.append((stand_in, self._inside(stand_in)))
        return Picture(form, tuple(inside))

    def _form(self, value: Any) -> Form:
        kind = type(value)
        if kind in _PLAIN or value is UNBOUND:
            return ("value", value)
        if issubclass(kind, Shared):
            number = self._heap.index_of(value)
            place, _ = self._met.setdefault(number, (len(self._met), value))
            return ("shared", place, value)
        if kind is Inherited:
            return ("of", kind, -1, (self._form(value.value),))
        if isinstance(value, types.MethodType):
            function: Any = value.__func__
            own: Form = ("named", function.__qualname__, Same(function))
            if type(function) is Closure:
                own = self._form(function)
            return ("of", Closure, -1, (own, self._form(value.__self__)))
        if isinstance(value, types.BuiltinMethodType) and _is_bound(value):
            return ("of", Closure, -1, (("named", value.__name__), self._form(value.__self__)))
        if kind is Closure:
            inside = [self._form(each) for each in value.captured]
            return ("of", kind, -1, (("value", value.function), *inside))
        if isinstance(value, types.ModuleType):
            return ("named", f"<module {value.__name__}>")
        if isinstance(value, Generator):  # it has looked at nothing yet: what it gives is not known
            return ("opaque", value.WHAT)
        parts = self._parts(value)
        if parts is not None:
            return parts
        if isinstance(value, Enum | type | types.BuiltinFunctionType):
            return ("value", value)
        try:
            key = Freezer().freeze(value)
        except Uncapturable:
            return ("opaque", kind.__name__)
        return ("opaque", kind.__name__) if _has_reference(key) else ("value", value)

    def _parts(self, value: Any) -> Form | None:
        """The form of what has parts; None for all else."""
        kind = type(value)
        listed: Callable[[], Iterable[Any]]
        if isinstance(value, tuple):
            inside = tuple([self._form(each) for each in tuple.__iter__(value)])
            return ("of", kind, -1, inside)
        if isinstance(value, frozenset):
            inside = tuple([self._form(each) for each in in_order(frozenset.__iter__(value))])
            return ("of", frozenset, -1, inside)
        if isinstance(value, bytearray):
            listed = lambda: [("value", bytes(value))]  # noqa: E731
        elif isinstance(value, itertools.count):
            listed = lambda: [("value", parts_of(value))]  # noqa: E731
        elif isinstance(value, set):
            listed = lambda: [self._form(each) for each in in_order(set.__iter__(value))]  # noqa: E731
        elif isinstance(value, list | deque):
            items: Any = list.__iter__ if isinstance(value, list) else deque.__iter__
            most = getattr(value, "maxlen", None)
            bound = {} if most is None else {"maxlen": most}
            listed = lambda: [  # noqa: E731
                *[self._form(each) for each in items(value)],
                *self._attributes({**bound, **attributes_of(value)}.items()),
            ]
        elif isinstance(value, dict):
            listed = lambda: [  # noqa: E731
                *([self._form(value.default_factory)] if isinstance(value, defaultdict) else []),
                *[(self._form(key), self._form(each)) for key, each in dict.items(value)],
                *self._attributes(attributes_of(value).items()),
            ]
        elif isinstance(value, BaseException):
            listed = lambda: [  # noqa: E731
                *[self._form(each) for each in value.args],
                *self._attributes(attributes_of(value).items()),
            ]
        elif is_plain_object(value) and not isinstance(value, Enum) and not _is_ours(kind):
            listed = lambda: self._attributes(attributes_of(value).items())  # noqa: E731
        else:
            return None
        if id(value) in self._numbers:
            return ("again", self._numbers[id(value)])
        number = self._numbers[id(value)] = len(self._numbers)
        self._kept.append(value)
        return ("of", Iterator if kind in _ITERATORS else kind, number, tuple(listed()))

    def _attributes(self, pairs: Iterable[tuple[str, Any]]) -> list[tuple[Form, Form]]:
        return [
            (("value", name), self._form(value))
            for name, value in pairs
            if name not in (ORIGINAL_CLASS, ORIGIN)
        ]

    def _inside(self, stand_in: Any) -> Form:
        """What is in a shared object."""
        heap = self._heap
        number = heap.index_of(stand_in)
        if self._is_beyond(number) or issubclass(type(stand_in), Holder):
            return ("named", heap.name_of(stand_in))
        kind = type(stand_in)
        location: Location | None = None
        if issubclass(kind, SharedContainer | Primitive) or heap.is_made(stand_in):
            location = object.__getattribute__(stand_in, "_location")
        if location is None:  # each attribute, or element, is a location of its own
            parts = [(each.name, self._held(each)) for each in heap.locations_of(number)]
            name = heap.name_of(stand_in)
            own = [(each.removeprefix(name).lstrip("."), value) for each, value in parts]
            return ("of", kind, -1, tuple(self._attributes(own)))
        held = self._held(location)
        if location.is_room and held is not None:
            held = held.contents
        if held is None and location.is_room:
            return ("value", None)
        return self._contents(stand_in, held)

    def _contents(self, stand_in: Any, held: Any) -> Form:
        """What is in a shared object that is one location."""
        kind = type(stand_in)
        if issubclass(kind, Primitive):
            return self._primitive(kind, held)
        if issubclass(kind, SharedContainer):
            return self._form_of_contents(stand_in.build(held))
        return ("of", kind, -1, tuple(self._attributes(held)))

    def _form_of_contents(self, real: Any) -> Form:
        form = self._parts(real)
        assert form is not None
        return (*form[:2], -1, *form[3:])

    def _primitive(self, kind: type[Primitive], state: Any) -> Form:
        """The state of a primitive, with its objects apart."""
        parts: list[Form] = []

        def visit(part: Any, _: str) -> Any:
            parts.append(self._form(part))
            return len(parts) - 1

        rest = kind.visit(state, visit)
        return ("of", kind, -1, (("value", rest), *parts))

    def _held(self, location: Location) -> Any:
        index = location.index
        return self._heap.values[location.initial if index < 0 else self._at(index)]


def _is_bound(function: types.BuiltinMethodType) -> bool:
    """Whether a function in C is a method of an object."""
    return not isinstance(function.__self__, types.ModuleType | types.NoneType)


def _is_ours(kind: type) -> bool:
    """Whether a class of this package stands for something that has no value: a generator, say."""
    return kind.__module__.startswith("interleave.") and kind not in _ITERATORS


def _has_reference(key: object) -> bool:
    """Whether a frozen value refers to a shared object: then it is no constant."""
    if type(key) is not tuple:
        return False
    return (len(key) == 2 and key[0] is Shared) or any(map(_has_reference, key))


def forms_in(part: Any) -> tuple[Form, ...]:
    """The forms of a part: one, or those of a pair."""
    return (part,) if isinstance(part[0], str) else part


def plain_of(picture: Picture) -> object:
    """The value in plain values; what has no such is in words."""
    return _plain(picture.form, picture.inside, frozenset())


def _plain(form: Form, inside: Any, within: frozenset[int]) -> object:
    match form:
        case ("value", value) if type(value) in _PLAIN:
            return value
        case ("shared", place, _) if place not in within:
            return _plain(inside[place][1], inside, within | {place})
        case ("of", kind, _, parts) if kind is list:
            return [_plain(each, inside, within) for each in parts]
        case ("of", kind, _, parts) if kind is tuple:
            return tuple([_plain(each, inside, within) for each in parts])
        case ("of", kind, _, parts) if kind is dict and _has_plain_keys(parts):
            return {key[1]: _plain(each, inside, within) for key, each in parts}
    return Described(_words(form, inside, within))


def _has_plain_keys(parts: tuple[tuple[Form, Form], ...]) -> bool:
    return all(type(key[1]) in _PLAIN for key, _ in parts)


def words_of(picture: Picture) -> str:
    """A value as Python would write it, as far as it can."""
    return _words(picture.form, picture.inside, frozenset())


def _words(form: Form, inside: Any, within: frozenset[int]) -> str:
    match form:
        case ("value", value):
            return show(value)
        case ("shared", place, _) if place not in within:
            contents: Form = inside[place][1]
            return _words(contents, inside, within | {place})
        case ("of", kind, _, parts):
            return _composed(kind, [_part(each, inside, within) for each in parts])
        case ("named", name, *_):
            return str(name)
        case ("opaque", text):
            return f"<{text}>"
    return "..."


def _part(part: Form, inside: Any, within: frozenset[int]) -> tuple[str, ...]:
    return tuple([_words(each, inside, within) for each in forms_in(part)])


_BRACKETS: Mapping[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    OrderedSet: ("{", "}"),
    dict: ("{", "}"),
    frozenset: ("frozenset({", "})"),
}


def _composed(kind: type, parts: list[tuple[str, ...]]) -> str:
    if kind in _BRACKETS:
        opening, closing = _BRACKETS[kind]
        text = ", ".join(": ".join(each) for each in parts)
        return f"{opening}{text}{',' if kind is tuple and len(parts) == 1 else ''}{closing}"
    if kind is Iterator:
        return "<iterator>"
    if kind is Closure:
        return parts[0][0]
    if issubclass(kind, dict):
        items = ", ".join(": ".join(each) for each in parts if len(each) == 2)
        before = [each[0] for each in parts if len(each) == 1]
        return f"{kind.__name__}({', '.join([*before, f'{{{items}}}'])})"
    named = [f"{each[0][1:-1]}={each[1]}" if len(each) == 2 else each[0] for each in parts]
    return f"{kind.__name__}({', '.join(named)})"
