"""Finding the shared objects of a model, by following references from the model itself.

`capture` runs `setup` (once for each way its choices can go), walks everything that can be reached
from the model's attributes and from the module's globals that its code uses, and gives every
variable, container, array element and primitive a location, and every location that can ever
change a place in the state tuple.
"""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from interleave.compiler import is_user_function
from interleave.errors import ModelError, Place
from interleave.memory.containers import CONTAINERS, SharedArray, SharedContainer
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.memory.values import Freezer, Shared, Uncapturable, attributes_of, is_plain_object
from interleave.model import Model
from interleave.program.heap import Heap
from interleave.program.objects import Resolver, make_stand_in, stand_in_class
from interleave.program.setup import class_attributes
from interleave.stdlib import capturing, derived, primitive_class, unmodelled
from interleave.verbs import Array
from interleave.world import policy
from interleave.world.policy import Treatment


def capture(
    instances: Iterator[Any],
    globals_: Mapping[str, Any],
    *,
    resolve: Resolver,
    written: frozenset[str],
    place: Callable[[str], Place | None],
) -> tuple[Heap, dict[str, Any]]:
    """The heap of a model, and what its globals stand for.

    `instances` yields the model after each run of setup; `written` has the names of attributes and
    the keys of locations that some code writes; `place` finds an attribute in the source.
    """
    walk = Walk(resolve, place, written)
    seen_globals: dict[str, Any] = {}
    contents: list[dict[int, Any]] = []
    for instance in instances:
        walk.begin()
        walk.model(instance)
        for name, value in globals_.items():
            seen_globals[name] = walk.root(name, value)
        contents.append(walk.contents)
    _lay_out(walk.heap, contents, written)
    return walk.heap, seen_globals


def _lay_out(heap: Heap, contents: list[dict[int, Any]], written: frozenset[str]) -> None:
    absent = heap.values.id_of(None)
    columns = [
        [heap.values.id_of(found[place]) if place in found else absent for found in contents]
        for place in range(len(heap.locations))
    ]
    for location, column in zip(heap.locations, columns, strict=True):
        changes = (
            isinstance(heap.owner(location), Primitive)
            or location.field in written
            or location.key in written
        )
        location.initial = column[0] if column else absent
        location.constant = not changes
        location.known = written
        if changes or any(value != location.initial for value in column):
            location.index = len(heap.changing)
            heap.changing.append(location)
    chosen = [columns[heap.locations.index(location)] for location in heap.changing]
    rows = zip(*chosen, strict=True) if chosen else [()] * len(contents)
    heap.initial = list(dict.fromkeys(rows))


class Walk:
    """Follows references and gives each object its stand-in.

    Objects are known by the path that first leads to them, so that runs of setup that build the
    same shapes share their stand-ins. Where an attribute that threads write leads to an object, the
    path says something else soon: such an object is known by its class and a number, Node#1.
    """

    def __init__(
        self,
        resolve: Resolver,
        place: Callable[[str], Place | None],
        written: frozenset[str],
    ) -> None:
        self.heap = Heap()
        self._written = written
        self._resolve = resolve
        self._place = place
        self._numbers: dict[tuple[str, object], int] = {}
        self._classes: dict[type, type] = {}
        self._attribute = ""

    def begin(self) -> None:
        """Start on the next run of setup."""
        self.contents: dict[int, Any] = {}
        self.known: dict[int, Any] = {}
        self._alive: list[Any] = []
        self._used: set[tuple[str, object]] = set()
        self._numbered: Counter[type] = Counter()
        self.connections: list[Any] = []
        """Real ends of pipes that were met."""

    def model(self, instance: Any) -> None:
        self._object(instance, "", attributes_of(instance))

    def root(self, name: str, value: Any) -> Any:
        self._attribute = name
        return self.visit(value, name)

    def visit(self, value: Any, path: str) -> Any:
        """What stands for `value` in a state."""
        if id(value) in self.known:
            return self.known[id(value)]
        kind = type(value)
        if kind in CONTAINERS:
            return self._container(CONTAINERS[kind], value, path)
        if kind is Array:
            return self._array(value, path)
        if (capture_it := capturing(value)) is not None:
            return self._captured(capture_it, value, path)
        if (primitive := primitive_class(value)) is not None:
            return self._primitive(primitive, value, path)
        if isinstance(value, tuple) or is_dataclass(kind):
            return self._compound(value, path)
        if is_plain_object(value) and not isinstance(value, Shared):
            return self._object(value, path, attributes_of(value))
        function = value.__func__ if isinstance(value, types.MethodType) else value
        if isinstance(function, types.FunctionType) and is_user_function(function):
            self.heap.functions[function] = None
        if isinstance(value, types.MethodType):
            owner = self.visit(value.__self__, path)
            if function in self.heap.functions:
                return types.MethodType(self._resolve(value.__func__), owner)  # type: ignore[arg-type]
            return getattr(owner, value.__name__)
        self._check(value)
        return self._resolve(value) if is_user_function(value) else value

    def _check(self, value: Any) -> None:
        try:
            Freezer().freeze(value)
        except Uncapturable as error:
            raise self._uncapturable(error.value) from None

    def _uncapturable(self, value: object) -> ModelError:
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        article = "an" if name[0].lower() in "aeiou" else "a"
        return ModelError(
            f"shared variable {self._attribute!r} holds {article} {name}, "
            "which cannot be part of a state",
            remedy="keep numbers, strings, None, enums, tuples, frozen dataclasses, lists, dicts, "
            "sets, deques or modelled primitives in shared variables",
            place=self._place(self._attribute),
        )

    def _compound(self, value: Any, path: str) -> Any:
        """A tuple or dataclass, which is itself a value, with stand-ins for what is inside."""
        kind = type(value)
        if isinstance(value, tuple):
            items = [self.visit(item, f"{path}[{i}]") for i, item in enumerate(value)]
            if kind is tuple:
                return tuple(items)
            made = tuple.__new__(kind, items)
        elif kind.__dataclass_params__.frozen:
            made = object.__new__(kind)
            for f in fields(kind):
                inside = self.visit(getattr(value, f.name), f"{path}.{f.name}")
                object.__setattr__(made, f.name, inside)
        else:
            return self._object(value, path, attributes_of(value))
        self._check(made)
        return made

    def _container(self, cls: type[SharedContainer], value: Any, path: str) -> Any:
        options = cls.options(value)
        stand_in = self.stand_in(
            (path, (cls, options)),
            lambda number: cls(number, self.location(path, number), options),
            value,
        )
        if isinstance(value, dict):
            contents = tuple(
                (self.visit(key, f"{path}.key"), self.visit(item, f"{path}[{key!r}]"))
                for key, item in value.items()
            )
        else:
            contents = tuple(
                self.visit(item, f"{path}[{place}]")
                for place, item in enumerate(self._contents(cls, value))
            )
        self.contents[stand_in._location.number] = contents
        self._warn_if_one_primitive(value, path)
        return stand_in

    def _contents(self, cls: type[SharedContainer], value: Any) -> tuple[Any, ...]:
        try:
            return cls.contents(value)
        except ModelError as error:  # a set of what has no order
            raise error.at(self._place(self._attribute)) from None

    def _warn_if_one_primitive(self, value: Any, path: str) -> None:
        items = list(value.values()) if isinstance(value, dict) else list(value)
        first = primitive_class(items[0]) if len(items) > 1 else None
        if first is not None and all(item is items[0] for item in items):
            warning = (
                f"{path} holds one {first.__name__} {len(items)} times, not {len(items)} of them: "
                f"write [{first.__name__}() for _ in range({len(items)})] in setup"
            )
            if warning not in self.heap.warnings:
                self.heap.warnings.append(warning)

    def _array(self, value: Array[Any], path: str) -> Any:
        items = list(value)
        stand_in = self.stand_in(
            (path, (Array, len(items))),
            lambda number: SharedArray(
                number,
                tuple(self.location(f"{path}[{i}]", number, group=path) for i in range(len(items))),
            ),
            value,
        )
        for i, item in enumerate(items):
            self.contents[stand_in._locations[i].number] = self.visit(item, f"{path}[{i}]")
        self._warn_if_one_primitive(items, path)
        return stand_in

    def _primitive(self, cls: type[Primitive], value: Any, path: str) -> Any:
        try:
            initial = cls.initial(value)
        except ModelError as error:
            raise error.at(self._place(self._attribute)) from None
        stand_in = self.stand_in(
            (path, cls), lambda number: cls(number, self.location(path, number)), value
        )
        self.contents[stand_in._location.number] = cls.visit(
            initial, lambda part, name: self.visit(part, path + name)
        )
        return stand_in

    def _captured(self, capture_it: Callable[..., Any], value: Any, path: str) -> Any:
        try:
            return capture_it(self, value, path)
        except ModelError as error:
            raise error.at(self._place(self._attribute)) from None

    def _object(self, value: Any, path: str, attributes: dict[str, Any]) -> Any:
        cls = type(value)
        decision = policy.of_class(cls)
        if decision.treatment not in (Treatment.PURE, Treatment.FOLLOWED):
            raise unmodelled(decision.name, decision).at(self._place(self._attribute))
        if (base := derived(cls)) is not None:
            raise ModelError(
                f"shared variable {self._attribute!r} holds a {cls.__name__}, which derives from "
                f"{base}",
                remedy=f"use {base} as it is, and write what {cls.__name__} does in methods of the "
                "model",
                place=self._place(self._attribute),
            )
        if cls not in self._classes:
            self._classes[cls] = stand_in_class(cls, self._resolve)
        if not isinstance(value, Model):
            attributes = {**class_attributes(cls), **attributes}
        stand_in = self.stand_in(
            (path, cls), lambda number: make_stand_in(self._classes[cls], number, {}), value
        )
        locations: dict[str, Location] = object.__getattribute__(stand_in, "_locations")
        number: int = object.__getattribute__(stand_in, "_number")
        for name, item in attributes.items():
            inner = f"{path}.{name}" if path else name
            if not path:
                self._attribute = name
            if name not in locations:
                locations[name] = self.location(inner, number, field=name)
            self.contents[locations[name].number] = self.visit(item, self._path(inner, name, item))
        return stand_in

    def _path(self, path: str, attribute: str, value: Any) -> str:
        """What to know the value of an attribute by, which is at a path now."""
        kind = type(value)
        moves = attribute in self._written or path in self._written
        # An array, a lock or a channel keeps its name, by which it may be known to be written.
        is_ordinary = (
            is_plain_object(value) and kind is not Array and primitive_class(value) is None
        )
        if not moves or id(value) in self.known or not is_ordinary:
            return path
        self._numbered[kind] += 1
        return f"{kind.__name__}#{self._numbered[kind]}"

    def stand_in(self, key: tuple[str, object], make: Callable[[int], Any], value: Any) -> Any:
        while key in self._used:
            key = (key[0] + "'", key[1])
        self._used.add(key)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.heap.stand_ins)
            self.heap.stand_ins.append(None)
            self.heap.names.append(key[0])
            self.heap.stand_ins[number] = make(number)
        stand_in = self.heap.stand_ins[number]
        self.known[id(value)] = stand_in
        self._alive.append(value)
        return stand_in

    def location(self, name: str, owner: int, *, field: object = None, group: str = "") -> Location:
        location = Location(name, owner, field, group, len(self.heap.locations))
        self.heap.locations.append(location)
        return location
