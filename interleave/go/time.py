"""Timers, after pkg.go.dev/time of Go 1.25.

A model has no clock. A timer may fire at any moment, a ticker may tick at any moment: when somebody
waits for it, or asks. One that nobody waits for keeps nobody from a deadlock.

Since Go 1.23 a timer sends when somebody receives: one that was stopped or reset gives nothing of
before, and `Stop` and `Reset` say that it was still to fire unless somebody has received it. Up to
Go 1.22 it sends to a buffer of one, where what it has sent stays until it is received.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from interleave.go.base import GoPrimitive, Panic, new, unmodelled
from interleave.go.channels import Channel, ChanState, nil
from interleave.go.goroutines import begin, named, spawn
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import stepwise
from interleave.runtimes.go import is_go_before

TICK = "a time"
"""What timers send. No two of these can be told apart."""

PENDING, FIRED, STOPPED = "pending", "fired", "stopped"

Nanosecond, Microsecond, Millisecond = 1, 10**3, 10**6
Second, Minute, Hour = 10**9, 60 * 10**9, 3600 * 10**9


def Sleep(duration: float) -> None:
    """A step that touches nothing: others may run meanwhile, for any time."""
    current_port().access(AccessKind("sleep"), lambda: None)


class _Alarm(Channel):
    """What sends at some moment: a timer, a ticker. It is its own channel `C`."""

    besides = frozenset({"cap", "recv", "recv_ok"})

    @property
    def C(self) -> Any:
        """The channel that it sends to."""
        return self

    def alarms(self) -> Sequence[Callable[[], None]]:
        return [self.ring] if self.state.more == PENDING else []

    def ring(self) -> None:
        """Send. Within an access of who makes it send: since Go 1.23, of who receives it."""
        self.state = self.state._replace(buffer=(TICK,))

    def __len__(self) -> int:
        def effect() -> int:
            self._may_have_rung()
            return len(self.state.buffer)

        return int(self.operate("len", effect)) if self._keeps() else 0

    def cap(self) -> int:
        """1 up to Go 1.22, then 0."""
        return int(self._keeps())

    def _keeps(self) -> bool:
        """Whether what it has sent waits to be received: up to Go 1.22."""
        return is_go_before(current_port().setting("GO_VERSION"), 23)

    def _may_have_rung(self) -> None:
        """What waits to be received may have come before this access."""
        for ring in self.alarms() if self._keeps() else ():
            if current_port().choose((False, True)):
                ring()

    def _set(self, called: str, more: str) -> bool:
        """Stop it, or let it begin again; whether it was still to send."""

        def effect() -> bool:
            self._may_have_rung()
            was_pending: bool = self.state.more == PENDING
            self.state = self.state._replace(more=more)
            return was_pending

        return bool(self.operate(called, effect))


class Timer(_Alarm):
    """`time.Timer`."""

    @classmethod
    def zero(cls, duration: float) -> object:
        """`time.NewTimer`."""
        return ChanState(0, more=PENDING)

    @classmethod
    def describe(cls, state: Any) -> str:
        return str(state.more)

    def ring(self) -> None:
        super().ring()
        self.state = self.state._replace(more=FIRED)

    def Stop(self) -> bool:
        """Keep it from firing; whether it was still to fire: nobody has received it."""
        return self._set("time.Timer.Stop", STOPPED)

    def Reset(self, duration: float) -> bool:
        """Have it fire once more; whether it was still to fire."""
        return self._set("time.Timer.Reset", PENDING)


class Ticker(_Alarm):
    """`time.Ticker`."""

    @classmethod
    def zero(cls, duration: float) -> object:
        """`time.NewTicker`."""
        if duration <= 0:
            raise Panic("non-positive interval for NewTicker")
        return ChanState(0, more=PENDING)

    @classmethod
    def describe(cls, state: Any) -> str:
        return "ticking" if state.more == PENDING else str(state.more)

    def Stop(self) -> None:
        """Have it tick no more."""
        self._set("time.Ticker.Stop", STOPPED)

    def Reset(self, duration: float) -> None:
        """Have it tick."""
        if duration <= 0:
            raise Panic("non-positive interval for Ticker.Reset")
        self._set("time.Ticker.Reset", PENDING)


class Call(NamedTuple):
    """The state of what calls a function at some moment. `begun`: a goroutine is to do so."""

    function: Any
    phase: str = PENDING
    begun: bool = True


class FuncTimer(GoPrimitive):
    """The `time.Timer` of an `AfterFunc`. It has fired when its goroutine has got to run."""

    C = nil

    @classmethod
    def zero(cls, function: Callable[[], Any]) -> object:
        """Its goroutine is begun beside."""
        return Call(function)

    @classmethod
    def describe(cls, state: Any) -> str:
        return str(state.phase)

    def Stop(self) -> bool:
        """Keep it from firing; whether it was still to fire."""

        def effect() -> bool:
            call: Call = self.state
            self.state = call._replace(phase=STOPPED)
            return call.phase == PENDING

        return bool(self.operate("time.Timer.Stop", effect))

    def Reset(self, duration: float) -> bool:
        """Have it fire, or fire once more; whether it was still to fire."""

        def effect() -> bool:
            call: Call = self.state
            self.state = call._replace(phase=PENDING, begun=True)
            if not call.begun:
                begin(_call_later, self, call.function)
            return call.phase == PENDING

        return bool(self.operate("time.Timer.Reset", effect))

    def expires(self) -> bool:
        """Whether the function is to be called: it was not stopped."""

        def effect() -> bool:
            call: Call = self.state
            fires = call.phase == PENDING
            self.state = call._replace(phase=FIRED if fires else call.phase, begun=False)
            return fires

        return bool(self.operate("timer", effect))


NewTimer = new(Timer)
NewTicker = new(Ticker)
_new_func_timer = new(FuncTimer)


def After(duration: float) -> Any:
    """A channel that gets a value at some moment."""
    return NewTimer(duration)


def Tick(duration: float) -> Any:
    """A channel that gets values for ever."""
    return NewTicker(duration)


def AfterFunc(duration: float, f: Callable[[], Any]) -> Any:
    """Call `f` in a goroutine of its own, at some moment, unless it is stopped before."""
    made = _new_func_timer(f)
    spawn(_call_later, made, f)
    return made


@stepwise
@named("time.AfterFunc")
def _call_later(made: FuncTimer, f: Callable[[], Any]) -> None:
    """The goroutine of an `AfterFunc`."""
    if made.expires():
        f()


__getattr__ = unmodelled("go.time")
