"""`threading.Thread` as classes of the model's derive from it.

An instance of such a class is an object like any other. What is behind it is a modelled thread,
which runs its `run` and which nobody else refers to.
"""

from __future__ import annotations

import inspect
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from interleave.memory.derived import BEHIND, inner_of
from interleave.memory.identity import ThreadIdent
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import stepwise
from interleave.memory.values import UNBOUND
from interleave.stdlib import threads
from interleave.stdlib.registry import Base


def kept_by_instance(target: Any) -> None:
    """What is behind an instance keeps nothing: the instance, which refers to it, says what it is
    to run when it is started.
    """


def called_by_class(target: Any) -> str:
    """What reports call it."""
    return type(target.__self__).__name__


class ThreadBehind(threads.Thread):
    """The thread behind an instance. Once it was started, its state has the instance as `args`."""

    kept = staticmethod(kept_by_instance)
    called = staticmethod(called_by_class)

    def start_as(self, owner: Thread) -> None:
        """Start it, for the instance that it is behind."""
        self._start({"target": owner.run, "args": (owner,)})

    def entry(self, made: threads.Made) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
        return made.target, (), {}

    @staticmethod
    def begun(made: threads.Made) -> threads.Made:
        return made._replace(phase=threads.STARTED, target=None)

    @staticmethod
    def ended(state: Any, *, failed: bool) -> Any:
        return state._replace(phase=threads.ENDED, args=())

    def seen_from_inside(self) -> Any:
        access = AccessKind("", self._location)
        return current_port().access(access, lambda: self.state.args[0], private=True)


class Runs:
    """What is in place of `threading.Thread` and of `multiprocessing.Process`: `run` is what an
    instance does in a thread of the machine.
    """

    _kind: ClassVar[type[threads.Thread]]
    """The class of what is behind an instance."""

    def __init__(
        self,
        group: None = None,
        target: Callable[..., Any] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
    ) -> None:
        if group is not None:
            raise AssertionError("group argument must be None for now")
        self._target = target
        self._args = args
        self._kwargs = {} if kwargs is None else kwargs
        self.__dict__[BEHIND] = threads.made_thread(
            self._kind, self.run, (), {}, name=name and str(name), daemon=daemon
        )

    @stepwise
    def run(self) -> None:
        if self._target is not None:
            self._target(*self._args, **self._kwargs)


class Thread(Runs):
    """What a class derives from in place of `threading.Thread`."""

    _kind = ThreadBehind

    def start(self) -> None:
        self._behind("thread.__init__() not called").start_as(self)

    def join(self, timeout: float | None = None) -> None:
        self._behind().join(timeout)

    def is_alive(self) -> bool:
        return self._behind(error=AssertionError).is_alive()

    @property
    def name(self) -> str:
        return self._behind(error=AssertionError).name

    @name.setter
    def name(self, value: str) -> None:
        self._behind(error=AssertionError).name = value

    @property
    def ident(self) -> ThreadIdent | None:
        return self._behind(error=AssertionError).ident

    native_id = ident

    @property
    def daemon(self) -> bool:
        return self._behind(error=AssertionError).daemon

    @daemon.setter
    def daemon(self, value: bool) -> None:
        self._behind().daemon = value

    def getName(self) -> str:
        return self.name

    def setName(self, name: str) -> None:
        self.name = name

    def isDaemon(self) -> bool:
        return self.daemon

    def setDaemon(self, daemonic: bool) -> None:
        self.daemon = daemonic

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.name})>"

    def _behind(
        self,
        lacking: str = "Thread.__init__() not called",
        error: type[Exception] = RuntimeError,
    ) -> ThreadBehind:
        """The thread behind it. Raises what Python does where `__init__` was not called."""
        found = inner_of(self, BEHIND)
        if found is UNBOUND:
            raise error(lacking)
        behind: ThreadBehind = found
        return behind


_INSIDE = frozenset(vars(threading.Thread(name="any")))
"""The attributes of real ones."""


def taken_over(walk: Any, real: threading.Thread, path: str) -> dict[str, Any]:
    """The attributes of what stands for an instance that `setup` has made."""
    own = {name: value for name, value in vars(real).items() if name not in _INSIDE}
    if not real._initialized:  # type: ignore[attr-defined]
        return own
    found = inspect.getattr_static(type(real), "run")
    run = types.MethodType(Thread.run if found is threading.Thread.run else found, real)
    behind = object()
    threads.captured(walk, ThreadBehind, real, path, (run, (real,), ()), of=behind)
    made_with = {name: getattr(real, name) for name in ("_target", "_args", "_kwargs")}
    return {**made_with, **own, BEHIND: behind}


BASE = Base(Thread, taken_over)
