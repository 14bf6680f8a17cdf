"""`threading.Thread`, made and started by a running thread.

After docs.python.org/3.12/library/threading.html#thread-objects. A program has room for as many
threads as it was found to start: see `program.rooms`.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any, ClassVar, NamedTuple

from interleave.errors import ModelError
from interleave.interrupts import whole
from interleave.memory.identity import MODEL_PROCESS, ThreadId, ThreadIdent, ThreadName
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive, in_place_of_c, stepwise
from interleave.memory.values import register_immutable
from interleave.records import dataclass
from interleave.runtimes.free_threaded import THREAD
from interleave.stdlib.timeouts import begin_waiting
from interleave.world import policy
from interleave.world.policy import Treatment

NEW, STARTED, ENDED = "new", "started", "ended"

DAEMON = "whether it is a daemon"
"""What some code says of a thread only after it has made it."""


class Made(NamedTuple):
    """The state of a thread object: how far it is, what it is to run, and its name.

    `cancelled`: it is a timer, and to do nothing. `code`: it is a process, and exits with that.
    """

    phase: str
    target: Callable[..., Any] | None
    args: tuple[Any, ...]
    kwargs: tuple[tuple[str, Any], ...]
    name: str
    cancelled: bool = False
    code: int = 0


@dataclass(frozen=True)
class CurrentThread:
    """What `threading.current_thread()` gives in a thread of the model's own."""

    name: ThreadName
    daemon: bool
    ident: ThreadIdent
    stands_for: ClassVar[tuple[type, ...]] = (threading.Thread,)

    @property
    def native_id(self) -> ThreadIdent:
        return self.ident

    def is_alive(self) -> bool:
        """It runs."""
        return True

    def getName(self) -> str:
        return self.name


seen_by_itself = functools.cache(CurrentThread)
"""The one object that is a thread of the model's own for itself, whenever it asks."""

register_immutable(
    CurrentThread,
    lambda self, it: (CurrentThread, self.freeze(it.name), it.daemon, self.freeze(it.ident)),
    lambda self, key: seen_by_itself(self.thaw(key[1]), key[2], self.thaw(key[3])),
)


@dataclass(frozen=True)
class CurrentProcess:
    """What `multiprocessing.current_process()` gives where no running thread has made it."""

    name: str
    daemon: bool


class Thread(Primitive):
    """A thread made by another one. State: None while there is no such thread, then `Made`."""

    stands_for: ClassVar[tuple[type, ...]] = (threading.Thread,)
    written_in_python = True
    is_run = True
    thread_kind = THREAD
    runs = ThreadId(-1)
    """The thread that it stands for."""
    daemon_room = False
    """Whether it has room for a daemon."""
    default_name = ThreadName("")
    made_in = MODEL_PROCESS
    """The process that makes it."""
    comes_back = False
    """Whether it is the same thread for others that begins again after it has ended."""

    @staticmethod
    def kept(target: Any) -> Any:
        """What the state of one has as its target until it is started."""
        return target

    @staticmethod
    def called(target: Any) -> str:
        """What reports call one that runs something."""
        return name_of(target)

    @classmethod
    def content(cls, state: Any) -> object:
        return None if state is None else state.phase

    @classmethod
    def describe(cls, state: Any) -> str:
        return "not made" if state is None else str(state.phase)

    def holders(self, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:  # type: ignore[override]
        return (self.runs,) if state is not None and state.phase == STARTED else ()

    def operate(self, kind: str, effect: Callable[[], Any]) -> Any:
        port = current_port()
        if port.process != self.made_in:
            port.halt(
                ModelError(
                    "a process asks a thread of another one, which does not run here",
                    remedy="ask where it was started",
                )
            )
        return super().operate(kind, effect)

    def start(self) -> None:
        """Start the thread. Raises `RuntimeError` where it was started before."""
        self._start({})

    def _start(self, changes: dict[str, Any]) -> None:
        """The same, with some changes of what it runs."""

        def effect() -> None:
            made: Made = self.state
            if made.phase != NEW:
                raise RuntimeError("threads can only be started once")
            made = made._replace(**changes)
            self.state = self.begun(made)
            current_port().start_thread(self.runs, *self.entry(made))

        self.operate("start", effect)

    def is_waited_for(self) -> bool:
        """Whether the end of the program waits for it."""
        if self.daemon_room or self.thread_kind.is_process:
            return False
        return bool(self.operate("is_alive", self.has_started))

    def has_started(self) -> bool:
        """Whether it runs, within an access."""
        return self.state is not None and self.state.phase == STARTED

    def entry(self, made: Made) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        """What the thread runs that it was made for, and with what."""
        return made.target, made.args, dict(made.kwargs)

    @staticmethod
    def begun(made: Made) -> Made:
        """The state once the thread was started."""
        return made._replace(phase=STARTED, target=None, args=(), kwargs=())

    @staticmethod
    def ended(state: Any, *, failed: bool) -> Any:
        """The state once the thread has ended; an exception has ended it if it has `failed`."""
        return state._replace(phase=ENDED)

    def seen_from_inside(self) -> Any:
        """What `threading.current_thread()` gives in the thread itself."""
        return self

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended. A timeout may expire whenever it has not."""

        waiting = begin_waiting(timeout)

        def effect() -> None:
            if self.state.phase == NEW:
                raise RuntimeError("cannot join thread before it is started")
            if current_port().runner == self.runs:
                raise RuntimeError("cannot join current thread")
            if self.state.phase == STARTED:
                if timeout is None:
                    self.block()
                waiting.expire()

        self.operate("join", effect)

    def is_alive(self) -> bool:
        """Whether the thread was started and has not ended."""
        return bool(self.operate("is_alive", lambda: self.state.phase == STARTED))

    def run(self) -> None:
        """Not what a thread does to start another one."""
        raise ModelError(
            "a thread calls run() of a Thread, which runs it in the same thread",
            remedy="call start(), or call the target itself",
        )

    @property
    def name(self) -> str:
        name: str = self.operate("name", lambda: self.state.name or self.default_name)
        return name

    @name.setter
    def name(self, value: str) -> None:
        def effect() -> None:
            self.state = self.state._replace(name=str(value))

        self.operate("set name", effect)

    @property
    def ident(self) -> ThreadIdent | None:
        """A number, where it was started."""
        phase = self.operate("ident", lambda: self.state.phase)
        return None if phase == NEW else ThreadIdent.of(self.runs)

    native_id = ident

    @property
    def daemon(self) -> bool:
        return self.daemon_room

    @daemon.setter
    def daemon(self, value: bool) -> None:
        port = current_port()

        def check() -> None:
            if self.state.phase != NEW:
                raise RuntimeError("cannot set daemon status of active thread")

        port.access(AccessKind("", self._location), check, private=True)
        if value and not self.daemon_room:
            self.must_keep(DAEMON)
        if value != self.daemon_room:
            port.halt(
                ModelError(
                    "a thread is made no daemon after it was made one",
                    remedy="say so when it is made: Thread(target=..., daemon=False)",
                )
            )


@stepwise
def wait_for_threads() -> None:
    """What Python does when the main thread is through: wait for the others, but for daemons."""
    threads = current_port().started_in(MODEL_PROCESS)
    waiting = True
    while waiting:
        waiting = False
        for each in threads:
            if each.is_waited_for():
                each.join()
                waiting = True


@in_place_of_c
def call_at_exit(calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]) -> None:
    """The same, and then what is registered with `atexit`. What ends the main thread elsewhere ends
    here the wait, or that one call. After Py_FinalizeEx in Python/pylifecycle.c, CPython 3.12.
    """
    try:  # noqa: SIM105  (it runs block by block)
        wait_for_threads()
    except (SystemExit, KeyboardInterrupt):
        pass
    while calls:
        func, args, kwargs = calls.pop()
        try:  # noqa: SIM105
            func(*args, **kwargs)
        except (SystemExit, KeyboardInterrupt):
            pass


@stepwise
def call(target: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """What a thread runs whose target is no code of the model's: an event's `set`."""
    target(*args, **kwargs)


def name_of(target: Any) -> str:
    """What a thread is called by that runs something."""
    while isinstance(target, functools.partial):
        target = target.func
    return str(getattr(target, "__name__", type(target).__name__))


class Recurring(Thread):
    """A thread that ends, and begins again when there is something for it to do."""

    comes_back = True

    @classmethod
    def describe(cls, state: Any) -> str:
        return "not running" if state is None else "running"

    @staticmethod
    def ended(state: Any, *, failed: bool) -> Any:
        return None


class Worker(Recurring):
    """A thread of a pool, which is there while there is a task."""


def make_thread(
    group: None = None,
    target: Callable[..., Any] | None = None,
    name: str | None = None,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    daemon: bool | None = None,
) -> Thread:
    """`threading.Thread(...)` in a running thread."""
    if group is not None:
        raise AssertionError("group argument must be None for now")
    if target is None:
        raise ModelError("a Thread is made without a target", remedy=_SAY_WHAT)
    return made_thread(Thread, target, args, kwargs, name=name, daemon=daemon)


def made_thread(
    kind: type[Thread],
    target: Callable[..., Any],
    args: Iterable[Any],
    kwargs: Mapping[str, Any] | None,
    *,
    name: str | None = None,
    daemon: bool | None = None,
) -> Thread:
    """A thread that the running one makes, not started."""
    port = current_port()

    def effect() -> Thread:
        room: Thread = port.thread_room(kind, target, daemon=daemon, name=kind.called(target))
        runs = kind.kept(target), tuple(args), tuple((kwargs or {}).items())
        room.state = Made(NEW, *runs, name or room.default_name)
        return room

    made: Thread = port.access(AccessKind(kind.__name__), effect, private=True)
    return made


def capture_thread(walk: Any, real: threading.Thread, path: str) -> Any:
    """The stand-in of a thread that `setup` has made. See `program.capture`."""
    target: Any = real._target  # type: ignore[attr-defined]
    if target is None:
        raise ModelError(f"{path} is a Thread without a target", remedy=_SAY_WHAT)
    runs = target, real._args, tuple(real._kwargs.items())  # type: ignore[attr-defined]
    return captured(walk, Thread, real, path, runs)


def captured(
    walk: Any,
    kind: type[Thread],
    real: threading.Thread,
    path: str,
    runs: tuple[Any, tuple[Any, ...], tuple[tuple[str, Any], ...]],
    *,
    of: object = None,
) -> Any:
    """The same, of some class. `runs` is what it runs, and with what; `of` what it stands for, if
    that is not the real one.
    """
    if real.ident is not None:
        raise ModelError(
            f"{path} is a thread that was started before setup, and runs outside of the model",
            remedy="start it in setup or in a thread; or mark the method that it is to run with "
            "@thread",
        )

    def make(number: int) -> Thread:
        made = kind(number, walk.location(path, number))
        made.daemon_room = real.daemon
        return made

    made = walk.stand_in((path, (kind, real.daemon)), make, real if of is None else of)

    def finish() -> None:
        target, args, kwargs = (walk.visit(part, path) for part in runs)
        phase = STARTED if is_started(real) else NEW
        name = "" if _DEFAULT_NAME.fullmatch(real.name) else real.name
        walk.contents[made._location.number] = Made(phase, target, args, kwargs, name)

    walk.at_last.append(finish)
    return made


_DEFAULT_NAME = re.compile(r"Thread-\d+( \(.*\))?")
_SAY_WHAT = "say what it runs: Thread(target=...)"


def is_started(real: threading.Thread) -> bool:
    """Whether `setup` has started a thread: see `starting_nothing`."""
    return real._started.is_set()  # type: ignore[attr-defined]


def _is_of_library(thread: threading.Thread) -> bool:
    """Whether a thread runs code of a modelled module."""
    target = thread._target  # type: ignore[attr-defined]
    is_python = isinstance(getattr(target, "__func__", target), FunctionType)
    return is_python and policy.of_object(target).treatment is Treatment.MODELLED


@contextmanager
@whole
def starting_nothing() -> Iterator[list[threading.Thread]]:
    """Have threads that are started only be marked as such, for the duration: gives those.

    What the library starts for itself, workers of a pool, is started.
    """
    started: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        if not thread._initialized:  # type: ignore[attr-defined]
            raise RuntimeError("thread.__init__() not called")
        if is_started(thread):
            raise RuntimeError("threads can only be started once")
        if _is_of_library(thread):
            real_start(thread)
            return
        thread._started.set()  # type: ignore[attr-defined]
        started.append(thread)

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        if is_started(thread) and thread.ident is None:
            raise ModelError(
                f"setup waits for {thread.name}, which begins when setup is over",
                remedy="join it in a thread",
            )
        real_join(thread, timeout)

    def is_alive(thread: threading.Thread) -> bool:
        return real_is_alive(thread) if thread.ident is not None else is_started(thread)

    real: Any = threading.Thread
    real_start, real_join, real_is_alive = real.start, real.join, real.is_alive
    real.start, real.join, real.is_alive = start, join, is_alive
    try:
        yield started
    finally:
        real.start, real.join, real.is_alive = real_start, real_join, real_is_alive


def current_thread() -> Any:
    """`threading.current_thread`."""
    return current_port().thread_object()


def get_ident() -> ThreadIdent:
    """`threading.get_ident`: a number that no other thread has."""
    return ThreadIdent.of(current_port().runner)


FUNCTIONS = {
    "Thread": make_thread,
    "current_thread": current_thread,
    "currentThread": current_thread,
    "get_ident": get_ident,
    "get_native_id": get_ident,
}
