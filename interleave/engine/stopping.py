"""What ends a search, or a pass over what it found, before its end; and what becomes of that.

Everything that is done to check a model is done in phases of a `Guard`. A phase is cut short by
Ctrl-C, by a deadline, or for want of memory. Its guard notes why, and what was found by then stays:
whoever opens a phase goes on behind it with less.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from interleave.engine.resources import shortage
from interleave.records import dataclass

LOOK_EVERY = 0.1
"""Seconds from one look at the memory of this process to the next."""

Kind = Literal["interrupted", "states", "seconds", "memory", "violation"]


@dataclass(frozen=True)
class Stop:
    """Why something ended before its end; `where` names the pass, if it was not the search."""

    kind: Kind
    words: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.words}, {self.where}" if self.where else self.words


INTERRUPTED = Stop("interrupted", "interrupted")
FIRST_VIOLATION = Stop("violation", "stopped at the first violation")


def too_many_states(most: int) -> Stop:
    """That a search has come to as many states as it may."""
    return Stop("states", f"reached the limit of {most:,} states")


class Stopped(Exception):
    """Ends the phase that it is raised in."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(str(stop))
        self.stop = stop


class Phase:
    """One thing that is done under a guard. `stop` says what cut it short; None: nothing did."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.stop: Stop | None = None


class Guard:
    """Ends what is done to check one model: the search, the checks, the traces, the counts.

    `seconds` bound the search, and then, with `renew`, what is made of it.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.stop: Stop | None = None
        """The first that cut something short; an interrupt counts for more than a limit."""
        self._seconds = seconds
        self._phase: Phase | None = None
        self._look_at = 0.0
        self.renew()

    def renew(self) -> None:
        """Give as many seconds once more, from now on."""
        self._deadline = None if self._seconds is None else time.monotonic() + self._seconds

    @contextmanager
    def phase(self, where: str = "") -> Iterator[Phase]:
        """What is done here may be cut short. Then so is the phase around it, at its next `poll`.

        `where` says in words what it is, for the limits that it comes to.
        """
        outer = self._phase
        phase = self._phase = Phase(where or (outer.where if outer is not None else ""))
        try:
            yield phase
        except KeyboardInterrupt:
            self.note(INTERRUPTED)
        except Stopped as stopped:
            self.note(stopped.stop)
        finally:
            self._phase = outer
        if outer is not None:
            outer.stop = _graver(outer.stop, phase.stop)

    @contextmanager
    def finishing(self) -> Iterator[Phase]:
        """A phase that takes but a moment: it is cut short by a second Ctrl-C only."""
        with self.phase() as phase, held_back():
            yield phase

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
        now = time.monotonic()
        if self._deadline is not None and now > self._deadline:
            raise Stopped(Stop("seconds", f"reached the limit of {self._seconds:g} seconds"))
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            if short := shortage():
                raise Stopped(Stop("memory", short))


def _graver(known: Stop | None, new: Stop | None) -> Stop | None:
    if known is None or (new is not None and new.kind == "interrupted"):
        return new
    return known


@contextmanager
def held_back() -> Iterator[None]:
    """Hold Ctrl-C back until the end of what is done here, all but a second one."""
    is_main = threading.current_thread() is threading.main_thread()
    usual = signal.getsignal(signal.SIGINT) if is_main else None
    if usual is None:  # nobody is interrupted here, or not by Python
        yield
        return
    held = False

    def hold(*_: object) -> None:
        nonlocal held
        if held:
            raise KeyboardInterrupt
        held = True

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if held:
            signal.raise_signal(signal.SIGINT)
