"""The log of a block: what its accesses gave, for the block to be run again from its beginning."""

from __future__ import annotations

from collections.abc import Iterable

from interleave.memory.port import AccessKind
from interleave.memory.values import Key

GAVE, RAISED = "gave", "raised"
"""First item of an entry: what follows is what the access gave, or the exception it raised."""

INTERRUPTED = "raised by a handler"
"""The same as `RAISED`; but a handler has raised it, which has come in before the access."""

STORED = "gave, and has stored what the block had made"
"""The same as `GAVE`; but to run the block again would make another object than it stored."""


_LENGTH = 2
"""Of an entry that does not say what it is an access of."""


class Log:
    """The entries of one block, one for each access."""

    __slots__ = ("_kinds", "cursor", "entries")

    def __init__(self) -> None:
        self.entries: list[Key] = []
        self._kinds: list[AccessKind] = []
        """What each of them was an access of, as far as the present run has come."""
        self.cursor = 0
        """How many accesses the present run of the block has come by."""

    def take(self, kind: AccessKind) -> Key | None:
        """The entry of the access that the run has come to; None where it is the first time. Raises
        `ValueError` where it is the entry of another one.
        """
        del self._kinds[self.cursor :]
        self._kinds.append(kind)
        if self.cursor == len(self.entries):
            return None
        self.cursor += 1
        entry = self.entries[self.cursor - 1]
        if len(entry) > _LENGTH and entry[_LENGTH] != _named(kind):
            raise ValueError
        return entry

    def add(self, entry: Key) -> None:
        """Note what an access gave that was performed for the first time."""
        self.entries.append(entry)
        self.cursor += 1

    @property
    def last(self) -> AccessKind | None:
        """What the last access is that the present run has come by; None where there was none."""
        return self._kinds[-1] if self._kinds else None

    def mark_kinds(self) -> None:
        """Note what they are accesses of: to look at what has become shared since is one more."""
        for place, entry in enumerate(self.entries):
            self.entries[place] = (*entry[:_LENGTH], _named(self._kinds[place]))

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


def _named(kind: AccessKind) -> Key:
    return (kind.name, kind.where)
