"""Capturing what processes share and the heap cannot take for one primitive: memory and pipes."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from interleave.errors import ModelError
from interleave.stdlib.multiprocessing import memory, pipes


def capturing(real: Any) -> Callable[..., Any] | None:
    """What makes the stand-in of a real object; None where the heap knows how.

    It is given the walk of `program.capture`, the object, and its path.
    """
    if type(real) is Connection:
        return capture_connection
    return capture_memory if memory.is_shared_memory(real) else None


def capture_memory(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of a `Value` or `Array` of multiprocessing."""
    values = memory.contents(real)
    lock = memory.lock_of(real)
    is_array = memory.is_array(real)

    def make(number: int) -> Any:
        locations = [
            walk.location(f"{path}[{place}]", number, group=path)
            if is_array
            else walk.location(path, number)
            for place in range(len(values))
        ]
        return memory.class_of(real)(number, tuple(locations), memory.kind_of(real))

    shape = (memory.class_of(real), memory.kind_of(real), len(values))
    made = walk.stand_in((path, shape), make, real)
    if lock is not None:
        made.give_lock(walk.visit(lock, f"{path}.get_lock()"))
    for location, value in zip(made._locations, values, strict=True):
        walk.contents[location.number] = value
    return made


def capture_connection(walk: Any, real: Any, path: str) -> Any:
    """The stand-in of one end of a pipe; the other end, once it is met, is its `peer`."""
    made = walk.stand_in(
        (path, (pipes.Connection, real.readable, real.writable)),
        lambda number: pipes.Connection(number, walk.location(path, number)),
        real,
    )
    made.readable, made.writable = real.readable, real.writable
    partner = next((each for each in walk.connections if pipes.are_partners(each, real)), None)
    walk.connections.append(real)
    if partner is not None:
        other = walk.known[id(partner)]
        if {id(made.peer), id(other.peer)} - {id(None), id(made), id(other)}:
            raise ModelError(
                "setup connects pipes in more than one way",
                remedy="make the same pipes whatever the choices in setup are",
            )
        made.peer, other.peer = other, made
        # What it holds was taken out when it was met.
        known = walk.contents[other._location.number]
        walk.contents[other._location.number] = known._replace(alone=False)
    walk.contents[made._location.number] = pipes.as_state(real, partner)
    return made
