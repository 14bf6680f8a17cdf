"""The accesses of a step."""

from __future__ import annotations

from interleave.machine.step import AccessRecord
from interleave.memory.port import AccessKind


class Accesses:
    """What a step has accessed so far, and the access that is being performed."""

    __slots__ = ("done", "entered", "present")

    def __init__(self) -> None:
        self.done: list[AccessRecord] = []
        """All of them, the present one too."""
        self.present: AccessRecord | None = None
        self.entered: list[str] = []
        """The critical sections that were entered."""

    def begin(self, record: AccessRecord) -> None:
        """Perform an access."""
        self.done.append(record)
        self.present = record

    def rename(self, kind: AccessKind) -> None:
        """Say what the present access is, where that was not known before."""
        if self.present is not None:
            self.present.kind = kind
