"""`golang.org/x/sync/errgroup`, after its documentation: goroutines that may fail, waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interleave.go import atomics, channels, context, waiting
from interleave.go.base import new, unmodelled
from interleave.go.goroutines import named, spawn
from interleave.memory.primitive import stepwise
from interleave.records import dataclass

_new_waiting = new(waiting.WaitGroup)
_new_error = new(atomics.Pointer)
_new_room = new(channels.Chan)


@dataclass(frozen=True)
class _Group:
    """A group: who is waited for, the first error, what it cancels, and room for how many."""

    waiting: Any
    error: Any
    cancel: Any = None
    room: Any = None

    def Go(self, f: Callable[[], Any]) -> None:
        """Call `f` in a goroutine. It gives an error, or None. Waits while there is no room."""
        if self.room is not None:
            self.room.send(None)
        self.waiting.Add(1)
        spawn(_run, self, f)

    def Wait(self) -> Any:
        """Wait for all of them, cancel the context, and give the first error."""
        self.waiting.Wait()
        if self.cancel is not None:
            self.cancel(None)
        return self.error.Load()


@stepwise
@named("g.Go")
def _run(group: _Group, f: Callable[[], Any]) -> None:
    try:
        error = f()
        if error is not None and group.error.CompareAndSwap(None, error):
            if group.cancel is not None:
                group.cancel(error)
    finally:
        if group.room is not None:
            group.room.recv()
        group.waiting.Done()


def Group(*, limit: int | None = None) -> _Group:
    """A new group; with a `limit`, as by `SetLimit`, no more goroutines than that at a time."""
    room = None if limit is None else _new_room(limit)
    return _Group(_new_waiting(), _new_error(), None, room)


def WithContext(parent: Any, *, limit: int | None = None) -> tuple[_Group, Any]:
    """A group, and a context that ends with the first error, or when all have been waited for."""
    ctx, cancel = context.WithCancelCause(parent)
    made = Group(limit=limit)
    return _Group(made.waiting, made.error, cancel, made.room), ctx


__getattr__ = unmodelled("go.errgroup")
