"""What ends a search, or a pass over what it found, before its end; and what becomes of that.

Everything that is done to check a model is done in phases of a `Guard`. A phase is cut short by
Ctrl-C, by a deadline, or for want of memory. Its guard notes why, and what was found by then stays:
whoever opens a phase goes on behind it with less.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from interleave import interrupts
from interleave.engine.resources import shortage
from interleave.interrupts import (
    ANYWHERE,
    INTERRUPTED,
    NOWHERE,
    Stop,
    Stopped,
    held_back,
    limited,
)

__all__ = [
    "FIRST_VIOLATION",
    "INTERRUPTED",
    "Guard",
    "Phase",
    "Stop",
    "Stopped",
    "held_back",
    "too_many_states",
]

LOOK_EVERY = 0.1
"""Seconds from one look at the memory of this process to the next."""

FIRST_VIOLATION = Stop("violation", "stopped at the first violation")
NO_MEMORY = Stop("memory", "the system gave no more memory")


def too_many_states(most: int) -> Stop:
    """That a search has come to as many states as it may."""
    return Stop("states", f"reached the limit of {most:,} states")


class Phase:
    """One thing that is done under a guard. `stop` says what cut it short; None: nothing did."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.stop: Stop | None = None


class Guard:
    """Ends what is done to check one model: the search, the checks, the traces, the counts.

    `seconds` bound the search, and then, with `renew`, what is made of it; `memory` is what this
    process may have, in bytes (None: what there is, less a margin).
    """

    def __init__(self, seconds: float | None = None, memory: int | None = None) -> None:
        self.stop: Stop | None = None
        """The first that cut something short; an interrupt counts for more than a limit."""
        self._seconds = seconds
        self._memory = memory
        self._phase: Phase | None = None
        self._look_at = 0.0
        self.renew()

    def renew(self) -> None:
        """Give as many seconds once more, from now on."""
        self._deadline = None
        if self._seconds is not None:
            self._deadline = time.monotonic() + self._seconds
            interrupts.tell_deadline(self._deadline)

    @contextmanager
    def phase(self, where: str = "") -> Iterator[Phase]:
        """What is done here may be cut short. Then so is the phase around it, at its next `poll`.

        `where` says in words what it is, for the limits that it comes to.
        """
        with self._phase_of(where, ANYWHERE) as phase:
            yield phase

    @contextmanager
    def finishing(self) -> Iterator[Phase]:
        """A phase that takes but a moment: it is cut short by a second Ctrl-C only."""
        with self._phase_of("", NOWHERE) as phase:
            yield phase

    @contextmanager
    def _phase_of(self, where: str, leave: int) -> Iterator[Phase]:
        outer = self._phase
        phase = Phase(where or (outer.where if outer is not None else ""))
        usual = interrupts.where_left()
        leave = NOWHERE if usual == NOWHERE else leave
        with limited(self._limit_of_phase):
            try:
                self._phase = phase
                interrupts.leave_only(leave)
                yield phase
                interrupts.leave_only(NOWHERE)
            except (Stopped, KeyboardInterrupt, MemoryError) as ended:
                interrupts.leave_only(NOWHERE)
                self.note(_reason(ended))
            finally:
                if usual != NOWHERE:
                    self.note(interrupts.take())
                self._phase = outer
                if outer is not None:
                    outer.stop = _graver(outer.stop, phase.stop)
                interrupts.leave_only(usual)

    def note(self, stop: Stop | None) -> None:
        """Take note that something, if anything, has cut this phase short."""
        phase = self._phase
        if phase is not None:
            if stop is not None and stop.kind != "interrupted" and not stop.where:
                stop = replace(stop, where=phase.where)
            phase.stop = _graver(phase.stop, stop)
        self.stop = _graver(self.stop, stop)

    def poll(self) -> None:
        """Raise `Stopped` where it is time to end. To be called now and then."""
        if self._phase is not None and self._phase.stop is not None:
            raise Stopped(self._phase.stop)
        interrupts.poll()
        if stop := self._deadline_passed() or self._memory_taken():
            raise Stopped(stop)

    def _limit_of_phase(self) -> Stop | None:
        """The limit that is to cut the present phase short, unless one within it was: then it ends
        by itself, with what that one has found.
        """
        is_cut = self._phase is not None and self._phase.stop is not None
        return None if is_cut else self._deadline_passed()

    def _deadline_passed(self) -> Stop | None:
        if self._deadline is None or time.monotonic() <= self._deadline:
            return None
        return Stop("seconds", f"reached the limit of {self._seconds:g} seconds")

    def _memory_taken(self) -> Stop | None:
        if (now := time.monotonic()) < self._look_at:
            return None
        self._look_at = now + LOOK_EVERY
        short = shortage(self._memory)
        return Stop("memory", short) if short else None


def _reason(ended: BaseException) -> Stop:
    if isinstance(ended, Stopped):
        return ended.stop
    return NO_MEMORY if isinstance(ended, MemoryError) else INTERRUPTED


def _graver(known: Stop | None, new: Stop | None) -> Stop | None:
    if known is None or (new is not None and new.kind == "interrupted"):
        return new
    return known
