"""What running a program shows that it lacks: it must be made again, with that known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from interleave.program.heap import RoomOwner
from interleave.program.spawned import SpawnKey


class Restart(Exception):
    """The program must be made again, for it does not have what running it has come by."""


class Written(Restart):
    """A location that was taken for a constant is written: capture again, with its key known."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class MoreRoots(Restart):
    """Code has come by an object that was not captured: capture it, by the name it has here."""

    def __init__(self, roots: Mapping[str, Any]) -> None:
        super().__init__(", ".join(roots))
        self.roots = roots


class MoreNames(Restart):
    """Code has come by classes with methods of these names, which calls may be of."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


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
