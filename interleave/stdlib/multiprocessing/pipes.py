"""`Pipe` and `SimpleQueue` of `multiprocessing`.

After docs.python.org/3.12/library/multiprocessing.html#pipes-and-queues and
Lib/multiprocessing/connection.py of CPython 3.12. A message is put into a pipe at once and whole;
a pipe holds any number of them, or as many as the model says (`capacity`).
"""

from __future__ import annotations

import multiprocessing
import pickle
import weakref
from multiprocessing.connection import Connection as RealConnection
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadName
from interleave.memory.port import current_port
from interleave.showing import show
from interleave.stdlib.multiprocessing.locks import Between
from interleave.stdlib.multiprocessing.messages import pack, unpack
from interleave.stdlib.timeouts import begin_waiting

EVERY = ThreadName("*")
"""Stands for every process, where setup has closed an end."""


class Pipe(NamedTuple):
    """The state of one direction: messages on their way, and the processes that closed its end.

    `alone`: there never was another end. `peer` is that of an end that a running thread has made.
    """

    messages: tuple[Any, ...] = ()
    closed: Bag[ThreadName] = Bag()
    alone: bool = False
    peer: Any = None

    def is_closed(self, process: ThreadName) -> bool:
        """Whether a process has closed its end."""
        return process in self.closed or EVERY in self.closed

    def with_closed(self, process: ThreadName) -> Pipe:
        """The state with one more process that has closed its end."""
        return self._replace(closed=Bag({*self.closed, process}))


class Holding(Between):
    """What holds messages in a pipe of the operating system."""

    def notices_ends(self, *, alone: bool) -> bool:
        """Whether the end of a process has to do with it, and must call `leave`.

        `alone`: the process of the model itself runs nothing, and so closes nothing.
        """
        return False

    def leave(self) -> None:
        """What the end of a process does, and what it waits for."""

    @classmethod
    def content(cls, state: Any) -> object:
        return state.messages

    @classmethod
    def describe(cls, state: Any) -> str:
        return show([unpack(message) for message in state.messages])

    def is_full(self, messages: tuple[Any, ...]) -> bool:
        """Whether a pipe with these messages takes no more."""
        capacity: int | None = current_port().setting("PIPE_CAPACITY")
        return capacity is not None and len(messages) >= capacity

    def forked(self, parent: ThreadName, child: ThreadName) -> None:
        """Note that a process forks, within an access: what it has closed, the child has not."""


class _Handle(Holding):
    """What a process closes for itself, and with that for those that it forks. State: `Pipe`."""

    def forked(self, parent: ThreadName, child: ThreadName) -> None:
        if parent in self.state.closed:
            self.state = self.state.with_closed(child)


class SimpleQueue(_Handle):
    """`multiprocessing.SimpleQueue`: a pipe with a lock at each end, and no feeder."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return Pipe(tuple(pack(each) for each in _items(real)))

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made: Any = multiprocessing.SimpleQueue()
        for item in _items(real):
            made.put(item)
        return made

    def put(self, obj: Any) -> None:
        """Put a message in. Waits while the pipe is full."""
        message = pack(obj)

        def effect() -> None:
            state = self._open()
            if self.is_full(state.messages):
                self.block()
            self.state = state._replace(messages=(*state.messages, message))

        self.operate("put", effect)

    def get(self) -> Any:
        """Take the first message out. Waits while there is none."""

        def effect() -> Any:
            state = self._open()
            if not state.messages:
                self.block()
            first, *rest = state.messages
            self.state = state._replace(messages=tuple(rest))
            return unpack(first)

        return self.operate("get", effect)

    def empty(self) -> bool:
        """Whether there is no message."""
        return bool(self.operate("empty", lambda: not self._open().messages))

    def close(self) -> None:
        """Close it for this process."""

        def effect() -> None:
            self.state = self.state.with_closed(current_port().process)

        self.operate("close", effect)

    def _open(self) -> Pipe:
        state: Pipe = self.state
        if state.is_closed(current_port().process):
            raise OSError("handle is closed")
        return state


def _items(real: Any) -> list[Any]:
    """What is in a real queue, which keeps it."""
    found = []
    while not real.empty():
        found.append(real.get())
    for item in found:
        real.put(item)
    return found


class Connection(_Handle):
    """One end of a `multiprocessing.Pipe()`. State: the messages that come in here.

    An end is closed when every process has closed it, the process of the model included, or has
    ended: then `recv` at the other end raises `EOFError`, and `send` `BrokenPipeError`.
    """

    peer: Connection | None = None
    readable = True
    writable = True

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return fresh_end(real)

    @property
    def closed(self) -> bool:
        process = current_port().process
        return bool(self.operate("closed", lambda: self.state.is_closed(process)))

    def send(self, obj: Any) -> None:
        """Send a message. Waits while the pipe is full."""
        message = pack(obj)

        def effect() -> None:
            self._check(self.writable, "connection is read-only")
            if self._is_alone():
                raise BrokenPipeError(32, "Broken pipe")
            if self.peer is None:
                return
            state: Pipe = self.peer.state
            if self.is_full(state.messages):
                self.block()
            self.peer.state = state._replace(messages=(*state.messages, message))

        self.operate("send", effect)

    def recv(self) -> Any:
        """Receive a message. Waits while there is none; raises `EOFError` where none can come."""

        def effect() -> Any:
            self._check(self.readable, "connection is write-only")
            state: Pipe = self.state
            if not state.messages:
                if self._is_alone():
                    raise EOFError
                self.block()
            first, *rest = state.messages
            self.state = state._replace(messages=tuple(rest))
            return unpack(first)

        return self.operate("recv", effect)

    def poll(self, timeout: float | None = 0.0) -> bool:
        """Whether `recv` would not wait. A timeout may expire whenever it would; None waits."""
        waiting = begin_waiting(timeout)

        def effect() -> bool:
            self._check(self.readable, "connection is write-only")
            is_ready = bool(self.state.messages) or self._is_alone()
            if not is_ready and timeout is None:
                self.block()
            if not is_ready:
                waiting.expire()
            return is_ready

        return bool(self.operate("poll", effect))

    def close(self) -> None:
        """Close this end for this process."""

        def effect() -> None:
            self.state = self.state.with_closed(current_port().process)

        self.operate("close", effect)

    leave = close

    def notices_ends(self, *, alone: bool) -> bool:
        return not alone

    def fileno(self) -> int:
        """Not modelled: raises `ModelError`."""
        raise ModelError(
            "fileno() has no modelled counterpart", remedy="use send, recv and poll of the pipe"
        )

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _is_alone(self) -> bool:
        """Whether every process has closed the other end."""
        if self.peer is None:
            return bool(self.state.alone)
        closed = self.peer.state.closed
        return EVERY in closed or set(current_port().processes()) <= set(closed)

    def _check(self, allowed: bool, why: str) -> None:
        if self.state.is_closed(current_port().process):
            raise OSError("handle is closed")
        if not allowed:
            raise OSError(why)


# Which real ends belong together: nothing tells, so it is tried out.

_TOKEN = b"interleave: who receives this is the other end"
_partners: weakref.WeakKeyDictionary[Any, weakref.ref[Any]] = weakref.WeakKeyDictionary()
_remade: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""Real ends of which `fresh` has made new ones: the other new end, which nobody asked for yet."""


def are_partners(one: RealConnection, other: RealConnection) -> bool:
    """Whether what is sent at one end of a real pipe comes out at the other."""
    if one.closed or other.closed:
        return False
    for each, another in ((one, other), (other, one)):
        if each in _partners:
            return _partners[each]() is another
    if one.writable and other.readable:
        found = _reaches(one, other)
    else:
        found = other.writable and one.readable and _reaches(other, one)
    if found:
        _partners[one] = weakref.ref(other)
        _partners[other] = weakref.ref(one)
    return found


def _reaches(sender: RealConnection, receiver: RealConnection) -> bool:
    before = _waiting_bytes(receiver)
    return not _is_broken(sender) and _waiting_bytes(receiver) > before


def _is_broken(sender: RealConnection) -> bool:
    """Whether nobody can receive what is sent here any more. Sends a token, to be left out."""
    try:
        sender.send_bytes(_TOKEN)
    except BrokenPipeError:
        return True
    return False


def _waiting_bytes(connection: RealConnection) -> int:
    import fcntl
    import termios

    found = fcntl.ioctl(connection.fileno(), termios.FIONREAD, bytes(4))
    return int.from_bytes(found, "little")


def messages_in(connection: RealConnection, partner: RealConnection | None) -> list[Any]:
    """What has been sent to one end of a real pipe, which keeps it if its other end is known."""
    found = []
    while connection.readable and _waiting_bytes(connection):
        data = connection.recv_bytes()
        if data != _TOKEN:
            found.append(data)
    if partner is not None:
        for data in found:
            partner.send_bytes(data)
    return [pickle.loads(data) for data in found]  # noqa: S301  (what setup has sent)


def as_state(connection: RealConnection, partner: RealConnection | None) -> Pipe:
    """The state of a real end of a pipe."""
    if connection.closed:
        return Pipe(closed=Bag((EVERY,)))
    messages = tuple(pack(each) for each in messages_in(connection, partner))
    alone = partner is None and (
        _is_broken(connection) if connection.writable else connection.poll(0)
    )
    return Pipe(messages, alone=alone)


def fresh_end(real: RealConnection) -> RealConnection:
    """A new end of a pipe; for the other end of `real`, that of the same new pipe."""
    for other in list(_remade):
        if other is not real and are_partners(other, real):
            return _remade.pop(other)
    if real.closed:
        return real
    if messages_in(real, None):
        raise ModelError(
            "a pipe has messages in it before setup",
            remedy="send them in `def setup(self)`, or in a process",
        )
    if real.readable and real.writable:
        mine, theirs = multiprocessing.Pipe()
    elif real.readable:
        mine, theirs = multiprocessing.Pipe(duplex=False)
    else:
        theirs, mine = multiprocessing.Pipe(duplex=False)
    _remade[real] = theirs
    return mine
