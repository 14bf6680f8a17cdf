"""What is seen while code of a model runs, besides what the code gives."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import contextmanager

from interleave.errors import Place


class Findings:
    """What was seen in one run, or in all runs of one program."""

    __slots__ = ("asked", "compiled", "constants", "entered", "followed", "started", "written")

    def __init__(self) -> None:
        self.followed: dict[types.CodeType, None] = {}
        """The functions that were run as copies: not those that were run block by block."""
        self.compiled: dict[types.FunctionType, None] = {}
        """The functions that were to be run block by block."""
        self.entered: dict[str, None] = {}
        """The critical sections that threads have entered."""
        self.asked: dict[str, Place] = {}
        """Those that properties have asked for, and where."""
        self.written: dict[str, None] = {}
        """Keys of the locations that some step has written."""
        self.started: dict[str, None] = {}
        """Names of the threads that other threads have started."""
        self.constants: dict[str, str] = {}
        """Locations that some step has looked at and nothing writes: their keys and names."""

    def add(self, other: Findings) -> None:
        """Take in what was seen elsewhere, after what was seen here."""
        for name in Findings.__slots__:
            if found := getattr(other, name):
                getattr(self, name).update(found)

    @contextmanager
    def apart(self, *, kept: bool = True) -> Iterator[Findings]:
        """What is seen meanwhile, by itself. It is added at the end, if it is to be kept."""
        before, now = Findings(), Findings()
        before._become(self)
        self._become(now)
        try:
            yield now
        finally:
            self._become(before)
            if kept:
                self.add(now)

    def _become(self, other: Findings) -> None:
        for name in Findings.__slots__:
            setattr(self, name, getattr(other, name))
