"""`local`, after docs.python.org/3.12/library/threading.html#thread-local-data.

What a thread keeps there nobody else can see, so that looking at it is no step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interleave.memory.bag import Bag
from interleave.memory.containers import SharedDict
from interleave.memory.identity import ThreadId
from interleave.memory.made import Kind
from interleave.memory.port import AccessKind, Location, current_port
from interleave.memory.values import Shared

_get = object.__getattribute__


class Local(Shared):
    """`threading.local`. All it holds is a dict with the value of each (thread, attribute)."""

    _of_threads = True

    def __init__(self, number: int, location: Location) -> None:
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_location", location)

    def __getattribute__(self, name: str) -> Any:
        if name in ("_number", "_location") or (name.startswith("__") and name.endswith("__")):
            return _get(self, name)
        return _access(self, name, lambda values, key: values[key])

    def __setattr__(self, name: str, value: object) -> None:
        _access(self, name, lambda values, key: values.update({key: value}), changes=True)

    def __delattr__(self, name: str) -> None:
        _access(self, name, lambda values, key: values.pop(key), changes=True)

    @staticmethod
    def forget(local: Local, thread: ThreadId) -> None:
        """Let go of what an ended thread kept there."""
        port = current_port()
        store = _store(local)
        values = port.read(store)
        kept = Bag(each for each in values if each[0][0] != thread)
        if kept != values:
            port.write(store, kept)


def _access(
    local: Local,
    name: str,
    effect: Callable[[dict[Any, Any], Any], Any],
    *,
    changes: bool = False,
) -> Any:
    """An access to an attribute of the running thread: nobody can see when it happens."""
    port = current_port()
    key = (port.runner, name)
    store = _store(local)

    def perform() -> Any:
        values = dict(port.read(store, part=None))
        port.read(store, part=(key,))
        try:
            result = effect(values, key)
        except KeyError:
            raise AttributeError(f"'_thread._local' object has no attribute {name!r}") from None
        if changes:
            port.write(store, Bag(values.items()), part=(key,))
        return result

    return port.access(AccessKind("", store), perform, private=True)


def _store(local: Local) -> Location:
    """Where the values are. What a local refers to never changes, so that this is no access."""
    port = current_port()
    ((_, values),) = port.read(port.locate(local._location))
    return port.locate(values._location)


def capture_local(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a `local` that was made before the threads: what setup put there is its own.

    `walk` is that of `program.capture`.
    """

    def hidden(kind: type[Any], of: object) -> Any:
        def make(number: int) -> Any:
            location = walk.location("", number, group=f"{kind.__name__} of {path}")
            location.shown = False
            return kind(number, location)

        return walk.stand_in((path, kind), make, of)

    made = hidden(Local, real)
    values = hidden(SharedDict, made)
    walk.contents[made._location.number] = (("values", values),)
    walk.contents[values._location.number] = Bag()
    return made


def make_local() -> Any:
    """`threading.local()` in a running thread."""
    port = current_port()
    values = port.make(Kind(SharedDict), Bag())
    return port.make(Kind(Local), (("values", values),))
