"""What checks of a model have learnt, from one to the next.

A check begins with what the last one has found out of the program, and knows its cases, if all that
they depend on is the same (`fingerprint`). What was cut short is not kept, and neither is what
cannot be written down.
"""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable, Iterable

from interleave.machine import Machine
from interleave.model import Model
from interleave.program import Discoveries, Program
from interleave.recorded.store import Store

FEWEST = 40
"""Cases that are worth a file. To read it takes as long as to learn so many."""


class Memory:
    """What is known of one model, checked in one way: `asked` says in which."""

    def __init__(self, model: type[Model], file: str, asked: Iterable[object]) -> None:
        named = (model.__module__, model.__qualname__)
        self._of = repr((os.path.abspath(file), *named, sys.version, *asked))
        self._model = model
        self._store = Store()

    @property
    def _name(self) -> str:
        text = self._of.encode("utf-8", "backslashreplace")
        return f"{zlib.crc32(text):08x}{zlib.crc32(text, 1):08x}"

    def recall(self, make: Callable[[Discoveries], Program]) -> tuple[Machine, Discoveries] | None:
        """A machine that knows the cases, and what its program is made with; None where nothing is
        known.
        """
        lines = self._store.read(self._name)
        if lines is None or lines[0] != self._of:
            return None
        from interleave.recorded.lines import machine_of  # which most checks have no need of

        return machine_of(lines[1:], self._model, make)

    def keep(self, machine: Machine, known: Discoveries) -> None:
        """Have the next check know what this one has learnt, where that can be."""
        cases = machine.cases
        if not cases.ran or len(cases.learnt) < FEWEST:
            return
        from interleave.recorded.lines import lines_of

        lines = lines_of(machine, known)
        if lines is not None:
            self._store.write(self._name, [self._of, *lines])
