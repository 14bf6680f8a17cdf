"""A model made ready to run: its threads, its properties, its heap, and what its names mean."""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import re
import types
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from interleave.compiler import Code, compile_function, is_user_function
from interleave.compiler.names import (
    Surroundings,
    bound_names,
    evaluated_nodes,
    inner_names,
    is_shared_global,
    scope_walk,
)
from interleave.compiler.source import (
    find_function,
    place_of_assignment,
    place_of_class,
    place_of_function,
)
from interleave.errors import InterleaveError, ModelError, Place
from interleave.memory.closures import Closure
from interleave.memory.coroutine import Coroutine
from interleave.memory.made import MadeObject
from interleave.memory.primitive import STEPWISE_METHODS
from interleave.memory.values import OrderedFrozenSet
from interleave.model import NOTE, RUNTIMES, Model, Param, PropertyNote, ThreadNote
from interleave.program import tasks
from interleave.program.heap import RoomOwner, capture
from interleave.program.misuse import refuse_init, refuse_silence
from interleave.program.objects import stand_in_class
from interleave.program.processes import Space, private_copies, share_pipes
from interleave.program.reach import (
    fields_set,
    methods,
    reachable_functions,
    shared_globals,
    written_attributes,
)
from interleave.program.refused import is_frozen, refuse_attributes, refuse_classes
from interleave.program.rooms import RoomKey
from interleave.program.setup import initial_instances
from interleave.records import dataclass
from interleave.stdlib.threads import DAEMON, Worker
from interleave.world.guard import Guard

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
        guard: Guard | None = None,
    ) -> None:
        self.model = model
        self.guard = guard or Guard(model)
        """Knows what real objects were like before."""
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
        globals_, found = self._capture(self._entries())
        self.spaces = self._spaces()
        alone = all(thread.process for thread in self.threads)
        self.settings = {name: self._setting(name) for name in SETTINGS}
        """How things are to be modelled, as the model says; None where it does not."""
        capacity = self.settings["PIPE_CAPACITY"]
        self._left = share_pipes(self.heap, [*self.spaces], capacity, alone=alone)
        self._shared_globals = {id(globals_[name]): found[name] for name in globals_}
        self.stand_in = self.heap.stand_ins[0]
        self.thread_local = [each for each in self.heap.stand_ins if type(each)._of_threads]
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
        self.guard.before.restore()  # classes of stand-ins may tell their bases that they are made

    def _capture(self, entries: list[types.FunctionType]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Capture what can be reached from `entries`: shared globals, and what they stand for.

        Shared objects may refer to more functions, which use more globals.
        """
        while True:
            reachable, self.method_names = reachable_functions(self.model, entries)
            if self.runtime == "go":
                self.method_names |= fields_set(reachable, self.model) | STEPWISE_METHODS
            globals_ = shared_globals(reachable)
            instances = initial_instances(
                self.model, self.parameters, place_of_function, self.guard.before
            )
            with contextlib.closing(instances):
                self.heap, found = capture(
                    instances,
                    globals_,
                    resolve=self._copy,
                    written=self.written | self._written_by(self._entries(processes=False)),
                    place=self._place_of_attribute,
                )
            more = [each for each in self.heap.functions if each not in (*reachable, *entries)]
            if not more:
                return globals_, found
            entries = [*entries, *more]

    # Threads and properties

    def _read_notes(self) -> None:
        refuse_init(self.model)
        for name, function in methods(self.model).items():
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
                place=place_of_class(self.model),
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
        method = key.name
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
        return written_attributes(reachable_functions(self.model, entries)[0])

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
        if is_shared_global(value) and not is_frozen(value):
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
            refuse_attributes(definition, names, bound | inner, file)
            refuse_classes(definition, names, bound | inner, file)
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
        return place_of_assignment(self.model, name)


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
