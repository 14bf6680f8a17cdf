"""The port through which all code reaches shared state, whoever runs it.

Proxies of shared objects, modelled primitives and the verbs of the DSL call `current_port()`; what
that is depends on who runs: a step of a thread (`machine.port`), a property (`machine.properties`),
or `setup` (`program.setup`).
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from interleave.errors import InterleaveError, ModelError
from interleave.interrupts import whole
from interleave.memory.identity import ThreadId, ThreadName


class Unrecoverable(BaseException):
    """Ends a thread at once: no `except` catches it, and no `finally` runs."""


class Location:
    """One place in shared state: a variable, an array element, a container, a primitive.

    One without a name is the machine's own, and no report shows it.

    `number` counts all locations of a heap, `owner` is the number of the object it belongs to.
    `index` is its place in a state tuple, or -1 where every initial state has the same value and
    no code changes it; that value's id is `initial`. `constant`: no code changes it. `field` is the
    attribute's name, for an attribute of an object. Locations of one `group` (the elements of an
    array) are constant together or not at all. `known` has the keys of all locations, and of other
    facts, that earlier programs of the same model found out (see `Port.begin_again`).
    """

    def __init__(self, name: str, owner: int, field: object, group: str, number: int) -> None:
        self.name = name
        self.owner = owner
        self.field = field
        self.group = group
        self.number = number
        self.shown = True
        """Whether it is among the variables that reports list."""
        self.is_room = False
        """Whether it holds an object that threads make (see `memory.made`)."""
        self.index = -1
        self.initial = -1
        self.constant = True
        self.known: frozenset[str] = frozenset()
        self.varying: frozenset[str] | None = None
        """The attributes that some code sets of an object here that a thread has made; None where
        that is not known: any may be.
        """

    lacks_fork = False
    """Whether it is a copy of a process, and what the parent has made of it until then matters."""

    @property
    def home(self) -> Location:
        """The location of which this is the copy that a process has; itself, if it is none."""
        return self

    @property
    def key(self) -> str:
        """What names this location, or its group, among all: an attribute and the container that
        it refers to have one name.
        """
        return self.name if self.field is not None else f"{self.group or self.name}[]"


CONTEXTS = "contexts"
"""Key of the fact that some code handles contexts, or the values of context variables."""

CLOCK = "the clock"
"""Key of the fact that some code reads the clock."""

BETWEEN = "messages: in what threads have made"
"""Key of the fact that running threads make what holds messages of processes."""

BY_STEPS = "the clock: by steps"
"""Key of the fact that some code computes with a reading, so that the clock goes on by steps."""

HANDLED = "handled exceptions"
"""Key of the fact that some code asks which exception is being handled."""

FINALIZERS = "objects with a __del__"
"""Key of the fact that code runs when nothing refers to some object any more."""

SIGNALS = "the signals"
"""Key of the fact that some code installs handlers of signals."""

READ_CLOCK = "read clock"
"""The access by which code reads it."""

WHOLE = "whole"
"""The part of a location that is all of it; else a part is a key, as a tuple of one."""


FORK = "fork"
"""The access by which a process begins that takes something over from its parent."""


class AccessKind(NamedTuple):
    """What a pending access will do, before it is done.

    `name` as reports show it, which leave out what has none; `location` None where nothing shared
    is touched; `part` is the key within a container that it concerns, in words ("[2]"), for
    reports. `atomic`: the library promises that nothing comes between what it reads and what it
    writes, so that two such operations need no lock against each other. `container`: what kind of
    one it is an operation of, if it is. `locks`: the library holds a lock of its own meanwhile, for
    which whoever holds it waits in vain. `text`: what it makes is the text of a container.
    """

    name: str
    location: Location | None = None
    part: str = ""
    atomic: bool = False
    container: type | None = None
    locks: bool = False
    text: bool = False

    @property
    def where(self) -> str | None:
        """The location's name, with the part of it, or the section's; None where there is none."""
        return (self.location.name if self.location else "") + self.part or None


def in_words(kind: AccessKind) -> str:
    """What an access does, after "cannot"."""
    words = {"atomic": "use atomic()", "enter": "enter a section", "leave": "leave a section"}
    return words.get(kind.name, kind.name)


class Port(Protocol):
    """What the environment offers to code that reaches shared state."""

    thread: ThreadId
    """The running thread, or -1 where there is none."""
    process: ThreadName
    """The process that runs it."""
    is_started: bool
    """Whether another thread has started the running one."""
    tasks: Any
    """What asyncio needs to know of the tasks of the model, and to do with them: `machine.tasks`.
    """
    has_clock: bool
    """Whether code reads the clock, as far as is known: see `clock`."""
    has_signals: bool
    """Whether code installs handlers of signals, as far as is known: see `signals`."""
    has_feeders: bool
    """Whether there are queues of processes, as far as is known: see `feeding`."""
    has_contexts: bool
    """Whether threads have contexts, as far as is known: see `context`."""

    @property
    def runner(self) -> ThreadId:
        """The running thread; in code of an event loop that a thread has made, the one that runs
        the loop.
        """
        ...

    def access(self, kind: AccessKind, effect: Callable[[], Any], *, private: bool = False) -> Any:
        """Perform an access: `effect` does it, by `read` and `write`, and gives its result.

        `private`: it touches what no other thread can see, so that none need run before it.

        The only place where a thread can be suspended. `effect` may raise what user code is to
        see, and calls `block` where the access cannot proceed now.
        """
        ...

    def fork(self) -> None:
        """Copy what the parent has at this moment, for the process that begins."""
        ...

    def locate(self, location: Location) -> Location:
        """What a location stands for where this runs: in a process, its own copy."""
        ...

    def read(self, location: Location, *, part: object = WHOLE) -> Any:
        """The value at a location, noted as read by the current access, if there is one.

        `part` None: it is only needed to make the new value, and not noted.
        """
        ...

    def write(
        self, location: Location, value: object, *, part: object = WHOLE, fresh: bool = False
    ) -> None:
        """Store a value. `fresh`: it is computed from what this same access read."""
        ...

    def serve(self, thread: ThreadId) -> None:
        """Note that the current access lets a thread go on that was parked, and that nothing which
        comes later changes how it does.
        """
        ...

    def exclude(self, location: Location, rule: str, *, writes: bool) -> None:
        """Note that the current access is not to be concurrent with others of a primitive.

        Two of which one `writes` are a data race, as in a detector that takes them for accesses of
        a variable; two that both do are none. `rule` says what is to be kept apart.
        """
        ...

    def put_off(self, queue: Any, message: object) -> None:
        """Note that this thread has put a message into a queue whose feeder will copy it."""
        ...

    def switch_point(self) -> None:
        """Note that other threads may run now, under a runtime where they may not always."""
        ...

    @property
    def others_run(self) -> bool:
        """Whether other threads may run wherever Python code is entered."""
        ...

    def progress(self) -> int:
        """How many accesses the running statement has performed."""
        ...

    def forget(self, progress: int) -> None:
        """Drop the accesses of the running statement that came after the first `progress` ones.

        For a loop in code that is not the model's, at the end of each round: a state in which the
        thread is in that code then does not depend on how many rounds there were.
        """
        ...

    def setting(self, name: str) -> Any:
        """What the model says of how something is to be modelled; None where it says nothing."""
        ...

    def block(self, kind: AccessKind | None = None) -> Any:
        """The current access cannot proceed in this state. Does not return.

        `kind`: what it waits for, where that is not what it is to do.
        """
        ...

    def choose(self, options: Sequence[Any]) -> int:
        """The index of one of `options`; every one is explored. Only within an effect."""
        ...

    def begin_atomic(self) -> None:
        """From here on, accesses belong to the present one, which has just been performed."""
        ...

    def end_atomic(self) -> None:
        """Undo one `begin_atomic`."""
        ...

    def enter(self, section: str) -> None:
        """Note that a critical section is entered by the present access."""
        ...

    def has_just_entered(self, section: str) -> bool:
        """Whether no step would be seen inside the section if it were left now."""
        ...

    def inside(self, section: str) -> int:
        """How many threads are inside a critical section."""
        ...

    def make(self, kind: Any, contents: Any, *, field: str = "") -> Any:
        """An object that this thread makes: a stand-in of a `memory.made.Kind`.

        `field`: it is for this field of what is made for the variable that is being assigned.
        """
        ...

    def thread_room(
        self,
        kind: Any,
        target: Any,
        *,
        daemon: bool | None = None,
        maker: Any = None,
        name: str = "",
    ) -> Any:
        """An unused object, of class `kind`, for a thread that is to run `target`.

        Where there is none, the program is made anew with one more. `maker`: the shared object that
        makes it, where that is not the running thread. `name`: what reports call it by, with a
        number; mostly that of the target.
        """
        ...

    def loop_room(self, kind: Any, function: Callable[..., Any], name: str) -> Any:
        """An unused object, of class `kind`, for an event loop whose callbacks a thread of the
        machine runs in a function.
        """
        ...

    def thread_object(self) -> Any:
        """What `threading.current_thread()` gives."""
        ...

    def callers(self) -> list[tuple[str, int, str]]:
        """The file, line and name of each of the user's functions that is being run block by block,
        outermost call first.
        """
        ...

    def process_object(self) -> Any:
        """What `multiprocessing.current_process()` gives."""
        ...

    def start_thread(
        self, thread: ThreadId, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """Have a thread begin, as part of the current access."""
        ...

    def kill(self, thread: ThreadId) -> None:
        """End another thread, wherever it is, as part of the current access."""
        ...

    def started_in(self, process: ThreadName) -> list[Any]:
        """The objects of the threads and processes that those of a process may have started."""
        ...

    def holding(self) -> list[Any]:
        """What holds messages of processes, as far as there is any."""
        ...

    def feeding(self) -> list[Any]:
        """The queues among these, which have feeders."""
        ...

    def processes(self) -> list[ThreadName]:
        """The processes that run, and those of which no state says that they have ended."""
        ...

    def context(self, thread: ThreadId | None = None) -> Location:
        """Where the context of a thread is, or that of the running one. Does not return where
        there are none yet: the program is made anew with them.
        """
        ...

    @property
    def clock(self) -> Any:
        """The clock: a `memory.clock.Clock`. Does not return where there is none yet: the program
        is made anew with one.
        """
        ...

    @property
    def signals(self) -> Any:
        """The handlers of signals: a `stdlib.signal.Signals`. Does not return where there are none
        yet: the program is made anew with them.
        """
        ...

    def came_in(self, error: BaseException) -> bool:
        """Whether a handler has raised an exception in place of the last access."""
        ...

    def know(self, key: str) -> None:
        """Have the program made anew with `key` among what is known, where it is not yet."""
        ...

    def begin_again(self, key: str) -> Any:
        """Make the program anew, with `key` in the `known` of its locations. Does not return."""
        ...

    def swallows(self, which: tuple[str, int, int]) -> Any:
        """Make the program anew, with a `with` known as one that swallows exceptions (see
        `compiler.blocks.Swallow`). Does not return.
        """
        ...

    def handled(self, code: types.CodeType | None) -> BaseException | None:
        """The exception that is being handled. `code` is what asks; None: the thread calls what
        does.
        """
        ...

    @property
    def in_access(self) -> bool:
        """Whether what runs is part of an access."""
        ...

    def is_lasting(self, shared: Any) -> bool:
        """Whether a shared object lives as long as the program."""
        ...

    def knows_references(self, shared: Any) -> bool:
        """The same, or whether it is known when nothing refers any more to it."""
        ...

    def lacks(self, roots: dict[str, Any], names: frozenset[str]) -> Any:
        """Make the program anew, with these objects captured (by name), or with these methods known
        by their names. Does not return.
        """
        ...

    def meaning(self, real: Any, name: str) -> Any:
        """What stands for an object of Python's, which is known by that name here."""
        ...

    def identity(self, value: Any) -> int:
        """What tells an object from all others: an `ObjectId`. One that this thread has made is
        shared from here on: before, it is in no state which one it is.
        """
        ...

    @property
    def has_finalizers(self) -> bool:
        """Whether there may be objects with a `__del__`."""
        ...

    def note_finalized(self, made: Any) -> None:
        """An object was made that has a `__del__`."""
        ...

    def give_away(self, value: Any, to: str) -> Any:
        """What stands for a value that this thread has made for others, and does not keep; `to`
        says in words where it is stored.
        """
        ...

    def picture(self, value: Any, beyond: Any) -> Any:
        """What a value is at this moment, with all that it leads to but for what is in `beyond`."""
        ...

    def holds(self, value: object) -> bool:
        """Whether a value is one that a state has, or a part of one."""
        ...

    def finished(self, thread: str, index: int | None) -> bool:
        """Whether a thread has ended."""
        ...

    def halt(self, error: InterleaveError) -> Any:
        """Stop everything: the model is at fault. Does not return; no user code can catch it."""
        ...


_port: ContextVar[Port | None] = ContextVar("interleave_port", default=None)


def current_port() -> Port:
    """The port of whatever runs now. Raises `ModelError` where nothing of a model runs."""
    port = _port.get()
    if port is None:
        raise ModelError(
            "this belongs to a model, and was called outside one",
            remedy="call it from a thread, a property or setup of a Model that is being checked",
        )
    return port


def is_code_of_a_model_running() -> bool:
    """Whether a thread, a property or setup runs now, and nothing else of this package."""
    return _port.get() is not None


def running_port() -> Port | None:
    """The port of the thread or property that runs now; None in a class body, and in `setup`."""
    port = _port.get()
    return port if port is not None and hasattr(port, "make") else None


class using_port:
    """`with using_port(port):` makes it the current one, for the duration."""

    __slots__ = ("_port", "_token")

    def __init__(self, port: Port | None) -> None:
        self._port = port

    @whole
    def __enter__(self) -> None:
        self._token = _port.set(self._port)

    @whole
    def __exit__(self, *_: object) -> None:
        _port.reset(self._token)
