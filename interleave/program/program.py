"""A model made ready to run: its threads, its properties, its heap, and what its names mean."""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import itertools
import re
import sys
import types
from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from interleave import stdlib
from interleave.compiler import Code, compile_function, is_user_function
from interleave.compiler.names import (
    Surroundings,
    bound_names,
    evaluated_nodes,
    inner_names,
    is_shared_global,
    is_user_class,
    nodes_with_defaults,
    scope_walk,
)
from interleave.compiler.source import find_function, place_of_function
from interleave.errors import InterleaveError, ModelError, Place
from interleave.memory.closures import Closure
from interleave.memory.coroutine import Coroutine
from interleave.memory.made import MadeObject
from interleave.memory.primitive import STEPWISE_NAMES
from interleave.memory.values import OrderedFrozenSet, is_plain_object, mangle
from interleave.model import NOTE, RUNTIMES, Model, Param, PropertyNote, ThreadNote
from interleave.program import tasks
from interleave.program.heap import RoomOwner, capture
from interleave.program.misuse import refuse_init, refuse_silence
from interleave.program.objects import stand_in_class
from interleave.program.processes import Space, private_copies, share_pipes
from interleave.program.rooms import RoomKey
from interleave.program.setup import class_attributes, initial_instances
from interleave.records import dataclass
from interleave.stdlib.threads import DAEMON, Worker

LARGEST_COUNT = 1000
"""Instances of one thread at most: beyond this it is a slip of the pen."""


SETTINGS = {
    "PIPE_CAPACITY": ("how many messages a pipe of multiprocessing holds", 1),
    "SPURIOUS_WAKEUPS": ("how many waits on each threading.Condition end without a notify", 0),
}
"""Attributes by which a model says how something is to be modelled: what they mean, the least."""


@dataclass(frozen=True)
class ThreadInstance:
    """One thread: `name` as reports show it, `arguments` what follows `self`."""

    number: int
    name: str
    method: str
    index: int
    function: types.FunctionType
    arguments: tuple[int, ...]
    daemon: bool
    room: Any = None
    """The modelled `Thread`, for one that a running thread makes."""
    process: str = ""
    """The process that it runs in, where that is not the one of the model itself."""
    kind: str = "thread"
    """What it is: "thread", "process", "task", or "loop" for what stands for the event loop."""
    task: Any = None
    """The modelled `Task`, for a task."""


@dataclass(frozen=True)
class Property:
    """An invariant or a postcondition."""

    name: str
    kind: str
    function: types.FunctionType


class _Refused:
    """Stands for a name that has no modelled counterpart, in code that may never run."""

    def __init__(self, error: InterleaveError) -> None:
        self._error = error

    def __getattr__(self, _: str) -> Any:
        raise self._error

    def __call__(self, *_: object, **__: object) -> Any:
        raise self._error


class Program:
    """Everything a machine needs to know of one model with given parameters.

    `written` names what was found out to be written while running (see `heap.Written`).
    """

    def __init__(
        self,
        model: type[Model],
        parameters: dict[str, object],
        written: frozenset[str] = frozenset(),
        runtime: str = RUNTIMES[0],
        rooms: Mapping[RoomKey, int] = MappingProxyType({}),
        object_rooms: Mapping[RoomOwner, int] = MappingProxyType({}),
    ) -> None:
        self.model = model
        self.runtime = runtime
        self.rooms: list[tuple[RoomKey, Any]] = []
        """The modelled `Thread` objects, and who makes them."""
        self.parameters = parameters
        self.written = written
        self.threads: list[ThreadInstance] = []
        self.main: int | None = None
        """The goroutine named main."""
        self.properties: list[Property] = []
        self._codes: dict[types.FunctionType, Code] = {}
        self._copies: dict[types.FunctionType, types.FunctionType] = {}
        self._originals: dict[types.FunctionType, types.FunctionType] = {}
        self._shared_globals: dict[int, Any] = {}
        self._made_classes: dict[type, type] = {}
        self._read_notes()
        reachable, self.method_names = _reachable_functions(self.model, self._entries())
        self.method_names |= STEPWISE_NAMES
        if runtime == "go":
            self.method_names |= _fields_set(reachable, self.model)
        globals_ = _shared_globals(reachable)
        self.heap, found = capture(
            initial_instances(self.model, self.parameters, place_of_function),
            globals_,
            resolve=self._copy,
            written=self.written | self._written_by(self._entries(processes=False)),
            place=self._place_of_attribute,
        )
        self.spaces = self._spaces()
        alone = all(thread.process for thread in self.threads)
        self.settings = {name: self._setting(name) for name in SETTINGS}
        """How things are to be modelled, as the model says; None where it does not."""
        capacity = self.settings["PIPE_CAPACITY"]
        self._left = share_pipes(self.heap, [*self.spaces], capacity, alone=alone)
        self._shared_globals = {id(globals_[name]): found[name] for name in globals_}
        self.stand_in = self.heap.stand_ins[0]
        self.thread_local = [each for each in self.heap.stand_ins if hasattr(type(each), "forget")]
        """Shared objects that keep something for each thread, which goes when the thread ends."""
        self._fill_copies()
        self.loop: Any = tasks.add_loop(self) if tasks.has_tasks(self.threads) else None
        """The modelled event loop, where there are tasks."""
        self._add_rooms(rooms)
        self._add_object_rooms(object_rooms)
        self.has_threads = any(each.kind == "thread" for each in self.threads)
        """Whether there are others than tasks, which may run while a task does."""
        self.over = self.heap.add_location("", 0, value=False) if runtime == "go" else None
        """Whether the program has ended although threads have not, where it can."""
        for entry in self.threads:
            self.code(entry.function)

    # Threads and properties

    def _read_notes(self) -> None:
        refuse_init(self.model)
        for name, function in _methods(self.model).items():
            note = getattr(function, NOTE, None)
            if isinstance(note, ThreadNote):
                self._add_threads(name, function, note)
            elif isinstance(note, PropertyNote):
                if len(inspect.signature(function).parameters) != 1:
                    raise ModelError(
                        f"the {note.kind} {name} takes parameters besides self",
                        remedy=f"write `def {name}(self):`",
                        place=place_of_function(function),
                    )
                refuse_silence(note.kind, function)
                self.properties.append(Property(name, note.kind, function))
        if not self.threads:
            raise ModelError(
                f"model {self.model.__name__} has no threads",
                remedy="mark a method as a thread: @thread above `def ...(self):`",
                place=_place_of_class(self.model),
            )

    def _add_threads(self, name: str, function: types.FunctionType, note: ThreadNote) -> None:
        count = self._count(note.count, function)
        if note.kind == "goroutine":
            self._check_goroutine(name, function, count, daemon=note.daemon)
        wanted = len(inspect.signature(function).parameters) - 1
        if wanted not in (0, 1):
            raise ModelError(
                f"thread {name} must take `self`, or `self` and its instance index",
                remedy=f"write `def {name}(self):` or `def {name}(self, i):`",
                place=place_of_function(function),
            )
        if (note.kind == "task") != inspect.iscoroutinefunction(function):
            raise _wrong_kind(name, note, function)
        for index in range(count):
            shown = f"{name}[{index}]" if count > 1 else name
            arguments = (index,) if wanted else ()
            process = shown if note.kind == "process" else ""
            if note.kind == "goroutine" and name == "main":
                self.main = len(self.threads)
            self.threads.append(
                ThreadInstance(
                    len(self.threads),
                    shown,
                    name,
                    index,
                    function,
                    arguments,
                    note.daemon,
                    process=process,
                    kind=note.kind,
                )
            )

    def _check_goroutine(
        self, name: str, function: types.FunctionType, count: int, *, daemon: bool
    ) -> None:
        if self.runtime != "go":
            raise ModelError(
                f"model {self.model.__name__} has goroutines and threads",
                remedy="mark all of them with @goroutine, or none",
                place=place_of_function(function),
            )
        if name == "main" and (count != 1 or daemon):
            raise ModelError(
                "main is not one goroutine that ends the program",
                remedy="write @goroutine above it, without arguments; or give it another name",
                place=place_of_function(function),
            )

    def _add_rooms(self, rooms: Mapping[RoomKey, int]) -> None:
        """Add the threads that running threads make: those of each maker in turn.

        Pools are no threads, and come last.
        """
        made: Counter[str] = Counter()
        makers = [thread.name for thread in self.threads]
        makers += dict.fromkeys(key.maker for key in rooms if issubclass(key.kind, Worker))
        for maker in makers:  # which grows meanwhile
            for key, count in rooms.items():
                for _ in range(count if key.maker == maker else 0):
                    makers.append(self._add_room(key, made))

    def _add_object_rooms(self, rooms: Mapping[RoomOwner, int]) -> None:
        """Make room for the objects that threads make: those of each maker in turn."""
        makers = [thread.name for thread in self.threads]
        taken = Counter(location.name for location in self.heap.locations)
        taken.update(variable for variable, _ in {(key.variable, key.maker) for key in rooms})
        numbers: Counter[str] = Counter()
        in_order = sorted(
            rooms, key=lambda key: (makers.index(key.maker), key.variable, key.primitive)
        )
        for key in in_order:
            # Called by its variable, where that says enough.
            shared = taken[key.variable] > 1
            name = f"{key.maker}.{key.variable}" if shared else key.variable
            for _ in range(rooms[key]):
                called = name if key.variable else f"{key.maker}#"
                numbers[called] += 1
                number = numbers[called]
                if not key.variable:
                    called += str(number)
                elif number > 1:
                    called += f"#{number}"
                self.heap.add_room(called, key)
        for room in self.heap.rooms:
            room.location.known = self.written
            if self.runtime == "go":
                room.location.varying = self.written | self._written_by(self._entries())

    def made_class(self, cls: type) -> type:
        """The class of the stand-ins for instances of `cls` that threads make and share."""
        if cls not in self._made_classes:
            self._made_classes[cls] = stand_in_class(cls, self._copy, MadeObject)
            self._fill_copies()
        return self._made_classes[cls]

    def _add_room(self, key: RoomKey, made: Counter[str]) -> str:
        """Make room for one more thread, and give its name."""
        method = key.label or key.function.__name__
        made[method] += 1
        name = f"{method}-{made[method]}"
        number = len(self.threads)
        is_task = key.kind.noun == "task"
        if is_task:
            room = tasks.add_task(self, name, number)
        else:
            room = self.heap.add(name, key.kind)
            room.location.known = self.written
            room.runs, room.default_name = number, name
            room.daemon_room = key.daemon or room.keeps(DAEMON)
        self.rooms.append((key, room))
        self.threads.append(
            ThreadInstance(
                number,
                name,
                name,
                0,
                key.function,
                (),
                key.daemon if is_task else room.daemon_room,
                room,
                key.process,
                key.kind.noun,
                room if is_task else None,
            )
        )
        return name

    def rooms_of(self, key: RoomKey) -> list[Any]:
        """The modelled `Thread` objects that one thread can make to run one function."""
        return [room for each, room in self.rooms if each == key]

    def _setting(self, name: str) -> int | None:
        """A number by which the model says how something is to be modelled."""
        meaning, least = SETTINGS[name]
        found = self.parameters.get(name, getattr(self.model, name, None))
        if found is None or (type(found) is int and found >= least):
            return found
        raise ModelError(
            f"{name} is {found!r}",
            remedy=f"it is {meaning}: a whole number from {least}",
            place=self._place_of_attribute(name),
        )

    def entry(self, thread: ThreadInstance) -> tuple[types.FunctionType, tuple[Any, ...]]:
        """The function that a thread runs, and what follows `self`."""
        if not (thread.process and self._left):
            return thread.function, thread.arguments
        from interleave.stdlib.multiprocessing.queues import leaving

        run = getattr(self.stand_in, thread.method)
        function: types.FunctionType = leaving  # type: ignore[assignment]
        return function, (run, thread.arguments, self._left)

    def _count(self, count: int | Param, function: types.FunctionType) -> int:
        value = self.parameters[count.name] if isinstance(count, Param) else count
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
            raise ModelError(
                f"thread {function.__name__} has {value!r} instances",
                remedy=f"give a whole number from 0 to {LARGEST_COUNT}",
                place=place_of_function(function),
            )
        return value

    def _entries(self, *, processes: bool = True) -> list[types.FunctionType]:
        """What can run: threads, processes if wanted, and properties."""
        threads = [thread for thread in self.threads if processes or not thread.process]
        functions = dict.fromkeys(thread.function for thread in threads)
        return [*functions, *[each.function for each in self.properties]]

    def _written_by(self, entries: list[types.FunctionType]) -> frozenset[str]:
        return _written_attributes(_reachable_functions(self.model, entries)[0])

    def _spaces(self) -> dict[str, Space]:
        """What locations stand for in each process."""
        running = [thread for thread in self.threads if thread.process]
        fields = {each.function: self._written_by([each.function]) for each in running}
        return {
            each.process: private_copies(
                self.heap, each.process, fields[each.function], self.written
            )
            for each in running
        }

    def thread_number(self, method: str, index: int | None) -> list[int]:
        """The threads that `finished(method, index)` asks about. Raises `ModelError` if none."""
        found = [t for t in self.threads if t.method == method and index in (None, t.index)]
        if not found:
            known = ", ".join(dict.fromkeys(t.method for t in self.threads))
            which = method if index is None else f"{method}[{index}]"
            raise ModelError(f"there is no thread {which}", remedy=f"the threads are {known}")
        return [thread.number for thread in found]

    @property
    def awaited(self) -> list[int]:
        """The threads that have ended in every final state, if nothing ends the program before.

        Of goroutines that is `main`, if there is one; else all but daemons.
        """
        if self.main is not None:
            return [self.main]
        return [thread.number for thread in self.threads if not thread.daemon]

    def ends_with(self, thread: int) -> bool:
        """Whether the program is over when a thread has returned."""
        return thread == self.main

    # Names and code

    def code(self, function: types.FunctionType) -> Code:
        """A function, compiled (once). Raises `ModelError`."""
        found = self._codes.get(function)
        if found is None:
            found = self._codes[function] = compile_function(
                function,
                method_names=self.method_names,
                namespace=self._namespace(function, strict=True),
                defaults=lambda value: self._default(value, function),
                inner=self._copy,
                switches=self.runtime == "gil",
                lambdas=self.runtime == "go",
                one_per_loop=self._one_variable_per_loop(),
            )
            self._fill_copies()
        return found

    def _one_variable_per_loop(self) -> bool:
        """Whether a `for` loop has one variable for all rounds, as in Go up to 1.21."""
        version = self.parameters.get("GO_VERSION", getattr(self.model, "GO_VERSION", ""))
        if version == "" or (isinstance(version, str) and re.fullmatch(r"1\.\d+", version)):
            return version != "" and int(version.partition(".")[2]) < 22
        raise ModelError(
            f"GO_VERSION is {version!r}",
            remedy='write the version as in go.mod: GO_VERSION = "1.21"',
            place=self._place_of_attribute("GO_VERSION"),
        )

    def to_flatten(self, callee: object) -> types.FunctionType | None:
        """The function to run block by block when `callee` is called; None to call it as it is."""
        function = callee.__func__ if isinstance(callee, types.MethodType) else callee
        function = function.function if isinstance(function, Closure) else function
        if not isinstance(function, types.FunctionType):
            return None
        function = self._originals.get(function, function)
        if not is_user_function(function):
            return None
        if function.__code__.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
            return None
        return function if find_function(function) is not None else None

    def _copy(self, function: types.FunctionType) -> types.FunctionType:
        """The function with the names in it as the model sees them; one of a library as it is."""
        if function in self._originals or not is_user_function(function):
            return function
        if function not in self._copies and function.__code__.co_flags & inspect.CO_COROUTINE:
            copy = self._coroutines_of(function)
            self._copies[function] = copy
            self._originals[copy] = function
        if function not in self._copies:
            copy = types.FunctionType(
                function.__code__,
                {},
                function.__name__,
                function.__defaults__,
                function.__closure__ and tuple(types.CellType() for _ in function.__closure__),
            )
            copy.__kwdefaults__ = function.__kwdefaults__
            copy.__qualname__ = function.__qualname__
            copy.__module__ = function.__module__
            self._copies[function] = copy
            self._originals[copy] = function
        return self._copies[function]

    def _coroutines_of(self, function: types.FunctionType) -> types.FunctionType:
        """What code that is not run block by block calls instead of an `async def` function."""

        def make(*args: Any, **kwargs: Any) -> Coroutine:
            return Coroutine(function, self.code(function).bind(*args, **kwargs))

        # Without a closure, so that a state can hold it.
        call = types.FunctionType(_call_it.__code__, {"it": make}, function.__name__)
        call.__qualname__ = function.__qualname__
        call.__module__ = function.__module__
        return call

    def _default(self, value: Any, function: types.FunctionType) -> Any:
        """What the default value of a parameter stands for. Raises `ModelError`."""
        if id(value) in self._shared_globals:
            return self._shared_globals[id(value)]
        if isinstance(value, types.FunctionType) and is_user_function(value):
            return self._copy(value)
        if is_shared_global(value) and not _is_frozen(value):
            raise ModelError(
                f"{function.__qualname__} has a {type(value).__name__} as a default argument, "
                "which all of its calls would share",
                remedy="make None the default, and make a new one inside; or use a shared variable",
                place=place_of_function(function),
            )
        return OrderedFrozenSet(value) if type(value) is frozenset else value

    def _fill_copies(self) -> None:
        """Give each copy what its names stand for (which may make more copies)."""
        while empty := [f for f, copy in self._copies.items() if not copy.__globals__]:
            for function in empty:
                copy = self._copies[function]
                copy.__globals__.update(self._namespace(function, strict=False))
                for name, cell, real in zip(
                    function.__code__.co_freevars,
                    copy.__closure__ or (),
                    function.__closure__ or (),
                    strict=True,
                ):
                    if name in copy.__globals__:
                        cell.cell_contents = copy.__globals__[name]
                    elif real is not None:
                        _share_cell(cell, real)

    def _namespace(self, function: types.FunctionType, *, strict: bool) -> dict[str, Any]:
        found = find_function(function)
        file = function.__code__.co_filename
        names = Surroundings(function)
        namespace: dict[str, Any] = {"__builtins__": builtins, "__name__": function.__module__}
        if found is None:
            return {**function.__globals__}
        definition = found[0]
        names.imported.update(_imports(definition, function.__globals__, file, strict=strict))
        bound = bound_names(definition)
        inner = inner_names(definition)
        for node in evaluated_nodes(definition):
            name = node.id if isinstance(node, ast.Name) else None
            if name is None or name in namespace or (name in bound and name not in names.imported):
                continue
            if name in names:
                refuses = strict and name not in inner
                namespace[name] = self._meaning(names, node, file, strict=refuses)
        if "__class__" in function.__code__.co_freevars:
            namespace["__class__"] = names.real("__class__")
        if strict:
            _check_attributes(definition, names, bound | inner, file)
            _check_classes(definition, names, bound | inner, file)
        else:
            # Names that are in the code and not in the source: pytest rewrites assertions.
            for name in function.__code__.co_names:
                if name not in namespace and name in function.__globals__ and "@" in name:
                    namespace[name] = function.__globals__[name]
        return namespace

    def _meaning(self, names: Surroundings, node: Any, file: str, *, strict: bool) -> Any:
        real = names.real(node.id)
        if id(real) in self._shared_globals:
            return self._shared_globals[id(real)]
        if isinstance(real, types.FunctionType) and is_user_function(real):
            return self._copy(real)
        try:
            return names.modelled(node, file)
        except InterleaveError as error:
            if strict:
                raise
            return _Refused(error)

    def _place_of_attribute(self, name: str) -> Place | None:
        """Where the class body or setup first gives a shared variable its value."""
        for cls in self.model.__mro__:
            setup = vars(cls).get("setup")
            if isinstance(setup, types.FunctionType) and (found := find_function(setup)):
                for node in ast.walk(found[0]):
                    if isinstance(node, ast.Attribute) and node.attr == name:
                        if isinstance(node.ctx, ast.Store):
                            return Place.of_node(setup.__code__.co_filename, node)
        return _place_of_assignment(self.model, name)


def _wrong_kind(name: str, note: ThreadNote, function: types.FunctionType) -> ModelError:
    """The error for a method that is `async def` and no task, or the other way round."""
    if note.kind == "task":
        what, remedy = (
            "not `async def`",
            f"write `async def {name}(self):`, or mark it with @thread",
        )
    else:
        what, remedy = "`async def`", "mark it with @task: an event loop runs it"
    return ModelError(
        f"{note.kind} {name} is {what}", remedy=remedy, place=place_of_function(function)
    )


def _call_it(*args: Any, **kwargs: Any) -> Any:
    return it(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


def _methods(model: type) -> dict[str, types.FunctionType]:
    """The methods of a class and its bases, bases first, in order of definition."""
    found: dict[str, types.FunctionType] = {}
    for cls in reversed(model.__mro__):
        if cls not in (object, Model):
            for name, member in vars(cls).items():
                if isinstance(member, types.FunctionType):
                    found[name] = member
                else:
                    found.pop(name, None)
    return found


def _reachable_functions(
    model: type, entries: list[types.FunctionType]
) -> tuple[list[types.FunctionType], frozenset[str]]:
    """Functions that threads and properties may call, and the names of all the model's methods."""
    module = sys.modules.get(model.__module__)
    neighbours = [value for value in _module_values(module) if is_user_class(value)]
    by_name: dict[str, list[types.FunctionType]] = {}
    for cls in [model, *neighbours]:
        for name, function in _all_functions(cls):
            by_name.setdefault(name, []).append(function)
    found: dict[types.FunctionType, None] = {}
    waiting = list(entries)
    while waiting:
        function = waiting.pop(0)
        definition = find_function(function)
        if function in found or definition is None:
            continue
        found[function] = None
        names = Surroundings(function)
        for node in nodes_with_defaults(definition[0]):
            if isinstance(node, ast.Attribute):
                waiting += by_name.get(mangle(node.attr, definition[1]), [])
            elif isinstance(node, ast.Name) and node.id in names:
                value = names.real(node.id)
                if isinstance(value, types.FunctionType) and is_user_function(value):
                    waiting.append(value)
        # Called without being named: with, operators, comparisons.
        waiting += [f for name, fs in by_name.items() if _is_dunder(name) for f in fs]
    callable_names = {name for name in by_name if name not in ("__init__", "__post_init__")}
    return list(found), frozenset(callable_names)


def _module_values(module: types.ModuleType | None) -> list[Any]:
    """The values of a model's module, and of the modules of its own that it imports."""
    found = list(vars(module).values()) if module else []
    for value in list(found):
        if isinstance(value, types.ModuleType) and not stdlib.is_standard(value.__name__):
            found += [each for each in vars(value).values() if is_user_class(each)]
    return list({id(value): value for value in found}.values())


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in (
        "__init__", "__post_init__", "__new__", "__repr__", "__str__",
    )  # fmt: skip


def _all_functions(cls: type) -> Iterator[tuple[str, types.FunctionType]]:
    for base in reversed(cls.__mro__):
        if base in (object, Model) or stdlib.is_standard(base.__module__):
            continue
        for name, member in vars(base).items():
            parts = (
                (member.fget, member.fset)
                if isinstance(member, property)
                else (getattr(member, "__func__", member),)
            )
            for part in parts:
                if isinstance(part, types.FunctionType) and name != "setup":
                    yield name, part


def _shared_globals(functions: list[types.FunctionType]) -> dict[str, Any]:
    """Globals of the module that functions use and that are objects which threads share."""
    found: dict[str, Any] = {}
    known: set[int] = set()
    for function in functions:
        names = Surroundings(function)
        definition = find_function(function)
        if definition is None:
            continue
        bound = bound_names(definition[0])
        for node in nodes_with_defaults(definition[0]):
            if isinstance(node, ast.Name) and node.id not in bound and node.id in names:
                value = names.real(node.id)
                if id(value) not in known and is_shared_global(value):
                    known.add(id(value))
                    name = node.id
                    while name in found:
                        name += "'"
                    found[name] = value
    return found


def _fields_set(functions: list[types.FunctionType], model: type) -> frozenset[str]:
    """Names of the attributes that some code sets, anywhere: what they hold may be a function."""
    module = sys.modules.get(model.__module__)
    classes = [value for value in _module_values(module) if is_user_class(value)]
    makers = [function for cls in classes for _, function in _all_functions(cls)]
    nodes = (
        node
        for function in [*functions, *makers]
        if (found := find_function(function)) is not None
        for node in evaluated_nodes(found[0])
    )
    stored = {
        mangle(node.attr, None)
        for node in nodes
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    }
    return frozenset(stored | set(class_attributes(model)))


def _written_attributes(functions: list[types.FunctionType]) -> frozenset[str]:
    """Names of the attributes that some function assigns."""
    found: set[str] = set()
    for function in functions:
        definition = find_function(function)
        if definition is None or function.__name__ in ("__init__", "__post_init__"):
            continue
        for node in evaluated_nodes(definition[0]):
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
                found.add(mangle(node.attr, definition[1]))
    return frozenset(found)


def _imports(
    definition: ast.FunctionDef | ast.AsyncFunctionDef,
    globals_: Mapping[str, Any],
    file: str,
    *,
    strict: bool,
) -> dict[str, Any]:
    """What import statements in a function bind. `strict`: raise `ModelError` if they fail."""
    found: dict[str, Any] = {}
    for node in scope_walk(definition.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = ast.Module([node], [])
            try:
                exec(compile(module, "<import>", "exec"), {**globals_}, found)  # noqa: S102
            except Exception as error:
                if strict:
                    raise ModelError(
                        f"this import raises {type(error).__name__}: {error}",
                        remedy="import what there is, at the top of the file",
                        place=Place.of_node(file, node),
                    ) from error
    return found


def _share_cell(cell: types.CellType, real: types.CellType) -> None:
    with contextlib.suppress(ValueError):  # not bound yet
        cell.cell_contents = real.cell_contents


def _is_frozen(value: object) -> bool:
    parameters = getattr(type(value), "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)


def _check_attributes(
    definition: ast.AST, names: Surroundings, bound: frozenset[str], file: str
) -> None:
    """Refuse `random.random` and the like, and what threads share behind a class, in place."""
    for node in evaluated_nodes(definition):
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
            continue
        name = node.value.id
        if name in names and (name not in bound or name in names.imported):
            module = names.real(name)
            if isinstance(module, type):
                _check_class_attribute(module, node, file)
            if isinstance(module, types.ModuleType) and not stdlib.is_pure(module.__name__):
                try:
                    stdlib.modelled_attribute(module, node.attr)
                except InterleaveError as error:
                    raise error.at(Place.of_node(file, node)) from None
                except AttributeError:
                    continue  # raised where the code runs, as in Python


def _check_classes(
    definition: ast.AST, names: Surroundings, bound: frozenset[str], file: str
) -> None:
    """Refuse the making of objects that cannot know that they are part of a model."""
    for node in evaluated_nodes(definition):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name in names and name not in bound and is_user_class(names.real(name)):
                _check_made_by_thread(names.real(name), node, file)


def _check_made_by_thread(cls: type, node: ast.Call, file: str) -> None:
    """Refuse a class of which a thread makes an instance, if that instance would touch real things.

    Methods are flattened when a thread calls them; `__init__`, operators and properties of what a
    thread has made are run by Python itself, which knows real modules and real globals only. So are
    the methods of a class of the standard library that it derives from.
    """
    for base in cls.__mro__:
        is_plain = stdlib.is_pure(base.__module__) or issubclass(base, BaseException)
        if stdlib.is_standard(base.__module__) and not is_plain:
            name = f"{base.__module__}.{base.__qualname__}"
            raise ModelError(
                f"a thread makes a {cls.__name__}, which derives from {name}",
                remedy=f"use {name} as it is, and write what {cls.__name__} does in methods of "
                "the model",
                place=Place.of_node(file, node),
            )
    for name, function in _all_functions(cls):
        is_special = name.startswith("__") and name.endswith("__")
        is_method = not is_special and not isinstance(getattr(cls, name, None), property)
        found = find_function(function)
        if is_method or found is None or not is_user_function(function):
            continue
        if inspect.iscoroutinefunction(function):
            continue  # run block by block where it is awaited
        names, bound = Surroundings(function), bound_names(found[0])
        for each in evaluated_nodes(found[0]):
            if not isinstance(each, ast.Name) or each.id in bound or each.id not in names:
                continue
            if _is_outside(names.real(each.id)):
                raise ModelError(
                    f"a thread makes a {cls.__name__}, whose {name} uses {each.id}, "
                    "which is shared",
                    remedy=f"make it in `def setup(self)`, or give {each.id} to a method of it",
                    place=Place.of_node(file, node),
                )


def _is_outside(value: object) -> bool:
    """Whether a global means something else in a model than in Python."""
    if isinstance(value, types.ModuleType):
        return not stdlib.is_pure(value.__name__)
    return is_shared_global(value) and not _is_frozen(value)


def _check_class_attribute(cls: type, node: ast.Attribute, file: str) -> None:
    value = getattr(cls, node.attr, None)
    if isinstance(node.ctx, ast.Load) and is_shared_global(value) and not is_plain_object(value):
        raise ModelError(
            f"{cls.__name__}.{node.attr} is a {type(value).__name__} that belongs to a class: "
            "threads cannot share it there",
            remedy=f"use it through an instance: self.{node.attr}",
            place=Place.of_node(file, node),
        )


def _place_of_class(cls: type) -> Place | None:
    try:
        lines, line = inspect.getsourcelines(cls)
        file = inspect.getsourcefile(cls) or "?"
    except (OSError, TypeError):
        return None
    offset = next((i for i, text in enumerate(lines) if text.lstrip().startswith("class ")), 0)
    return Place(file, line + offset)


def _place_of_assignment(cls: type, name: str) -> Place | None:
    place = _place_of_class(cls)
    if place is None:
        return None
    lines = inspect.getsourcelines(cls)
    for offset, text in enumerate(itertools.chain(lines[0])):
        if text.strip().startswith((f"{name} =", f"{name}:", f"{name}=")):
            column = len(text) - len(text.lstrip())
            return Place(place.file, lines[1] + offset, column, column + len(name))
    return place
