"""What running a program shows that it lacks: it must be made again, with that known."""

from __future__ import annotations

from interleave.program.heap import RoomOwner
from interleave.program.spawned import SpawnKey


class Restart(Exception):
    """The program must be made again, for it does not have what running it has come by."""


class Written(Restart):
    """A location that was taken for a constant is written: capture again, with its key known."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class MoreRooms(Restart):
    """A thread makes more objects than there is room for."""

    def __init__(self, key: RoomOwner) -> None:
        super().__init__(key)
        self.key = key


class MoreThreads(Restart):
    """A thread makes one more thread than there are."""

    def __init__(self, key: SpawnKey) -> None:
        super().__init__(key)
        self.key = key
