"""The log of a block: what its accesses gave, for the block to be run again from its beginning."""

from __future__ import annotations

from collections.abc import Iterable

from interleave.memory.values import Key

GAVE, RAISED = "gave", "raised"
"""First item of an entry: what follows is what the access gave, or the exception it raised."""

INTERRUPTED = "raised by a handler"
"""The same as `RAISED`; but a handler has raised it, which has come in before the access."""

STORED = "gave, and has stored what the block had made"
"""The same as `GAVE`; but to run the block again would make another object than it stored."""


class Log:
    """The entries of one block, one for each access."""

    __slots__ = ("cursor", "entries")

    def __init__(self) -> None:
        self.entries: list[Key] = []
        self.cursor = 0
        """How many accesses the present run of the block has come by."""

    def take(self) -> Key | None:
        """The entry of the access that the run has come to; None where it is the first time."""
        if self.cursor == len(self.entries):
            return None
        self.cursor += 1
        return self.entries[self.cursor - 1]

    def add(self, entry: Key) -> None:
        """Note what an access gave that was performed for the first time."""
        self.entries.append(entry)
        self.cursor += 1

    def cut(self, length: int) -> None:
        """Forget all entries but the first ones."""
        del self.entries[length:]
        self.cursor = length

    def mark_stored(self, places: Iterable[int]) -> None:
        """Note that the accesses with these entries have stored what the block had made."""
        for place in places:
            self.entries[place] = (STORED, *self.entries[place][1:])

    @property
    def has_stored(self) -> bool:
        """Whether an access has stored what the block had made."""
        return any(entry[0] == STORED for entry in self.entries)
