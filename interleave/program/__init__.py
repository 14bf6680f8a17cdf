"""From a model class to a program: threads, properties, and the heap they share."""

from interleave.program.heap import Heap, RoomOwner
from interleave.program.program import Program
from interleave.program.restarts import (
    Discoveries,
    MoreAttributes,
    MoreNames,
    MoreRooms,
    MoreRoots,
    MoreThreads,
    Restart,
    Swallowed,
    Written,
)
from interleave.program.spawned import SpawnKey
from interleave.program.threads import Property, ThreadInstance

__all__ = [
    "Discoveries",
    "Heap",
    "MoreAttributes",
    "MoreNames",
    "MoreRooms",
    "MoreRoots",
    "MoreThreads",
    "Program",
    "Property",
    "Restart",
    "RoomOwner",
    "SpawnKey",
    "Swallowed",
    "ThreadInstance",
    "Written",
]
