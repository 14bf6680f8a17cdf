"""Finding the shared objects of a model, by following references from the model itself.

`capture` runs `setup` (once for each way its choices can go), walks everything that can be reached
from the model's attributes and from the module's globals that its code uses, and gives every
variable, container, array element and primitive a location, and every location that can ever
change a place in the state tuple.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import re
import types
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, cast

from interleave.compiler import is_user_function
from interleave.compiler.generators import (
    NEW,
    GeneratorState,
    SharedGenerator,
    arguments_of,
    function_of,
)
from interleave.compiler.names import is_followed_class, is_followed_module, is_shared_global
from interleave.compiler.source import find_function
from interleave.compiler.variables import surrounding
from interleave.errors import ModelError, Place
from interleave.memory.aliases import Alias
from interleave.memory.containers import (
    CONTAINERS,
    SharedArray,
    SharedContainer,
    key_that_changes,
)
from interleave.memory.derived import INNER, is_object
from interleave.memory.identity import ThreadId
from interleave.memory.iterators import SharedIterator, parts_of_real
from interleave.memory.partials import partial_of
from interleave.memory.port import Location
from interleave.memory.primitive import Primitive
from interleave.memory.streams import stream_for
from interleave.memory.values import (
    UNBOUND,
    Freezer,
    Shared,
    Uncapturable,
    as_instance,
    attributes_of,
    derives_from_plain,
    is_frozen_dataclass,
    is_plain_object,
    runs_python,
)
from interleave.model import VARIABLES, Model, Param, parameter_as_value
from interleave.program.heap import Heap
from interleave.program.lasting import has_finalizer, keep_alive
from interleave.program.restarts import Written
from interleave.program.setup import Made, class_attributes
from interleave.said import shown_by
from interleave.stdlib import base_for, capturing, derived, primitive_class, unmodelled
from interleave.verbs import Array
from interleave.world import policy
from interleave.world.holders import VariableLocation
from interleave.world.identities import may_be_address
from interleave.world.instances import Inherited, make_stand_in
from interleave.world.policy import Treatment
from interleave.world.refusal import Refused
from interleave.world.snapshot import Snapshot
from interleave.world.world import World, own_attributes


def capture(
    instances: Iterator[Made],
    roots: Mapping[str, Any],
    world: World,
    before: Snapshot,
    *,
    written: frozenset[str],
    assigned: frozenset[str],
    place: Callable[[str], Place | None],
    body: ThreadId | None = None,
    all_change: bool = False,
) -> tuple[Heap, dict[int, Any]]:
    """The heap of a model, and what stands for each real object in it, by id.

    `instances` yields the model after each run of setup; `written` has the keys of locations that
    some code writes, `assigned` the names of attributes; `place` finds an attribute in the source.
    `body` is the thread that is the body of a script or test, if one is.
    With `all_change`, no location is taken for a constant.
    Raises `Written` where setup gives a variable of a module or a class another value than the one
    it had `before`.
    """
    walk = Walk(world, place, written, assigned, {id(value) for value in roots.values()}, body)
    world.begin(walk.heap.add_object)
    contents: list[dict[int, Any]] = []
    at_import = {*_finalizers()}
    for made in instances:
        walk.begin(made.context, made.copies)
        walk.model(made.instance)
        for each in made.started:
            walk.visit(each, type(each).__name__)
        for name, value in roots.items():
            walk.root(name, before.in_place_of(value))
        walk.holders()
        for finish in walk.at_last:
            finish()
        walk.translate()
        if (key := world.rebound_by_setup(before)) is not None:
            raise Written(key)
        contents.append(walk.contents)
        for each in {*_finalizers()} - at_import:
            each.detach()  # what setup has made is gone now, and no part of the model
    walk.heap.reals = walk.alive
    _lay_out(walk.heap, contents, written | assigned, walk.uncapturable, all_change=all_change)
    for stand_in in walk.missed:
        if not walk.heap.is_fixed(stand_in):
            name = walk.heap.name_of(stand_in)
            raise ModelError(
                f"something is to be called when {name} is gone, and no step shows when that is",
                remedy="keep it in an attribute that nothing sets, or leave that out",
                about=name,
                place=place(name),
            )
    return walk.heap, walk.all_known


_CONTAINERS = ("WeakSet.", "WeakKeyDictionary.", "WeakValueDictionary.", "_removeHandlerRef")


def _is_missed(callback: Any) -> bool:
    """Whether something is to be called that matters to a model: not what takes an object out of a
    weak container, of which the model has none, or out of the list of handlers of `logging`.
    """
    return callback is not None and not (
        isinstance(callback, types.FunctionType)
        and callback.__module__ in ("_weakrefset", "logging", "weakref")
        and callback.__qualname__.startswith(_CONTAINERS)
    )


def _finalizers() -> Iterable[weakref.finalize[Any, Any]]:
    """What is to be called when its object is gone."""
    registered: dict[weakref.finalize[Any, Any], Any] = weakref.finalize._registry  # type: ignore[attr-defined]
    return registered


def _lay_out(
    heap: Heap,
    contents: list[dict[int, Any]],
    written: frozenset[str],
    uncapturable: Callable[[object, str], ModelError],
    *,
    all_change: bool,
) -> None:
    absent = heap.values.id_of(None)
    columns = []
    for place, location in enumerate(heap.locations):
        try:
            columns.append(
                [
                    heap.values.id_of(found[place]) if place in found else absent
                    for found in contents
                ]
            )
        except Uncapturable as error:
            raise uncapturable(error.value, location.name) from None
    for location, column in zip(heap.locations, columns, strict=True):
        changes = (
            isinstance(heap.owner(location), Primitive)
            or location.field in written
            or location.key in written
        )
        if all_change and not changes:
            changes = True
            heap.supposed.add(location.key)
        location.initial = column[0] if column else absent
        location.constant = not changes
        location.known = written
        if changes or any(value != location.initial for value in column):
            location.index = len(heap.changing)
            heap.changing.append(location)
    chosen = [columns[location.number] for location in heap.changing]
    rows = zip(*chosen, strict=True) if chosen else [()] * len(contents)
    heap.initial = list(dict.fromkeys(rows))
    heap.captured = tuple(heap.locations)
    heap.found = len(heap.stand_ins)


class Walk:
    """Follows references and gives each object its stand-in.

    Objects are known by the path that first leads to them, so that runs of setup that build the
    same shapes share their stand-ins. Where an attribute that threads write leads to an object, the
    path says something else soon: such an object is known by its class and a number, Node#1.
    """

    def __init__(
        self,
        world: World,
        place: Callable[[str], Place | None],
        written: frozenset[str],
        assigned: frozenset[str],
        roots: set[int],
        body: ThreadId | None,
    ) -> None:
        self.heap = Heap()
        self.body = body
        """The thread that is the body of a script or test, if one is."""
        self._roots = roots
        self._world = world
        self._written = written | assigned
        self._late: dict[str, list[str]] = {}
        """Attributes that some code gives to an object at a path, as far as that is known."""
        for key in sorted(written):
            path, _, name = key.rpartition(".")
            if name.isidentifier():  # else it is a container, a copy of a process, or another fact
                self._late.setdefault(path, []).append(name)
        self._place = place
        self._numbers: dict[tuple[str, object], int] = {}
        self._pinned: dict[int, tuple[str, object]] = {}
        """What roots were known by in the first run of setup."""
        self._is_first = True
        self.all_known: dict[int, Any] = {}
        """What stands for the real objects of the last run of setup, and for all roots."""
        self._of_functions: dict[int, Any] = {}
        """The same for what functions hold: those of each run of setup are functions of their own.
        """
        self._attribute = ""
        self._in_roots = False
        self._refused: dict[int, Refused] = {}
        """What stands for objects that no state can have, by their ids."""
        self.missed: list[Any] = []
        """What something is to be called for when it is gone: see `weakref`."""

    def begin(self, context: contextvars.Context, copies: Mapping[int, Any]) -> None:
        """Start on the next run of setup, which has left behind the values in a context; `copies`
        are those that it was given of objects at other addresses.
        """
        self.context = context
        self.copies = copies
        self.all_known = {**self._of_functions}
        self.contents: dict[int, Any] = {}
        self.known: dict[int, Any] = {}
        self.alive: list[Any] = []
        self._inside: set[Any] = set()
        self._used: set[tuple[str, object]] = set()
        self._numbered: Counter[type] = Counter()
        self._has_addresses = False
        """Whether something was met that may be an address, or have one in it."""
        self.at_last: list[Callable[[], None]] = []
        """What is to be done once everything has been met."""
        self.connections: list[Any] = []
        """Real ends of pipes that were met."""

    def knows(self, fact: str) -> bool:
        """Whether a fact is known that an earlier program has found out."""
        return fact in self._written

    def model(self, instance: Any) -> None:
        self._object(instance, "", attributes_of(instance))

    def root(self, name: str, value: Any) -> Any:
        self._attribute = name
        self._in_roots = True
        found = self.visit(value, name)
        self._in_roots = False
        self.all_known[id(value)] = found
        if isinstance(found, Shared):
            self.heap.roots.add(found._number)
        return found

    def holders(self) -> None:
        """Go on with the variables of modules, classes and cells that some code writes."""
        for variables, real in self._world.holders:  # which grows meanwhile
            for name in variables.wanted:
                shown = variables.prefix + name
                if name not in variables.locations:
                    made = VariableLocation(
                        shown, 0, variables.key_of(name), len(self.heap.locations)
                    )
                    self.heap.locations.append(made)
                    variables.locations[name] = made
                value = real(name)
                number = variables.locations[name].number
                self._attribute = shown
                self.contents[number] = value if value is UNBOUND else self.visit(value, shown)

    def translate(self) -> None:
        """Put numbers in place of addresses, in all that was captured."""
        if not (self._is_first or self._has_addresses):
            return  # no constant has kept what this run of setup has made
        self._is_first = False
        identities = self._world.identities
        for address, copy in self.copies.items():
            self._add_address(address, copy)
        for value in self.alive:
            self._add_address(id(value), value)
        for found in (self.contents, self.all_known) if self._has_addresses else ():
            found.update({key: identities.translated(value) for key, value in found.items()})

    def _add_address(self, address: int, value: Any) -> None:
        stand_in = self.known.get(id(value))
        if isinstance(stand_in, Shared):
            self._world.identities.add(address, value, stand_in._number)

    def visit(self, value: Any, path: str) -> Any:
        """What stands for `value` in a state; a `Refused` for what no state can have, where only a
        global variable leads to it: code may never come to use it.
        """
        value = self.copies.get(id(value), value)  # what the body of the model has as well is one
        if id(value) in self.known:
            return self.known[id(value)]
        try:
            return self._visited(value, path)
        except ModelError as error:
            if not self._in_roots:
                raise
            return self.keep(value, self._refused.setdefault(id(value), Refused(error)))

    def _visited(self, value: Any, path: str) -> Any:
        kind = type(value)
        if kind is Param:
            raise self.uncapturable(value, self._attribute)
        if kind in CONTAINERS:
            return self._container(CONTAINERS[kind], value, path)
        if kind is Array:
            return self._array(value, path)
        if (primitive := primitive_class(value)) is not None:
            self._refuse_more(value, path)
        if (capture_it := capturing(value)) is not None:
            return self._captured(capture_it, value, path)
        if primitive is not None:
            return self._primitive(primitive, value, path)
        if kind is types.GeneratorType:
            return self._generator(value, path)
        if (iterator := parts_of_real(value)) is not None:
            return self._iterator(*iterator, value, path)
        if kind is Alias:
            return self._world.meaning(value, path)
        if (stream := stream_for(value)) is not None:
            return stream
        if isinstance(value, tuple) or is_dataclass(kind):
            return self._compound(value, path)
        if derives_from_plain(kind):
            self._check(value)
            return as_instance(self._class(kind), value)
        if is_object(value) and not isinstance(value, Shared):
            return self._object(value, path, attributes_of(value))
        if isinstance(value, type):
            if is_followed_class(value):
                return self._world.twin(value)
            is_modelled = policy.of_object(value).treatment is Treatment.MODELLED
            return self._world.modelled(value, path) if is_modelled else value
        if isinstance(value, types.ModuleType):
            return self._world.module(value) if is_followed_module(value) else value
        if type(value) is functools.partial:
            return self._captured(_partial, value, path)
        if isinstance(value, types.MethodType | types.BuiltinMethodType | types.MethodWrapperType):
            return self._method(value, path)
        if isinstance(value, types.FunctionType) and is_user_function(value):
            return self._function(value, path)
        if callable(value):
            return self._world.modelled(value, path)
        self._check(value)
        return value

    def _method(self, value: Any, path: str) -> Any:
        """A bound method, of what stands for its object."""
        real: Any = value.__self__
        if real is None or isinstance(real, types.ModuleType) or _is_of_modelled_module(real):
            return self._world.modelled(value, path)  # a function of a module
        owner = self.visit(real, path)
        function = value.__func__ if isinstance(value, types.MethodType) else None
        if isinstance(function, types.FunctionType) and is_user_function(function):
            return types.MethodType(self._function(function, path), owner)
        try:
            return getattr(owner, value.__name__)
        except AttributeError:
            raise ModelError(
                f"{path} is the method {value.__name__} of a {type(real).__name__}, which has no "
                "modelled counterpart",
                remedy="keep the object itself, and use what its documentation names",
                about=path,
            ) from None

    def _generator(self, value: types.GeneratorType[Any, Any, Any], path: str) -> Any:
        """One that has not begun: a function, and what it was given."""
        function = function_of(value)
        if function is None or not is_user_function(function) or find_function(function) is None:
            raise self.uncapturable(value, self._attribute)
        stand_in = self.stand_in(
            (path, SharedGenerator),
            lambda number: SharedGenerator(number, self.location(path, number)),
            value,
        )
        given = [
            (name, self.visit(part, f"{path}.{name}"))
            for name, part in zip(("args", "kwargs"), arguments_of(value), strict=True)
        ]
        state = GeneratorState(self._function(function, path), NEW, tuple(given))
        self.contents[stand_in._location.number] = state
        return stand_in

    def _iterator(self, kind: type, parts: tuple[Any, ...], value: Any, path: str) -> Any:
        stand_in = self.stand_in(
            (path, (SharedIterator, kind)),
            lambda number: SharedIterator(number, self.location(path, number), kind),
            value,
        )
        self.contents[stand_in._location.number] = self.visit(parts, path)
        return stand_in

    def _function(self, value: types.FunctionType, path: str) -> Any:
        self.heap.functions[value] = None
        copy = self._world.copy(value)
        if copy in self._inside:
            return copy
        self._inside.add(copy)
        self.alive.append(value)
        for name, inside in _held(value):
            is_function = isinstance(inside, types.FunctionType) and is_user_function(inside)
            if is_function or is_shared_global(inside) or isinstance(inside, Model):
                found = self.visit(inside, f"{surrounding(value)}.{name}")
                self._of_functions[id(inside)] = self.all_known[id(inside)] = found
        return copy

    def _check(self, value: Any) -> None:
        self._has_addresses = self._has_addresses or may_be_address(value)
        try:
            Freezer().freeze(value)
        except Uncapturable as error:
            raise self.uncapturable(error.value, self._attribute) from None

    def uncapturable(self, value: object, variable: str) -> ModelError:
        """What to say where a variable has a value that no state can have."""
        if isinstance(value, Param):
            return parameter_as_value(value, place=self._place(variable))
        kind = type(value)
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        article = "an" if name[0].lower() in "aeiou" else "a"
        return ModelError(
            f"shared variable {variable!r} holds {article} {name}, which cannot be part of a state",
            remedy="keep numbers, strings, None, enums, tuples, frozen dataclasses, lists, dicts, "
            "sets, deques or modelled primitives in shared variables",
            place=self._place(variable),
        )

    def _compound(self, value: Any, path: str) -> Any:
        """A tuple or dataclass, which is itself a value, with stand-ins for what is inside."""
        kind = type(value)
        if isinstance(value, tuple):
            parts = enumerate(tuple.__iter__(value))
            items = [self.visit(item, f"{path}[{i}]") for i, item in parts]
            if kind is tuple:
                return tuple(items)
            if attributes_of(value):
                raise self.uncapturable(value, self._attribute)
            made: Any = tuple.__new__(self._class(kind), items)
        elif is_frozen_dataclass(kind):
            made = object.__new__(self._class(kind))
            for f in fields(kind):
                inside = self.visit(getattr(value, f.name), f"{path}.{f.name}")
                object.__setattr__(made, f.name, inside)
        else:
            return self._object(value, path, attributes_of(value))
        self._check(made)
        return made

    def _class(self, kind: type) -> type:
        return self._world.twin(kind) if is_followed_class(kind) else kind

    def _container(self, cls: type[SharedContainer], value: Any, path: str) -> Any:
        found = () if isinstance(value, dict) else self._contents(cls, value)
        options = tuple(
            self.visit(each, path) if callable(each) else each for each in cls.options(value)
        )
        stand_in = self.stand_in(
            (path, (cls, options)),
            lambda number: cls(number, self.location(path, number), options),
            value,
        )
        for key in value if isinstance(value, dict | set | frozenset) else ():
            self._check_key(key)
        if isinstance(value, dict):
            contents = tuple(
                (self.visit(key, f"{path}.key"), self.visit(item, f"{path}[{_shown(key, place)}]"))
                for place, (key, item) in enumerate(value.items())
            )
        else:
            items = (self.visit(item, f"{path}[{place}]") for place, item in enumerate(found))
            contents = type(found)(items)  # a tuple, or a bag
        self.contents[stand_in._location.number] = contents
        self._warn_if_one_primitive([*value.values()] if isinstance(value, dict) else found, path)
        return stand_in

    def _check_key(self, key: Any) -> None:
        """Refuse a key whose hash is worked out from attributes that are shared."""
        kind = type(key)
        is_shared = is_plain_object(key) and not is_frozen_dataclass(kind)
        if is_shared and runs_python(key):
            error = key_that_changes(f"shared variable {self._attribute!r}", kind)
            raise error.at(self._place(self._attribute))

    def _contents(self, cls: type[SharedContainer], value: Any) -> tuple[Any, ...]:
        try:
            return cls.contents(value)
        except ModelError as error:  # a set of what has no order
            raise error.at(self._place(self._attribute)) from None

    def _warn_if_one_primitive(self, items: Sequence[Any], path: str) -> None:
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

    def _refuse_more(self, value: Any, path: str) -> None:
        """Refuse attributes that a lock, a queue, ... has been given: no state has them."""
        own = {name for name in getattr(value, "__dict__", ()) if name[0] != "_"}
        if more := own - _names_in(cast(Any, type(value))):
            raise ModelError(
                f"{path} has been given an attribute {min(more)!r}",
                remedy="keep it in an attribute of the model, or of an object of your own",
                place=self._place(self._attribute),
            )

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
        made = self._world.stand_in_class(cls)
        stand_in = self.stand_in(
            (path, cls), lambda number: make_stand_in(made, number, path), value
        )
        bases = (found for each in cls.__mro__ if (found := base_for(each)) is not None)
        if (derives_from := next(bases, None)) is not None:
            attributes = derives_from.taken_over(self, value, path)
        of_class = self._world.variables_of(cls)
        if isinstance(value, Model):
            attributes = {
                name: item
                for name, item in attributes.items()
                if name not in of_class or item is not getattr(cls, name, UNBOUND)
            }
            for name in sorted(vars(cls).get(VARIABLES, ())):
                attributes.setdefault(name, UNBOUND)
        elif derives_from is None or not derives_from.is_all:
            inherited = class_attributes(cls).items()
            of_its_class = {
                name: Inherited(item) for name, item in inherited if name not in of_class
            }
            attributes = {**of_its_class, **attributes}
        late = self._late.get(path, ())
        attributes.update({name: UNBOUND for name in late if name not in attributes})
        if any(_is_missed(reference.__callback__) for reference in weakref.getweakrefs(value)):
            self.missed.append(stand_in)
        self._fill(stand_in, path, attributes)
        return stand_in

    def in_place(self, cls: type, value: Any, path: str, attributes: dict[str, Any]) -> Any:
        """An instance of a class of this package in place of `value`, with these attributes."""
        made = self._world.stand_in_class(cls)
        stand_in = self.stand_in(
            (path, cls), lambda number: make_stand_in(made, number, path), value
        )
        self._fill(stand_in, path, attributes)
        return stand_in

    def _fill(self, stand_in: Any, path: str, attributes: dict[str, Any]) -> None:
        """Give what stands for an object its attributes."""
        locations: dict[str, Location] = object.__getattribute__(stand_in, "_locations")
        number: int = object.__getattribute__(stand_in, "_number")
        for name, item in attributes.items():
            inner = f"{path}.{name}" if path and name not in INNER else path or name
            if not path:
                self._attribute = name
            if name not in locations:
                locations[name] = self.location(inner, number, field=name)
            self.contents[locations[name].number] = self._held(inner, name, item)

    def _held(self, path: str, attribute: str, value: Any) -> Any:
        """What is at the location of an attribute, which is at a path now."""
        if value is UNBOUND:
            return value
        if type(value) is Inherited:
            return Inherited(self._held(path, attribute, value.value))
        return self.visit(value, self._path(path, attribute, value))

    def _path(self, path: str, attribute: str, value: Any) -> str:
        """What to know the value of an attribute by, which is at a path now."""
        kind = type(value)
        moves = attribute in self._written or path in self._written
        # An array, a lock or a channel keeps its name, by which it may be known to be written.
        is_ordinary = is_object(value) and kind is not Array and primitive_class(value) is None
        if not moves or id(value) in self.known or not is_ordinary:
            return path
        self._numbered[kind] += 1
        return f"{kind.__name__}#{self._numbered[kind]}"

    def keep(self, value: Any, made: Any) -> Any:
        """Have something stand for an object, until the next run of setup."""
        self.known[id(value)] = made
        self.alive.append(value)
        return made

    def stand_in(self, key: tuple[str, object], make: Callable[[int], Any], value: Any) -> Any:
        key = self._pinned.get(id(value), key)
        while key in self._used:
            key = (key[0] + "'", key[1])
        self._used.add(key)
        if id(value) in self._roots:
            self._pinned[id(value)] = key
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.heap.stand_ins)
            self.heap.stand_ins.append(None)
            self.heap.names.append(key[0])
            self.heap.stand_ins[number] = make(number)
        stand_in = self.heap.stand_ins[number]
        self.known[id(value)] = self.all_known[id(value)] = stand_in
        self.alive.append(value)
        if policy.is_followed(type(value)) and has_finalizer(type(value)):
            keep_alive(value)
        return stand_in

    def location(self, name: str, owner: int, *, field: object = None, group: str = "") -> Location:
        location = Location(name, owner, field, group, len(self.heap.locations))
        self.heap.locations.append(location)
        return location


def _shown(key: object, place: int) -> str:
    """A key in words; its place, where it may be an address, which is another one in each run."""
    shown = shown_by(key)
    return f"#{place}" if type(key) is not str and _LIKE_AN_ADDRESS.search(shown) else shown


_LIKE_AN_ADDRESS = re.compile(r"\d{11,}")


@functools.cache
def _names_in(cls: Any) -> frozenset[str]:
    """The names of attributes that the code of a class uses."""
    members = (member for base in cls.__mro__ for member in vars(base).values())
    return frozenset(
        name
        for member in members
        if isinstance(member, types.FunctionType)
        for name in member.__code__.co_names
    )


def _partial(walk: Walk, value: functools.partial[Any], path: str) -> Any:
    parts = walk.visit((value.func, value.args, *value.keywords.items()), path)
    return walk.keep(value, partial_of(value, *parts))


def _held(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function holds, with names: variables of its surroundings, defaults, attributes."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        with contextlib.suppress(ValueError):  # not bound yet
            if name != "__class__":
                yield name, cell.cell_contents
    for default in function.__defaults__ or ():
        yield "defaults", default
    yield from (function.__kwdefaults__ or {}).items()
    yield from own_attributes(function).items()


def _is_of_modelled_module(value: object) -> bool:
    """Whether an object is what a modelled module keeps its functions in, and no primitive of it.

    `multiprocessing.Lock` is a method of such an object.
    """
    treatment = policy.of_class(type(value)).treatment
    is_taken = primitive_class(value) is not None or capturing(value) is not None
    return treatment is Treatment.MODELLED and not is_taken
