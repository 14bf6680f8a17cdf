"""Timers, after pkg.go.dev/time of Go 1.25.

A model has no clock. A timer may fire at any moment, a ticker may tick at any moment: when somebody
waits for it, or asks. As since Go 1.23, a timer that was stopped or reset gives nothing any more,
and one that nobody waits for keeps nobody from a deadlock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from interleave.go.base import Panic, new
from interleave.go.channels import Channel, ChanState
from interleave.go.goroutines import named, spawn
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import stepwise

TICK = "a time"
"""What timers send. No two of these can be told apart."""

PENDING, FIRED, STOPPED = "pending", "fired", "stopped"

Nanosecond, Microsecond, Millisecond = 1, 10**3, 10**6
Second, Minute, Hour = 10**9, 60 * 10**9, 3600 * 10**9


def Sleep(duration: float) -> None:
    """A step that touches nothing: others may run meanwhile, for any time."""
    current_port().access(AccessKind("sleep"), lambda: None)


class Timer(Channel):
    """`time.Timer`; it is its own channel `C`."""

    @classmethod
    def zero(cls, duration: float) -> object:
        """`time.NewTimer`."""
        return ChanState(0, more=PENDING)

    @classmethod
    def describe(cls, state: Any) -> str:
        return str(state.more)

    @property
    def C(self) -> Timer:
        """The channel that it sends to."""
        return self

    def alarms(self) -> Sequence[Callable[[], None]]:
        return [self._fire] if self.state.more == PENDING else []

    def _fire(self) -> None:
        # For who makes it fire: that one takes it in the same access.
        self.state = self.state._replace(more=FIRED, buffer=(TICK,))

    def Stop(self) -> bool:
        """Keep it from firing; whether it had not fired."""
        return self._end("time.Timer.Stop", STOPPED)

    def Reset(self, duration: float) -> bool:
        """Have it fire once more; whether it had not fired."""
        return self._end("time.Timer.Reset", PENDING)

    def _end(self, called: str, after: str) -> bool:
        def effect() -> bool:
            was_pending = self.state.more == PENDING and bool(
                (True, False)[current_port().choose((True, False))]
            )
            self.state = self.state._replace(more=after, buffer=())
            return was_pending

        return bool(self.operate(called, effect))

    def expires(self) -> bool:
        """Whether the function of an `AfterFunc` is to be called: it was not stopped."""

        def effect() -> bool:
            if self.state.more == PENDING:
                self.state = self.state._replace(more=FIRED)
            return bool(self.state.more == FIRED)

        return bool(self.operate("timer", effect))


class AfterFuncTimer(Timer):
    """What `time.AfterFunc` gives: it has fired when its goroutine has got to run."""

    def _end(self, called: str, after: str) -> bool:
        def effect() -> bool:
            was_pending: bool = self.state.more == PENDING
            if was_pending:
                self.state = self.state._replace(more=after)
            return was_pending

        return bool(self.operate(called, effect))


class Ticker(Channel):
    """`time.Ticker`; it is its own channel `C`."""

    @classmethod
    def zero(cls, duration: float) -> object:
        """`time.NewTicker`."""
        if duration <= 0:
            raise Panic("non-positive interval for NewTicker")
        return ChanState(0, more=PENDING)

    @classmethod
    def describe(cls, state: Any) -> str:
        return "ticking" if state.more == PENDING else str(state.more)

    @property
    def C(self) -> Ticker:
        """The channel that it sends to."""
        return self

    def alarms(self) -> Sequence[Callable[[], None]]:
        return [self._tick] if self.state.more == PENDING else []

    def _tick(self) -> None:
        self.state = self.state._replace(buffer=(TICK,))

    def Stop(self) -> None:
        """Have it tick no more."""
        self._set("time.Ticker.Stop", STOPPED)

    def Reset(self, duration: float) -> None:
        """Have it tick."""
        self._set("time.Ticker.Reset", PENDING)

    def _set(self, called: str, more: str) -> None:
        def effect() -> None:
            self.state = self.state._replace(more=more)

        self.operate(called, effect)


NewTimer = new(Timer)
NewTicker = new(Ticker)
_new_after_func = new(AfterFuncTimer)


def After(duration: float) -> Any:
    """A channel that gets a value at some moment."""
    return NewTimer(duration)


def Tick(duration: float) -> Any:
    """A channel that gets values for ever."""
    return NewTicker(duration)


def AfterFunc(duration: float, f: Callable[[], Any]) -> Any:
    """Call `f` in a goroutine of its own, at some moment, unless it is stopped before."""
    made = _new_after_func(duration)
    spawn(_call_later, made, f)
    return made


@stepwise
@named("time.AfterFunc")
def _call_later(made: Timer, f: Callable[[], Any]) -> None:
    """The goroutine of an `AfterFunc`."""
    if made.expires():
        f()
