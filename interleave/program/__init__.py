"""From a model class to a program: threads, properties, and the heap they share."""

from interleave.program.heap import Heap, MoreRooms, RoomOwner, Written
from interleave.program.program import Program, Property, ThreadInstance
from interleave.program.rooms import MoreThreads, RoomKey

__all__ = [
    "Heap",
    "MoreRooms",
    "MoreThreads",
    "Program",
    "Property",
    "RoomKey",
    "RoomOwner",
    "ThreadInstance",
    "Written",
]
