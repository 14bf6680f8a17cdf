"""What comes from outside while a model is checked: Ctrl-C, SIGTERM, and the end of the time.

It is noted when it comes, and stays noted until a phase (`engine.stopping`) has answered it, so
that whoever swallows the exception loses nothing. It is raised, as `Stopped`, where it comes, as
long as what is being done may be left in the middle; where it may not, when somebody asks (`poll`),
or in the code of the model, which may be left at any line.

Code of the model that does not come back is ended by a count of its instructions (`counted`).
"""

from __future__ import annotations

import _weakrefset
import contextlib
import gc
import signal
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import thread_time
from types import CodeType, FrameType, FunctionType
from typing import Any, Literal, TypeVar

from interleave.errors import ModelError, Place
from interleave.records import dataclass
from interleave.starting import end_at_once

MOST_INSTRUCTIONS = 20_000_000
"""Instructions of Python in a step, in `setup` or in a property. It takes seconds to count them."""

TICK = 0.02
"""Seconds from one look at what runs to the next. No Python runs that many in two of them."""

FEW_INSTRUCTIONS = 200_000
"""So many instructions after two looks, what runs is begun again, with all of them counted."""

_NOBODYS = (signal.SIG_DFL, signal.default_int_handler, end_at_once)
"""Handlers of signals that nobody has a handler of their own for."""

_OURS = str(Path(__file__).parent)
_MACHINERY = frozenset(
    (
        *(module.__file__ for module in (contextlib, weakref, _weakrefset)),
        __file__,
        str(Path(_OURS, "engine", "stopping.py")),
    )
)
"""Files whose functions are not left in the middle: they begin and end what may be; or Python calls
them when an object goes, and an exception would be lost there.
"""

_whole: set[CodeType] = set()

ANYWHERE, AT_POLLS, NOWHERE = 0, 1, 2
"""Where what is being done may be left: `AT_POLLS` also means any line of the model's code."""

Kind = Literal["interrupted", "states", "seconds", "memory", "violation", "preemptions"]
Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Stop:
    """Why something ended before its end; `where` names the pass, if it was not the search."""

    kind: Kind
    words: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.words}, {self.where}" if self.where else self.words


INTERRUPTED = Stop("interrupted", "interrupted")


class Stopped(BaseException):
    """Ends the phase that it is raised in. No handler of the model's is meant to catch it."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(str(stop))
        self.stop = stop


class Interrupted(Stopped, KeyboardInterrupt):
    """Somebody wants it to end."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


class _Overlong(Stopped):
    """What runs takes long: its instructions are to be counted, from its beginning."""

    def __init__(self) -> None:
        super().__init__(INTERRUPTED)


class _TooMany(Stopped):
    """What runs does not come back. `place` is the line that it has come to."""

    def __init__(self, place: Place) -> None:
        super().__init__(INTERRUPTED)
        self.place = place


class _Outside:
    """What this process was told, and what it is doing: there is one of it, as of signals."""

    def __init__(self) -> None:
        self.due: Stop | None = None
        """What has come and was not answered yet."""
        self.leave = ANYWHERE
        self.limit: Callable[[], Stop | None] = _none
        """Tells of the limit that has been reached meanwhile, if any has."""
        self.is_listening = False
        self.run = 0
        """The run of the model's code that is under way, by its number; 0 while there is none."""
        self.runs = 0
        self.cells: memoryview[float] | None = None
        """Where another process sees the present run, and its deadline."""
        self.counting = 0
        """The run whose instructions are counted."""
        self.kept: dict[int, Any] = {}
        """Handlers that stay as they are, by their signals."""
        self.mute: list[type] = []
        """Classes of what did not come back when it was asked what it says of itself."""
        self._seen = 0
        """The run that was under way at the last look."""
        self._seen_at = 0.0
        """How much time of the processor had been spent when it was seen first."""

    def on_signal(self, _: int, frame: FrameType | None) -> None:
        is_second = self.due is INTERRUPTED
        self.due = INTERRUPTED
        if is_second:
            raise Interrupted
        self._answer(frame)

    def on_tick(self, _: int, frame: FrameType | None) -> None:
        _put_back(self.kept)
        self.due = self.due or self.limit()
        seen, self._seen = self._seen, self.run
        spent = thread_time()  # other processes may have had the rest
        if seen != self.run:
            self._seen_at = spent
        if self.due is not None:
            self._answer(frame)
        elif self.run and seen == self.run != self.counting and spent - self._seen_at > TICK / 2:
            self.counting = self.run
            count_instructions(FEW_INSTRUCTIONS, lambda _: _Overlong(), model_frames(frame)[1])

    def _answer(self, frame: FrameType | None) -> None:
        """Raise what is due, if this may be left now; in the model's code, at its next line."""
        assert self.due is not None
        if self.leave == ANYWHERE:
            if not _is_left_whole(frame):
                raise stopped(self.due)
        elif self.leave == AT_POLLS and self.run:
            is_inside, frames = model_frames(frame)
            if is_inside:
                raise stopped(self.due)
            due = self.due
            count_instructions(0, lambda _: stopped(due), frames)


def _put_back(handlers: Mapping[int, Any]) -> None:
    """Have signals be handled so."""
    for each, handler in handlers.items():
        if signal.getsignal(each) != handler:
            signal.signal(each, handler)


def _none() -> Stop | None:
    return None


def whole(function: Function) -> Function:
    """Have a function, with what it calls, not be left in the middle by what comes from outside.

    It is for what changes something of the process, or puts it back. Of a generator, what runs
    while it is suspended is no part of it.
    """
    assert isinstance(function, FunctionType)
    _whole.add(function.__code__)
    return function


_outside = _Outside()


def stopped(stop: Stop) -> Stopped:
    """What ends a phase for a reason."""
    return Interrupted() if stop is INTERRUPTED else Stopped(stop)


def poll() -> None:
    """Raise `Stopped` where something is due. To be called now and then where it is held back."""
    outside = _outside
    if outside.leave < NOWHERE:
        outside.due = outside.due or outside.limit()
        if outside.due is not None:
            raise stopped(outside.due)


def take() -> Stop | None:
    """What is due, which is thereby answered."""
    due, _outside.due = _outside.due, None
    return due


# Who listens


@contextmanager
def listening(*signals: int) -> Iterator[None]:
    """Note these signals, or Ctrl-C, and look at the clock, while this is done.

    Only in the main thread, which is the one that Python tells of signals, and only those that
    nobody else has a handler for.
    """
    if _outside.is_listening or threading.current_thread() is not threading.main_thread():
        yield
        return
    usual: dict[int, Any] = {}
    for each in signals or (signal.SIGINT,):
        if signal.getsignal(each) in _NOBODYS:
            usual[each] = signal.signal(each, _outside.on_signal)
    ticks = _can_tick()
    _outside.due = None
    _outside.mute = []
    _outside.is_listening = True
    try:
        if ticks:
            signal.signal(signal.SIGALRM, _outside.on_tick)
            signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        yield
    finally:
        _outside.leave = NOWHERE
        _outside.is_listening = False
        if ticks:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        for each, handler in usual.items():
            if signal.getsignal(each) == _outside.on_signal:  # else it is to stay as it was put
                signal.signal(each, handler)
        _outside.leave = ANYWHERE


@contextmanager
def keeping_handlers() -> Iterator[None]:
    """Have the handlers of what is listened to stay, whatever code that runs here sets.

    They are put back at the next look at the clock, and at the end, with that clock and with the
    signals that are blocked.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outside = _outside
    names = ("SIGINT", "SIGTERM", "SIGALRM")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = {each: signal.getsignal(each) for each in numbers}
    timer = signal.getitimer(signal.ITIMER_REAL) if hasattr(signal, "getitimer") else None
    blocked = _blocked()
    kept = {each: handler for each, handler in handlers.items() if handler is not None}
    usual, outside.kept = outside.kept, kept
    try:
        yield
    finally:
        outside.kept = usual
        _put_back(kept)
        if timer is not None and timer[1] != signal.getitimer(signal.ITIMER_REAL)[1]:
            signal.setitimer(signal.ITIMER_REAL, timer[1], timer[1])
        if _blocked() != blocked:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _blocked() -> set[int]:
    """The signals that this thread does not get now."""
    return (
        signal.pthread_sigmask(signal.SIG_BLOCK, ())
        if hasattr(signal, "pthread_sigmask")
        else set()
    )


def _can_tick() -> bool:
    """Whether there is a timer, which nobody else uses."""
    return (
        hasattr(signal, "setitimer")
        and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
        and signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    )


class leaving:
    """`with leaving(where):` says where what is done here may be left, if it may be at all."""

    __slots__ = ("_usual", "_where")

    def __init__(self, where: int) -> None:
        self._where = where

    def __enter__(self) -> None:
        self._usual = _outside.leave
        if self._usual != NOWHERE:
            _outside.leave = self._where

    def __exit__(self, *_: object) -> None:
        _outside.leave = self._usual


@contextmanager
def held_back() -> Iterator[None]:
    """Hold what comes back until the end of what is done here, all but a second Ctrl-C."""
    with listening():
        with leaving(NOWHERE):
            yield
        if _outside.leave == ANYWHERE and _outside.due is not None:
            raise stopped(_outside.due)


@contextmanager
def limited(limit: Callable[[], Stop | None]) -> Iterator[None]:
    """Have what is done here end where `limit` tells of a reason."""
    usual, _outside.limit = _outside.limit, limit
    try:
        yield
    finally:
        _outside.limit = usual


def is_listening() -> bool:
    """Whether signals are noted here."""
    return _outside.is_listening


def where_left() -> int:
    """Where what is being done may be left."""
    return _outside.leave


def leave_only(where: int) -> None:
    """From here on, what is being done may be left there."""
    _outside.leave = where


def tell(cells: memoryview[float] | None) -> None:
    """Have another process see which code of the model runs, and when that must end."""
    _outside.cells = cells


def tell_deadline(deadline: float) -> None:
    """When what runs now must end, by the clock `time.monotonic`."""
    if _outside.cells is not None:
        _outside.cells[1] = deadline


@contextmanager
def seen_from_outside() -> Iterator[None]:
    """Have another process end this one if what is done here is not over in time."""
    outside = _outside
    outside.runs += 1
    if outside.cells is not None:
        outside.cells[0] = outside.runs
    try:
        yield
    finally:
        if outside.cells is not None:
            outside.cells[0] = outside.run


# Code of the model


def counted(run: Callable[[], Result], who: str) -> Result:
    """What `run` gives, which runs code of the model for `who`.

    Raises `ModelError`, at the line, where that is more than `MOST_INSTRUCTIONS`. So that nothing
    is slower for it, they are counted only of what takes long: it is begun again. So `run` must do
    the same whenever it is called.
    """
    try:
        return _counted(run)
    except _TooMany as error:
        raise ModelError(
            f"{who} runs more than {MOST_INSTRUCTIONS:,} instructions: it does not come back",
            remedy="end the loop sooner; what takes long can be computed when the file is imported",
            place=error.place,
        ) from None


def heard(say: Callable[[], str], kind: type) -> str | None:
    """What an instance of a class says of itself; None where it raises, or does not come back.

    It is asked for reports and messages, which are not left in the middle for that. So what is
    being done goes on, whatever comes from outside meanwhile: that stays due.
    """
    outside = _outside
    if any(each is kind for each in outside.mute):
        return None
    usual, outside.leave = outside.leave, AT_POLLS
    try:
        return _counted(say)
    except Stopped:
        outside.mute.append(kind)  # so that it is waited for once
        return None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not outside.is_listening:
            raise
        return None
    finally:
        outside.leave = usual


def _counted(run: Callable[[], Result]) -> Result:
    """What `run` gives. Raises `_TooMany`."""
    outside = _outside
    usual = outside.run, outside.leave, outside.counting
    trace = sys.gettrace()
    outside.runs += 1
    outside.run = outside.runs
    if outside.cells is not None:
        outside.cells[0] = outside.run
    outside.leave = max(outside.leave, AT_POLLS)
    try:
        try:
            return run()
        except _Overlong:
            outside.counting = outside.run
            count_instructions(MOST_INSTRUCTIONS, _TooMany, [])
        return run()
    finally:
        outside.run = 0  # a tick that comes from here on finds nothing to count
        if sys.gettrace() is not trace:
            sys.settrace(trace)
        outside.run, outside.leave, outside.counting = usual
        if outside.cells is not None:
            outside.cells[0] = outside.run


def begin_anew() -> None:
    """Have a run that is under way count as one that begins now: what came before was not the
    model's code.
    """
    outside = _outside
    if outside.run and outside.run != outside.counting:
        outside.runs += 1
        outside.run = outside.runs


def count_instructions(most: int, end: Callable[[Place], Stopped], frames: list[FrameType]) -> None:
    """Raise what `end` makes of a line, `most` instructions of these and of new frames later.

    Of new frames, those of the model's code, and of what that calls. What the library does for this
    package is not left in the middle: it may be half of something.
    """
    left = most

    def on_event(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0 and _outside.leave < NOWHERE:
            raise end(Place(frame.f_code.co_filename, frame.f_lineno))
        return on_event

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        caller = frame.f_back
        is_counted = _is_of_the_model(frame) or (
            caller is not None and caller.f_trace is on_event and not _is_ours(frame)
        )
        if not is_counted:
            return None
        frame.f_trace_opcodes = True  # `while True: pass` comes to no new line
        return on_event(frame, event, argument)

    for frame in frames:
        frame.f_trace = on_event
        frame.f_trace_opcodes = True
    sys.settrace(on_call)


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OURS)


def _is_of_the_model(frame: FrameType) -> bool:
    """Whether it is neither ours nor the library's, nor something that the collector calls."""
    return not (_is_ours(frame) or _is_of_library(frame) or _is_called_by_collector(frame))


def _is_called_by_collector(frame: FrameType) -> bool:
    return any(getattr(each, "__code__", None) is frame.f_code for each in gc.callbacks)


def _is_left_whole(frame: FrameType | None) -> bool:
    """Whether what runs is not left in the middle: it is part of something `whole`, or one of the
    functions of `_MACHINERY`, or what the library does for those.
    """
    is_for_machinery = True
    while frame is not None:
        if frame.f_code in _whole:
            return True
        if is_for_machinery:
            if frame.f_code.co_filename in _MACHINERY or _is_called_by_collector(frame):
                return True
            is_for_machinery = _is_of_library(frame)
        frame = frame.f_back
    return False


def _is_of_library(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in STANDARD


def model_frames(frame: FrameType | None) -> tuple[bool, list[FrameType]]:
    """The frames of the model's code in the present run, and whether the innermost is one of them.

    What the library does for this package is none of it.
    """
    found: list[FrameType] = []
    library: list[FrameType] = []
    innermost = frame
    while frame is not None and frame.f_code is not _counted.__code__:
        if _is_ours(frame):
            library = []
        else:
            library.append(frame)
            if _is_of_the_model(frame):
                found += library
                library = []
        frame = frame.f_back
    return bool(found) and found[0] is innermost, found


STANDARD = sys.stdlib_module_names
