"""What running a program shows that it lacks: it must be made again, with that known."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

from interleave.compiler import Swallow
from interleave.errors import ModelError
from interleave.program.heap import RoomOwner
from interleave.program.spawned import SpawnKey

_MOST_OF_A_NAME = 100
"""So many objects of one name are met late at most."""


class Discoveries:
    """What the programs of one model have lacked so far: the next one is made with it.

    `written` names locations that some code writes, `swallowing` has each `with` that has swallowed
    an exception, `spawned` says which threads make how many others, and `rooms` how many objects;
    `roots` has objects of Python's that code comes by, by name, `method_names` the names of methods
    of theirs, and `attributes` those of what is got or set by code that runs block by block.
    """

    def __init__(self) -> None:
        self.written: frozenset[str] = frozenset()
        self.swallowing: frozenset[Swallow] = frozenset()
        self.spawned: Counter[SpawnKey] = Counter()
        self.rooms: Counter[RoomOwner] = Counter()
        self.roots: dict[str, Any] = {}
        self.method_names: frozenset[str] = frozenset()
        self.attributes: frozenset[str] = frozenset()

    def with_written(self, more: frozenset[str]) -> Discoveries:
        """The same, and that some code writes more."""
        found = copy.copy(self)
        found.written |= more
        found.spawned, found.rooms = Counter(self.spawned), Counter(self.rooms)
        return found


class Restart(Exception):
    """The program must be made again, for it does not have what running it has come by."""

    is_ordered: ClassVar[bool] = False
    """Whether it makes a difference before or after what else it was found out."""

    def add_to(self, known: Discoveries) -> None:
        """Add what was found out to what was known before."""
        raise NotImplementedError


class Written(Restart):
    """A location that was taken for a constant is written: capture again, with its key known."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def add_to(self, known: Discoveries) -> None:
        known.written |= {self.key}


class Swallowed(Restart):
    """A `with` has swallowed an exception: what is used behind it is needed all the while in it."""

    def __init__(self, which: Swallow) -> None:
        super().__init__(which)
        self.which = which

    def add_to(self, known: Discoveries) -> None:
        known.swallowing |= {self.which}


class MoreRoots(Restart):
    """Code has come by an object that was not captured: capture it, by the name it has here."""

    is_ordered = True

    def __init__(self, roots: Mapping[str, Any]) -> None:
        super().__init__(", ".join(roots))
        self.roots = roots

    def add_to(self, known: Discoveries) -> None:
        """Add them. Raises `ModelError` for what is another object each time."""
        found = {**known.roots}
        for name, value in self.roots.items():
            others = sum(1 for each in found if each.rstrip("'") == name)
            if others > _MOST_OF_A_NAME:
                raise ModelError(
                    f"{name} is another object in each run of setup, where it is not seen who "
                    "shares it",
                    remedy="make it at import, or keep it in an attribute of the model",
                )
            found[name + "'" * others] = value
        known.roots = found


class MoreNames(Restart):
    """Code has come by classes with methods of these names, which calls may be of."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names

    def add_to(self, known: Discoveries) -> None:
        known.method_names |= self.names


class MoreAttributes(Restart):
    """Code that gets or sets attributes of these names cannot be run as a whole."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names

    def add_to(self, known: Discoveries) -> None:
        known.attributes |= self.names


class MoreRooms(Restart):
    """A thread makes more objects than there is room for."""

    def __init__(self, key: RoomOwner) -> None:
        super().__init__(key)
        self.key = key

    def add_to(self, known: Discoveries) -> None:
        known.rooms[self.key] += 1


class MoreThreads(Restart):
    """A thread makes one more thread than there are."""

    is_ordered = True

    def __init__(self, key: SpawnKey) -> None:
        super().__init__(key)
        self.key = key

    def add_to(self, known: Discoveries) -> None:
        known.spawned[self.key] += 1
