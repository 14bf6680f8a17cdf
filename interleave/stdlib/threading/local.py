"""`local`, after docs.python.org/3.12/library/threading.html#thread-local-data.

What a thread keeps there nobody else can see, so that looking at it is no step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from interleave.memory.bag import Bag
from interleave.memory.containers import SharedDict
from interleave.memory.identity import ThreadId
from interleave.memory.made import Kind
from interleave.memory.port import WHOLE, AccessKind, Location, current_port
from interleave.memory.values import UNBOUND, Shared

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
        if (found := look(self, name)) is UNBOUND:
            raise _lacks(name)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        put(self, name, value)

    def __delattr__(self, name: str) -> None:
        if not drop(self, name):
            raise _lacks(name)

    @staticmethod
    def forget(local: Local, thread: ThreadId) -> None:
        """Let go of what an ended thread kept there."""
        port = current_port()
        store = _store(local)
        values = port.read(store)
        kept = Bag(each for each in values if each[0][0] != thread)
        if kept != values:
            port.write(store, kept)


First = Mapping[str, Any] | None
"""What a thread begins with that comes by a `local` for the first time, by name; None where it has
begun.
"""

_BEGUN = ""
"""The name under which a thread keeps that it has begun."""


def look(local: Local, name: str, first: First = None) -> Any:
    """What the running thread keeps under a name; `UNBOUND` for nothing."""
    return _access(local, name, lambda values, key: values.get(key, UNBOUND), first)


def put(local: Local, name: str, value: object, first: First = None) -> None:
    """Have the running thread keep something."""
    _access(local, name, lambda values, key: values.update({key: value}), first, changes=True)


def drop(local: Local, name: str, first: First = None) -> bool:
    """Have the running thread keep nothing under a name. Whether it did."""
    found = _access(local, name, lambda values, key: values.pop(key, UNBOUND), first, changes=True)
    return found is not UNBOUND


def has_begun(local: Local) -> bool:
    """Whether the running thread has come by it before."""
    return look(local, _BEGUN) is not UNBOUND


def _lacks(name: str) -> AttributeError:
    return AttributeError(f"'_thread._local' object has no attribute {name!r}")


def _access(
    local: Local,
    name: str,
    effect: Callable[[dict[Any, Any], Any], Any],
    first: First,
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
        if first is not None:
            values[port.thread, _BEGUN] = True
            for each, value in first.items():
                values[port.thread, each] = port.give_away(value, each)
        result = effect(values, key)
        if changes or first is not None:
            port.write(store, Bag(values.items()), part=(key,) if first is None else WHOLE)
        return result

    return port.access(AccessKind("", store), perform, private=True)


def _contents(local: Local) -> dict[str, Any]:
    """What a local refers to never changes, so that this is no access."""
    port = current_port()
    return dict(port.read(port.locate(local._location)))


def _store(local: Local) -> Location:
    """Where the values are."""
    return current_port().locate(_contents(local)["values"]._location)


def made_with(local: Local) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What an instance of a class that derives from `local` was made with."""
    args, kwargs = _contents(local)["made with"]
    return args, dict(kwargs)


def capture_local(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a `local` that was made before the threads.

    `walk` is that of `program.capture`.
    """
    return captured_local(walk, real, path, kept_before(real))


def kept_before(real: threading.local) -> dict[str, Any]:
    """What the real thread that has run all before the threads keeps in a real one, by name."""
    return dict(threading.local.__getattribute__(real, "__dict__"))


def captured_local(
    walk: Any,
    real: Any,
    path: str,
    kept: Mapping[str, Any],
    more: tuple[tuple[str, Any], ...] = (),
) -> Any:
    """The stand-in of one in which what was `kept` before is that of the body of a script or test,
    and else nobody's; with what it has besides, by name.
    """

    def hidden(kind: type[Any], of: object) -> Any:
        def make(number: int) -> Any:
            location = walk.location("", number, group=f"{kind.__name__} of {path}")
            location.shown = False
            return kind(number, location)

        return walk.stand_in((path, kind), make, of)

    made = hidden(Local, real)
    values = hidden(SharedDict, made)
    besides = tuple((name, walk.visit(part, path)) for name, part in more)
    walk.contents[made._location.number] = (("values", values), *besides)
    mine = () if walk.body is None else {_BEGUN: True, **kept}.items()
    walk.contents[values._location.number] = Bag(
        ((walk.body, name), walk.visit(value, f"{path}.{name}")) for name, value in mine
    )
    return made


def make_local() -> Any:
    """`threading.local()` in a running thread."""
    return _made()


def local_with(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What is behind an instance of a class that derives from it, of which `__init__` is about to
    run for the running thread.
    """
    made = _made(("made with", (args, tuple(kwargs.items()))))
    put(made, _BEGUN, True)
    return made


def _made(*more: tuple[str, Any]) -> Any:
    port = current_port()
    values = port.make(Kind(SharedDict), Bag())
    return port.make(Kind(Local), (("values", values), *more))
