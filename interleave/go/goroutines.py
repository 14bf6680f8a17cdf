"""The `go` statement in a running goroutine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from interleave.go.base import Fatal
from interleave.go.failing import is_nil
from interleave.memory.identity import ThreadId, ThreadName
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.runtimes.go import GOROUTINE
from interleave.stdlib.threads import name_of

RUNNING = "running"

Function = TypeVar("Function", bound=Callable[..., Any])


class Goroutine(Primitive):
    """Room for a goroutine that another one starts. State: None where it is free.

    Nobody can tell one goroutine from another when it has ended: the next one takes its room.
    """

    thread_kind = GOROUTINE
    comes_back = False
    runs = ThreadId(-1)
    """The thread that it stands for."""
    daemon_room = False
    default_name = ThreadName("")

    @classmethod
    def describe(cls, state: Any) -> str:
        return "not running" if state is None else str(state)

    def ended(self, state: Any, *, failed: bool) -> Any:
        """The state when its goroutine has ended."""
        return None


def spawn(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """Go's `go function(args)`: a step, after which the goroutine runs beside all others."""
    if is_nil(function):
        raise Fatal("go of nil func value")
    kind = AccessKind("go", part=name_of(function))
    current_port().access(kind, lambda: begin(function, *args, **kwargs))


def begin(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> None:
    """Have a goroutine begin. Within an access."""
    port = current_port()
    room = port.thread_room(Goroutine, function)
    room.state = RUNNING
    port.start_thread(room.runs, function, args, kwargs)


def named(name: str) -> Callable[[Function], Function]:
    """Say what reports call the goroutines that run a function."""

    def rename(function: Function) -> Function:
        function.__name__ = name
        return function

    return rename


def Gosched() -> None:
    """`runtime.Gosched`: a step that touches nothing."""
    current_port().access(AccessKind("runtime.Gosched"), lambda: None)


def Goexit() -> None:
    """`runtime.Goexit`: end this goroutine, once its deferred functions have run."""
    raise SystemExit
