"""What can be measured: one interface for interleave and for its peers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from cases import Case

TEXTS = Path(__file__).parent / "texts"
"""The models as the peers read them."""


@dataclass(frozen=True)
class Measured:
    """One run of one engine on one case."""

    wall: float
    """Seconds for the whole command."""
    search: float
    """Seconds for the search alone, as the engine says; 0 where that is too short for its clock."""
    cpu: float
    """Seconds of processor time for the whole command."""
    peak: int
    """Bytes of memory at most."""
    states: int
    transitions: int
    rounded: int = 0
    """The engine rounds transitions: they may be off by so many."""


class TooSlow(Exception):
    """A run took longer than it was given, and was stopped."""


class Engine(ABC):
    """Something that explores the state graph of a case."""

    name: str
    """For the table: "SPIN"."""
    peer = True
    """Whether it is something other than interleave."""

    @abstractmethod
    def unavailable(self) -> str:
        """Why it cannot be run on this machine, in words; empty if it can."""

    @abstractmethod
    def version(self) -> str:
        """Name and version, for the description of the machine."""

    @abstractmethod
    def prepare(self, case: Case, folder: Path, limit: float) -> float | None:
        """Do what need not be repeated; `folder` is for files. Returns the seconds to compile.

        None where there is nothing to compile. Raises `TooSlow` and `Failed`.
        """

    @abstractmethod
    def run(self, case: Case, folder: Path, limit: float) -> Measured:
        """Explore a case that was prepared. Raises `TooSlow` and `Failed`."""
