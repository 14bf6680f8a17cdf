"""Channels, after go.dev/ref/spec and src/runtime/chan.go of Go 1.25.

A goroutine that has to wait **parks**: a step, which puts it into the queue of each channel that it
waits for. Who finds it there serves it, and takes it out of all of these queues; what it was given
lies in the channel until it goes on, which is a step again. So a receiver that is parked differs
from one that is about to receive: only the first is seen by a `select` with default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.go.base import GoPrimitive, Panic
from interleave.memory.bag import Bag, Line
from interleave.memory.identity import ThreadId
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import SELECTS, Told
from interleave.records import dataclass
from interleave.result import Described
from interleave.showing import show

SEND, RECEIVE = "send", "recv"


class Waiter(NamedTuple):
    """A parked goroutine: the number of the case, what it sends, and all that it waits for."""

    thread: ThreadId
    case: int
    value: Any
    channels: tuple[Any, ...]


class Delivery(NamedTuple):
    """What was done for a parked goroutine: its case, and what it receives; `ok` as in Go.

    `panics`: it was sending, and the channel was closed.
    """

    thread: ThreadId
    case: int
    value: Any
    ok: bool
    panics: bool = False


class ChanState(NamedTuple):
    """The state of a channel; `zero` is what a closed one gives, `more` is for what else is one."""

    capacity: int
    zero: Any = None
    buffer: tuple[Any, ...] = ()
    closed: bool = False
    receivers: Line[Waiter] = Line()
    senders: Line[Waiter] = Line()
    delivered: Bag[Delivery] = Bag()
    more: Any = None


class Channel(GoPrimitive):
    """Everything that can be received from: what all of it shares. All of it within accesses."""

    besides = frozenset({"recv", "recv_ok"})

    def can_receive(self) -> bool:
        """Whether a receive need not wait."""
        return bool(self.state.buffer or self.state.senders or self.state.closed)

    def take(self) -> tuple[Any, bool]:
        """Receive, which need not wait."""
        state: ChanState = self.state
        if state.buffer:
            first, *rest = state.buffer
            if state.senders:
                rest.append(self._serve_sender().value)
            self.state = self.state._replace(buffer=tuple(rest))
            return first, True
        if state.senders:
            return self._serve_sender().value, True
        return state.zero, False

    def can_send(self) -> bool:
        """Whether a send need not wait; one that panics does not."""
        state: ChanState = self.state
        return bool(state.closed or state.receivers or len(state.buffer) < state.capacity)

    def put(self, value: Any) -> None:
        """Send, which need not wait."""
        state: ChanState = self.state
        if state.closed:
            raise Panic("send on closed channel")
        if state.receivers:
            self._serve_receiver(value, ok=True)
        else:
            self.state = state._replace(buffer=(*state.buffer, value))

    def shut(self) -> None:
        """Close it."""
        if self.state.closed:
            raise Panic("close of closed channel")
        while self.state.receivers:
            self._serve_receiver(self.state.zero, ok=False)
        while self.state.senders:
            self._serve_sender(panics=True)
        self.state = self.state._replace(closed=True)

    def _serve_receiver(self, value: Any, *, ok: bool) -> None:
        first: Waiter = self.state.receivers[0]
        self._serve(first, Delivery(first.thread, first.case, value, ok))

    def _serve_sender(self, *, panics: bool = False) -> Waiter:
        first: Waiter = self.state.senders[0]
        self._serve(first, Delivery(first.thread, first.case, None, ok=True, panics=panics))
        return first

    def _serve(self, waiter: Waiter, delivery: Delivery) -> None:
        for each in waiter.channels:
            each.unpark(waiter.thread)
        current_port().serve(waiter.thread)
        self.state = self.state._replace(delivered=self.state.delivered.plus(delivery))

    def park(self, direction: str, waiter: Waiter) -> None:
        """Put a goroutine into the queue of those that receive, or send."""
        state: ChanState = self.state
        if direction == RECEIVE:
            self.state = state._replace(receivers=state.receivers.plus(waiter))
        else:
            self.state = state._replace(senders=state.senders.plus(waiter))

    def unpark(self, thread: ThreadId) -> None:
        """Take a goroutine out of the queues."""

        def is_other(each: Waiter) -> bool:
            return each.thread != thread

        state: ChanState = self.state
        receivers, senders = state.receivers.where(is_other), state.senders.where(is_other)
        self.state = state._replace(receivers=receivers, senders=senders)

    def collect(self, thread: ThreadId) -> Delivery | None:
        """What was done for a goroutine that was parked, if anything."""
        state: ChanState = self.state
        for each in state.delivered:
            if each.thread == thread:
                others = state.delivered.where(lambda other: other.thread != thread)
                self.state = state._replace(delivered=others)
                return each
        return None

    def alarms(self) -> Sequence[Callable[[], None]]:
        """What may happen at any moment and let a receive go on: a timer fires."""
        return ()

    # What goroutines call

    def recv(self) -> Any:
        """`<-ch`."""
        return self.recv_ok()[0]

    def recv_ok(self) -> tuple[Any, bool]:
        """`v, ok := <-ch`."""
        _, value, ok = communicate([Case(RECEIVE, self)], "chan receive")
        return value, ok

    def __iter__(self) -> Iterator[Any]:
        return Range(self)

    def __bool__(self) -> bool:
        return True  # it is not nil

    @property
    def name(self) -> str:
        """What reports call it."""
        return self._location.name


class Chan(Channel):
    """A channel: `make(chan T, capacity)`; `of` is T, where its zero value matters."""

    besides = frozenset({"cap", "close", "recv", "recv_ok", "send"})

    @classmethod
    def zero(cls, capacity: int = 0, *, of: Callable[[], Any] | None = None) -> object:
        """A new one."""
        if isinstance(capacity, bool) or not isinstance(capacity, int):
            raise ModelError(
                f"a channel is made with capacity {capacity!r}",
                remedy="give it a whole number, and the type of what is sent as `of=`",
            )
        if capacity < 0:
            raise Panic("makechan: size out of range")
        return ChanState(capacity, None if of is None else of())

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return state._replace(zero=visit(state.zero, ".zero"))

    @classmethod
    def content(cls, state: Any) -> object:
        return (state.buffer, state.closed, state.delivered)

    @classmethod
    def describe(cls, state: Any) -> str:
        return described(state)

    def send(self, value: Any) -> None:
        """`ch <- value`."""
        communicate([Case(SEND, self, value)], "chan send")

    def close(self) -> None:
        """`close(ch)`."""
        self.operate("close", self.shut)

    def __len__(self) -> int:
        return int(self.operate("len", lambda: len(self.state.buffer)))

    def cap(self) -> int:
        """`cap(ch)`. It never changes: looking is no access."""
        return int(self.state.capacity)


def described(state: Any) -> str:
    """A channel in a report."""
    words = [show(list(state.buffer)) if state.buffer else "empty"]
    for waiters, what in ((state.receivers, "receiving"), (state.senders, "sending")):
        if waiters:
            words.append(f"{len(waiters)} {what}")
    if state.closed:
        words.append("closed")
    return words[0] + (f" ({', '.join(words[1:])})" if len(words) > 1 else "")


@dataclass(frozen=True)
class Range:
    """`for v := range ch`: an iterator that a state can hold."""

    channel: Any

    def __iter__(self) -> Range:
        return self

    def __next__(self) -> Any:
        value, ok = self.channel.recv_ok()
        if not ok:
            raise StopIteration
        return value


class Nil(Enum):
    """A nil channel: nobody ever gets through. The only one is `go.nil`."""

    NIL = "nil"

    @property
    def name(self) -> Any:
        """No field of Go's, unlike that of other enumerations."""
        return self.__getattr__("name")

    @property
    def value(self) -> Any:
        """No field of Go's either."""
        return self.__getattr__("value")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"'Nil' object has no attribute {name!r}")

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_"):  # Python's own, when it makes the enumeration
            self.__getattr__(name)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self.__getattr__(name)

    def recv(self) -> Any:
        """Wait for ever."""
        return self.recv_ok()

    def recv_ok(self) -> Any:
        """Wait for ever."""
        communicate([Case(RECEIVE, self)], "chan receive (nil chan)")

    def send(self, value: Any) -> None:
        """Wait for ever."""
        communicate([Case(SEND, self, value)], "chan send (nil chan)")

    def close(self) -> None:
        """Panic."""
        raise Panic("close of nil channel")

    def cap(self) -> int:
        """0."""
        return 0

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        return Range(self)

    def __repr__(self) -> str:
        return "nil"


nil = Nil.NIL


@dataclass(frozen=True)
class Case:
    """A case of a `select`: to receive from a channel, or to send to it."""

    direction: str
    channel: Any
    value: Any = None

    @property
    def is_nil(self) -> bool:
        return not isinstance(self.channel, Channel)

    def is_ready(self) -> bool:
        """Whether it can go on now."""
        if self.is_nil:
            return False
        return bool(
            self.channel.can_receive() if self.direction == RECEIVE else self.channel.can_send()
        )

    def alarms(self) -> Sequence[Callable[[], None]]:
        return () if self.is_nil or self.direction == SEND else self.channel.alarms()

    def run(self) -> tuple[Any, bool]:
        """Go on. What was received, and whether that came from a sender."""
        if self.direction == RECEIVE:
            received: tuple[Any, bool] = self.channel.take()
            return received
        self.channel.put(self.value)
        return None, True


DEFAULT = -1


@dataclass(frozen=True)
class Parked(Told):
    """What an operation gives that has to wait: the goroutine goes on in a further access."""

    def told(self) -> tuple[object, ...]:
        """Nothing."""
        return ()


@dataclass(frozen=True)
class Passed(Told):
    """What an operation gives that could go on: the number of its case, and what it received."""

    case: int
    value: Any
    ok: bool

    def told(self) -> tuple[object, ...]:
        """What was received, or why nothing was."""
        if self.case == DEFAULT:
            return (Described("took the default"),)
        return (self.value if self.ok else Described("closed"),)


def communicate(
    cases: Sequence[Case], called: str, *, default: bool = False
) -> tuple[int, Any, bool]:
    """Go on with one of the cases that can: any of them. The number of it, and what it received.

    Where none can, go on with the default (number -1), or park until one can.
    """
    me = current_port().thread
    channels = tuple(dict.fromkeys(case.channel for case in cases if not case.is_nil))
    kind = _access(cases, called)

    def begin() -> Parked | Passed:
        ready = [(number, None) for number, case in enumerate(cases) if case.is_ready()]
        late = _alarms(cases)
        ways: list[tuple[int, Callable[[], None] | None]] = [*ready]
        if ready or default:
            ways += late
        if default and not ready:
            ways.append((DEFAULT, None))
        if ways:
            return go_on(*ways[_chosen(ways)])
        for number, case in enumerate(cases):
            if not case.is_nil:
                case.channel.park(case.direction, Waiter(me, number, case.value, channels))
        return Parked()

    def wake() -> Passed:
        for channel in channels:
            if (done := channel.collect(me)) is not None:
                if done.panics:
                    raise Panic("send on closed channel")
                return Passed(done.case, done.value, done.ok)
        late = _alarms(cases)
        if not late:
            current_port().block()
        way = late[_chosen(late)]
        for channel in channels:
            channel.unpark(me)
        return go_on(*way)

    def go_on(number: int, alarm: Callable[[], None] | None) -> Passed:
        if number == DEFAULT:
            return Passed(number, None, ok=False)
        if alarm is not None:
            alarm()
        return Passed(number, *cases[number].run())

    found = _perform(kind, begin)
    if isinstance(found, Parked):
        found = _perform(kind, wake)
    return found.case, found.value, found.ok


def _perform(kind: AccessKind, effect: Callable[[], Any]) -> Any:
    port = current_port()
    result = port.access(kind, effect)
    port.switch_point()
    return result


def _access(cases: Sequence[Case], called: str) -> AccessKind:
    """What reports call an operation. That of one channel is an access of that channel."""
    if called.startswith("select"):
        return AccessKind(called, part=", ".join(dict.fromkeys(map(_name, cases))))
    (case,) = cases
    return AccessKind(called, None if case.is_nil else case.channel.location)


def _name(case: Case) -> str:
    return "nil" if case.is_nil else str(case.channel.name)


def _alarms(cases: Sequence[Case]) -> list[tuple[int, Callable[[], None] | None]]:
    return [(number, alarm) for number, case in enumerate(cases) for alarm in case.alarms()]


def _chosen(ways: Sequence[Any]) -> int:
    return current_port().choose([number for number, _ in ways]) if len(ways) > 1 else 0


def recv(channel: Any) -> Case:
    """`case v := <-ch`, in a `select`."""
    return Case(RECEIVE, _checked(channel))


def send(channel: Any, value: Any) -> Case:
    """`case ch <- value`, in a `select`."""
    return Case(SEND, _checked(channel), value)


def _checked(channel: Any) -> Any:
    if channel is None:
        return nil
    if not isinstance(channel, Channel | Nil):
        raise ModelError(
            f"a case of a select is about {channel!r}, which is no channel",
            remedy="write go.recv(ch) or go.send(ch, value); a nil channel is go.nil",
        )
    return channel


def select(*cases: Case, default: bool = False) -> tuple[int, Any]:
    """Go's `select`: which case went on, and what it received; -1 is the default.

    `match go.select(go.recv(ch), go.send(out, v), default=True): case 0, v: ... case -1, _: ...`
    """
    number, value, _ = _select(cases, default=default)
    return number, value


def select_ok(*cases: Case, default: bool = False) -> tuple[int, Any, bool]:
    """The same, and whether what was received comes from a sender: `case v, ok := <-ch`."""
    return _select(cases, default=default)


for _each in (select, select_ok):
    setattr(_each, SELECTS, True)


def _select(cases: Sequence[Case], *, default: bool) -> tuple[int, Any, bool]:
    for case in cases:
        if not isinstance(case, Case):
            raise ModelError(
                f"a select is given {case!r}, which is no case",
                remedy="write go.select(go.recv(ch), go.send(ch, value), default=True)",
            )
    called = "select" if cases or default else "select (no cases)"
    return communicate(cases, called, default=default)
