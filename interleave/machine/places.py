"""The places of a state, as one step sees them."""

from __future__ import annotations

from interleave.compiler import Code
from interleave.memory.port import Location


class Places:
    """The value id at each place of the state: the one before the step, or what the step wrote."""

    __slots__ = ("before", "constants", "looked_at", "looks", "parameters", "written")

    def __init__(self, before: tuple[int, ...]) -> None:
        self.before = before
        self.written: dict[int, int] = {}
        self.looked_at: dict[int, None] = {}
        """The places whose values before the step have decided something, in order."""
        self.constants: dict[str, str] = {}
        """Constants that were looked at: their keys and names."""
        self.looks: dict[tuple[Location, tuple[Code, int]], None] = {}
        """The same, each with the blocks that looked at it."""
        self.parameters: dict[str, str] = {}
        """Parameters of the model that were looked at, in the same way."""

    def at(self, index: int) -> int:
        """The value id that is at a place now, which is looked at if need be."""
        written = self.written
        if index in written:
            return written[index]
        self.looked_at[index] = None
        return self.before[index]
