"""From a model class to a program: threads, properties, and the heap they share."""

from interleave.program.heap import Heap, RoomOwner
from interleave.program.program import Program
from interleave.program.restarts import MoreRooms, MoreThreads, Written
from interleave.program.spawned import SpawnKey
from interleave.program.threads import Property, ThreadInstance

__all__ = [
    "Heap",
    "MoreRooms",
    "MoreThreads",
    "Program",
    "Property",
    "RoomOwner",
    "SpawnKey",
    "ThreadInstance",
    "Written",
]
