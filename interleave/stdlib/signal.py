"""The `signal` module: handlers, which the main thread installs, and signals that may come.

After docs.python.org/3.12/library/signal.html and Modules/signalmodule.c of CPython 3.12. When a
signal comes, the main thread runs its handler wherever it is, and then goes on. Here a thread of
its own stands for the main one meanwhile: see `machine.signals`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.identity import MODEL_PROCESS, ThreadId
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive, stepwise
from interleave.runtimes.handler import HANDLER
from interleave.stdlib.threads import Recurring
from interleave.world.refusal import Refused

_TIMERS = {
    "ITIMER_REAL": "SIGALRM",
    "ITIMER_VIRTUAL": "SIGVTALRM",
    "ITIMER_PROF": "SIGPROF",
}
_OF_TIMERS = frozenset(getattr(signal, name) for name in _TIMERS.values() if hasattr(signal, name))
"""Signals that come only when a timer was set."""

_IGNORED = frozenset(
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)
)
"""Signals that Python ignores unless told otherwise."""

FOR_NOBODY = frozenset(
    getattr(signal, name) for name in ("SIGKILL", "SIGSTOP") if hasattr(signal, name)
)
"""Signals that have no handlers."""

FRAME = Refused(
    ModelError(
        "a handler looks at the frame that its signal has interrupted",
        remedy="it may be anywhere: keep what a handler needs in shared variables",
    )
)
"""The second argument of a handler."""


class ByLoop(NamedTuple):
    """What is in the place of a handler where an event loop handles a signal: its callbacks."""

    handles: tuple[Any, ...]


class Installed(NamedTuple):
    """A signal, what handles it, and how often it may still come. If not `is_set`, that is what
    handles it by default, and it comes as often as threads have sent it.
    """

    number: int
    handler: Any
    left: int
    is_set: bool = True


class Interrupted(NamedTuple):
    """That the main thread runs a handler: `by` stands for it there. `inside` is the location of
    what it was using, of which it holds a lock meanwhile; -1 for nothing.
    """

    by: ThreadId
    inside: int


class SignalsState(NamedTuple):
    """What is installed, in the order in which it was; which handlers run, within each other; the
    exception that the last one to end has raised in what it has interrupted, with what that was
    `inside` of; the locations of what stays locked for good, because of such an exception; whether
    the main thread waits for any signal; and whether it is decided that none comes any more.
    """

    installed: tuple[Installed, ...] = ()
    running: tuple[Interrupted, ...] = ()
    raised: tuple[BaseException, int] | None = None
    left_locked: tuple[int, ...] = ()
    pausing: bool = False
    none_comes: bool = False

    def of(self, number: int) -> Installed | None:
        """What is known of a signal for which code has installed something."""
        return next((each for each in self.installed if each.number == number), None)

    def coming(self) -> list[Installed]:
        """The signals that may come, and have a handler."""
        if self.none_comes:
            return []
        return [each for each in self.installed if each.left and is_called(each.handler)]

    def by_loop(self, number: int) -> tuple[Any, ...] | None:
        """The callbacks by which an event loop handles a signal; None where none does."""
        known = self.of(number)
        by_loop = known is not None and isinstance(known.handler, ByLoop)
        return known.handler.handles if known is not None and by_loop else None

    def but(self, new: Installed) -> SignalsState:
        """The same, with something else known of one signal."""
        if self.of(new.number) is None:
            return self._replace(installed=(*self.installed, new))
        known = [new if each.number == new.number else each for each in self.installed]
        return self._replace(installed=tuple(known))

    def without(self, number: int) -> SignalsState:
        """The same, with nothing installed for one signal."""
        left = tuple(each for each in self.installed if each.number != number)
        return self._replace(installed=left)

    def is_locked(self, location: int) -> bool:
        """Whether a lock is held of what is at a location, by who does not run."""
        return location in self.left_locked or location in [each.inside for each in self.running]

    def threads(self, main: ThreadId) -> list[ThreadId]:
        """The main thread, and those that stand for it, each of which has interrupted the last."""
        return [main, *[each.by for each in self.running]]


class Signals(Primitive):
    """What is known of all signals. `most`: how often each may come, unless a program sends it."""

    main: ThreadId | None = None
    """The thread that installs handlers, and runs them; None where there is none."""
    most = 1

    @classmethod
    def said_of(cls, state: Any) -> str:
        return "no signal comes any more" if state.none_comes else ""

    def change(self, name: str, effect: Callable[[SignalsState], tuple[SignalsState, Any]]) -> Any:
        """One operation: what it makes of the state, and what it gives."""

        def run() -> Any:
            self.state, found = effect(self.state)
            return found

        return self.operate(name, run)

    def check_main(self) -> None:
        """Raise what Python raises where another thread than the main one installs a handler."""
        port = current_port()
        if port.tasks.in_loop:
            port.halt(_in_loop())
        if port.process != MODEL_PROCESS:
            port.halt(_in_process())
        if self.main is None:
            port.halt(_no_main())
        if port.thread != self.main:
            raise ValueError("signal only works in main thread of the main interpreter")


class Handling(Recurring):
    """What runs a handler in the place of the main thread."""

    thread_kind = HANDLER

    def is_waited_for(self) -> bool:
        return False


@stepwise
def handle(handler: Any, number: int) -> None:
    """What `Handling` runs."""
    handler(number, FRAME)


def is_called(handler: Any) -> bool:
    """Whether a signal with this handler calls something in the main thread, wherever that is."""
    return not isinstance(handler, signal.Handlers | ByLoop)


def name_of_signal(number: int) -> str:
    """What a signal is called."""
    return signal.Signals(number).name


def default_int_handler(signalnum: int, frame: Any, /) -> None:
    """`signal.default_int_handler`."""
    raise KeyboardInterrupt


def install(signalnum: int, handler: Any) -> Any:
    """`signal.signal`: gives what was installed before."""
    signals: Signals = current_port().signals
    current_port().switch_point()  # the real one is Python code
    number = checked(signalnum)
    if not (callable(handler) or isinstance(handler, signal.Handlers)):
        raise TypeError(
            "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object"
        )
    signals.check_main()
    if number in FOR_NOBODY:
        raise OSError(22, "Invalid argument")

    def effect(state: SignalsState) -> tuple[SignalsState, Any]:
        known = _directly(state, number)
        if known is None or not known.is_set:
            left = 0 if number in _OF_TIMERS else signals.most
            sent = 0 if known is None else known.left
            return state.but(Installed(number, handler, left + sent)), _default(number)
        return state.but(known._replace(handler=handler)), known.handler

    return signals.change("signal", effect)


def getsignal(signalnum: int) -> Any:
    """`signal.getsignal`."""
    signals: Signals = current_port().signals
    current_port().switch_point()  # the real one is Python code
    number = checked(signalnum)

    def effect(state: SignalsState) -> tuple[SignalsState, Any]:
        known = _directly(state, number)
        return state, _default(number) if known is None else known.handler

    return signals.change("getsignal", effect)


@stepwise
def raise_signal(signalnum: int) -> None:
    """`signal.raise_signal`, and `os.kill` of the own process."""
    handler = handler_or_none(signalnum)
    if handler is not None:
        handler(signalnum, FRAME)


def handler_or_none(signalnum: int) -> Any:
    """What the running thread is to call as it sends a signal; None where it goes on at once. One
    that another thread than the main one sends comes when it comes.
    """
    port = current_port()
    signals: Signals = port.signals
    number = checked(signalnum)

    def effect(state: SignalsState) -> tuple[SignalsState, Any]:
        known = _directly(state, number)
        handler = _default(number) if known is None else known.handler
        if handler is signal.SIG_DFL:
            port.halt(_ends(number))
        if handler is signal.SIG_IGN:
            return state, None
        if port.thread == signals.main:
            return state, handler
        known = known or Installed(number, handler, 0, is_set=False)
        return state.but(known._replace(left=known.left + 1))._replace(none_comes=False), None

    return signals.change("raise_signal", effect)


def pause() -> None:
    """`signal.pause`: wait until a handler has been called."""
    signals: Signals = current_port().signals
    signals.check_main()
    signals.change("pause", lambda state: (state._replace(pausing=True), None))

    def effect(state: SignalsState) -> tuple[SignalsState, Any]:
        if state.pausing:
            signals.block()
        return state, None

    signals.change("pause", effect)


def must_not_interrupt_a_loop() -> None:
    """Refuse that the present thread runs an event loop, if handlers interrupt it: they would come
    in where a task is. Within an access.
    """
    port = current_port()
    if not port.has_signals or port.thread != port.signals.main:
        return
    state: SignalsState = port.signals.state
    if any(is_called(each.handler) for each in state.installed):
        port.halt(
            ModelError(
                "an event loop runs in the thread that a handler of a signal interrupts",
                remedy="let the loop do it: loop.add_signal_handler(number, callback)",
            )
        )


def call_from_loop(number: int, handles: tuple[Any, ...]) -> tuple[Any, ...]:
    """Note the callbacks by which an event loop handles a signal. Gives those it had before."""
    signals: Signals = current_port().signals

    def effect(state: SignalsState) -> tuple[SignalsState, Any]:
        return state.but(Installed(number, ByLoop(handles), 0)), state.by_loop(number) or ()

    found: tuple[Any, ...] = signals.change("signal", effect)
    return found


def call_no_more_from_loop(number: int) -> tuple[Any, ...] | None:
    """Have no event loop handle a signal. Gives the callbacks it had; None where none does."""
    signals: Signals = current_port().signals

    def effect(state: SignalsState) -> tuple[SignalsState, Any]:
        found = state.by_loop(number)
        return state if found is None else state.without(number), found

    found: tuple[Any, ...] | None = signals.change("signal", effect)
    return found


def alarm(seconds: int, /) -> int:
    """`signal.alarm`: from then on SIGALRM may come, once."""
    return int(_set_timer(signal.SIGALRM, 1 if seconds else 0))


def setitimer(which: int, seconds: float, interval: float = 0.0, /) -> tuple[float, float]:
    """`signal.setitimer`: from then on its signal may come, and with an interval as often as any.

    Gives that nothing was set before, which is refused where something was.
    """
    names = (each for each in _TIMERS if getattr(signal, each, None) == which)
    name = next(names, None)
    if name is None:
        raise signal.ItimerError(22, "Invalid argument")
    most = current_port().signals.most if interval else 1
    _set_timer(getattr(signal, _TIMERS[name]), most if seconds else 0)
    return (0.0, 0.0)


def _set_timer(number: int, left: int) -> int:
    port = current_port()
    signals: Signals = port.signals

    def effect(state: SignalsState) -> tuple[SignalsState, Any]:
        known = state.of(number) or Installed(number, _default(number), 0)
        if known.handler is signal.SIG_DFL and left:
            port.halt(_ends(number))
        if known.left and left:
            port.halt(
                ModelError(
                    "a timer is set that may not have come yet",
                    remedy="stop it before: signal.setitimer(which, 0), signal.alarm(0)",
                )
            )
        return state.but(known._replace(left=left)), 0

    return int(signals.change("set timer", effect))


def checked(signalnum: Any) -> int:
    """The number of a signal. Raises what Python raises for others."""
    if not isinstance(signalnum, int):
        kind = type(signalnum).__name__
        raise TypeError(f"{kind!r} object cannot be interpreted as an integer")
    if signalnum not in signal.valid_signals():
        raise ValueError("signal number out of range")
    return int(signalnum)


def _default(number: int) -> Any:
    if number == signal.SIGINT:
        return default_int_handler
    return signal.SIG_IGN if number in _IGNORED else signal.SIG_DFL


def _directly(state: SignalsState, number: int) -> Installed | None:
    """What is known of a signal. One that an event loop handles is refused. Within an access."""
    if state.by_loop(number) is not None:
        current_port().halt(
            ModelError(
                f"an event loop handles {name_of_signal(number)}, which is sent, or looked at, or "
                "given a handler",
                remedy="it comes at any time, without being sent; before it has a handler, call "
                "loop.remove_signal_handler(number)",
            )
        )
    return state.of(number)


def _ends(number: int) -> ModelError:
    return ModelError(
        f"{name_of_signal(number)} is sent, for which no handler is installed: it ends the process",
        remedy="install a handler before: signal.signal(number, handler)",
    )


def _in_loop() -> ModelError:
    return ModelError(
        "a handler of a signal is installed in code that an event loop runs",
        remedy="let the loop do it: loop.add_signal_handler(number, callback)",
    )


def _in_process() -> ModelError:
    return ModelError(
        "a process installs a handler of a signal",
        remedy="install it in the process of the script; end a process by an Event",
    )


def refuse_inherited(number: int) -> None:
    """Refuse to send a signal to a process that has taken over a handler of it."""
    port = current_port()
    if not port.has_signals:
        return
    known = port.signals.state.of(number)
    if known is not None and known.handler is not signal.SIG_DFL:
        port.halt(
            ModelError(
                f"{name_of_signal(number)} is sent to a process, which has its parent's handler",
                remedy="tell it to end by an Event",
            )
        )


def _no_main() -> ModelError:
    return ModelError(
        "a handler of a signal is installed, and no thread of the model is the main one",
        remedy="call the thread `main` that is to run it, or let the body of a script or of a "
        "test be one",
    )


def main_thread(threads: Iterable[Any], name: str) -> ThreadId | None:
    """The main thread among those of a program: the one of that name."""
    mains = (each for each in threads if each.method == name and each.room is None)
    found = [each.number for each in mains if not (each.kind.in_loop or each.process)]
    return found[0] if len(found) == 1 else None


FUNCTIONS: dict[str, Any] = {
    "signal": install,
    "getsignal": getsignal,
    "raise_signal": raise_signal,
    "default_int_handler": default_int_handler,
    "alarm": alarm,
    "pause": pause,
    "setitimer": setitimer,
}
PRIMITIVES: dict[type, type] = {}
