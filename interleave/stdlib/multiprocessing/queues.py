"""`Queue` and `JoinableQueue` of `multiprocessing`, with their feeders.

After docs.python.org/3.12/library/multiprocessing.html#multiprocessing.Queue and
Lib/multiprocessing/queues.py of CPython 3.12. What a process puts goes into a buffer of its own; a
thread of that process, the feeder, moves it to the pipe some time later.

The feeder has no steps of its own. Moving an item is not noticed before somebody looks at the pipe,
or waits for the buffer to be empty. So whoever looks decides, by a choice, whose item the feeders
have moved meanwhile; all the outcomes are there, and fewer states.
"""

from __future__ import annotations

import multiprocessing
from queue import Empty, Full
from typing import Any, NamedTuple

from interleave.errors import ModelError
from interleave.memory.bag import Bag
from interleave.memory.identity import MODEL_PROCESS, ThreadId, ThreadName
from interleave.memory.port import AccessKind, Location, current_port
from interleave.showing import show
from interleave.stdlib.multiprocessing.messages import Packed, pack, sent, unpack
from interleave.stdlib.multiprocessing.pipes import Holding
from interleave.stdlib.timeouts import begin_waiting

Messages = tuple[Any, ...]


class QueueState(NamedTuple):
    """What is in a queue, and who does what with it.

    `limit` is the most that it takes; `buffers` has the messages of each process that its feeder
    has not moved yet; `reader` is the thread that holds the lock for reading; `closed` and
    `cancelled` are the processes that have called `close` and `cancel_join_thread`. Of a
    JoinableQueue, `unfinished` counts the tasks, and `joining` are the threads that wait for them.
    """

    limit: int
    buffers: Bag[tuple[ThreadName, Messages]] = Bag()
    messages: Messages = ()
    reader: ThreadId | None = None
    closed: Bag[ThreadName] = Bag()
    cancelled: Bag[ThreadName] = Bag()
    unfinished: int = 0
    joining: Bag[ThreadId] = Bag()

    @property
    def size(self) -> int:
        """How many messages were put and not received."""
        return len(self.messages) + sum(len(messages) for _, messages in self.buffers)

    def buffer(self, process: ThreadName) -> Messages:
        """What a process has put and its feeder has not moved."""
        return dict(self.buffers).get(process, ())

    def with_buffer(self, process: ThreadName, messages: Messages) -> QueueState:
        """The state with another buffer of a process."""
        others = {**dict(self.buffers), process: messages}
        return self._replace(buffers=Bag((p, m) for p, m in others.items() if m))

    def moved(self, process: ThreadName) -> QueueState:
        """The state after the feeder of a process has moved one message to the pipe."""
        first, *rest = self.buffer(process)
        return self.with_buffer(process, tuple(rest))._replace(
            messages=(*self.messages, sent(first))
        )


class Queue(Holding):
    """`multiprocessing.Queue`."""

    @classmethod
    def initial(cls, real: Any) -> object:
        items = tuple(pack(item) for item in _items(real))
        return QueueState(
            real._maxsize,
            Bag([(MODEL_PROCESS, items)] if items else []),
            unfinished=len(items) if hasattr(real, "_unfinished_tasks") else 0,
        )

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = getattr(multiprocessing, type(real).__name__)(real._maxsize)
        for item in _items(real):
            made.put(item)
        return made

    @classmethod
    def content(cls, state: Any) -> object:
        return (state.buffers, state.messages)

    @classmethod
    def describe(cls, state: Any) -> str:
        text = show([unpack(message) for message in state.messages])
        for process, messages in state.buffers:
            buffered = show([unpack(message) for message in messages])
            text += f", buffered by {process or 'the parent'}: {buffered}"
        return text

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put a message into the buffer. Waits while the queue is full, or raises `Full`."""
        message = _packed(obj)
        waiting = begin_waiting(timeout if block else None)

        def effect() -> None:
            state = self._open()
            if state.size >= state.limit:
                if block and timeout is None:
                    self.block()
                waiting.expire()
                raise Full
            if type(message) is Packed and not message.is_as(obj):
                current_port().halt(self.changed_too_soon())
            process = current_port().process
            self.state = self._added(state.with_buffer(process, (*state.buffer(process), message)))

        self.operate("put", effect)
        if type(message) is Packed:
            current_port().put_off(self, obj)

    def put_nowait(self, obj: Any) -> None:
        """Put a message into the buffer, or raise `Full`."""
        self.put(obj, False)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Receive the first message in the pipe. Waits while there is none, or raises `Empty`.

        Two accesses: a reader first takes the lock for reading, which it keeps while it waits.
        Meanwhile `get_nowait` of others raises `Empty`.
        """
        waits = block and timeout is None
        me = current_port().thread
        waiting = begin_waiting(timeout if block else None)

        def begin() -> None:
            state = self._open()
            if state.reader is not None:
                if waits:
                    self.block()
                waiting.expire()
                raise Empty
            self.state = state._replace(reader=me)

        def receive() -> Any:
            state = self._looked_at(may_miss=not waits)
            if not state.messages:
                if waits:
                    self.block()
                self.state = state._replace(reader=None)
                waiting.expire()
                raise Empty
            first, *rest = state.messages
            self.state = state._replace(messages=tuple(rest), reader=None)
            return unpack(first)

        self.operate("get", begin)
        return self.operate("receive", receive)

    def get_nowait(self) -> Any:
        """Receive the first message in the pipe, or raise `Empty`."""
        return self.get(False)

    def empty(self) -> bool:
        """Whether there is no message in the pipe: what was just put may not be there yet."""

        def effect() -> bool:
            before: QueueState = self.state
            state = self._looked_at(may_miss=True)
            if state is not before:
                self.state = state
            return not state.messages

        return bool(self.operate("empty", effect))

    def qsize(self) -> int:
        """How many messages were put and not received, in the pipe or not."""
        return int(self.operate("qsize", lambda: self.state.size))

    def full(self) -> bool:
        """Whether it takes no more."""
        return bool(self.operate("full", lambda: self.state.size >= self.state.limit))

    def close(self) -> None:
        """Say that this process will put no more."""

        def effect() -> None:
            process = current_port().process
            closed = Bag({*self.state.closed, process})
            self.state = self.state._replace(closed=closed)

        self.operate("close", effect)

    def join_thread(self) -> None:
        """Wait until the feeder has moved all that this process has put. After `close` only."""

        def check() -> None:
            if current_port().process not in self.state.closed:
                raise AssertionError(f"{self._name()} not closed")

        current_port().access(AccessKind("", self._location), check, private=True)
        self.leave()

    def cancel_join_thread(self) -> None:
        """Let this process end without waiting for its feeder: what it has not moved is lost."""

        def effect() -> None:
            process = current_port().process
            cancelled = Bag({*self.state.cancelled, process})
            self.state = self.state._replace(cancelled=cancelled)

        self.operate("cancel_join_thread", effect)

    def is_feeding(self) -> bool:
        """Whether the feeder of this process may not have copied all that was put."""
        return bool(self.state.buffer(current_port().process))

    def is_to_copy(self, location: Location) -> bool:
        """Whether the feeder of this process may not have copied what is at a location."""
        buffer = self.state.buffer(current_port().process)
        return any(type(message) is Packed and message.copies(location) for message in buffer)

    def changed_too_soon(self) -> ModelError:
        """What is to be said of a change that the feeder may see, or not."""
        return ModelError(
            f"this changes, or shares, what was put into {self._location.name} while its feeder "
            "may not have copied it yet: either is received, what it was or what it becomes",
            remedy="put a copy, as in q.put(list(items))",
        )

    def notices_ends(self, *, alone: bool) -> bool:
        return True

    def leave(self) -> None:
        """What the end of a process waits for: that its feeder has moved everything."""
        port = current_port()

        def is_left() -> bool:
            # Others only make the buffer smaller, so this needs no step of its own.
            return bool(self.state.buffer(port.process))

        def move() -> None:
            state: QueueState = self.state
            if port.process in state.cancelled:
                self.state = state.with_buffer(port.process, ())
            elif state.buffer(port.process):
                if self.is_full(state.messages):
                    self.block()
                self.state = state.moved(self._feeder(state))

        while port.access(AccessKind("", self._location), is_left, private=True):
            self.operate("flush", move)

    def lose(self, process: ThreadName) -> None:
        """Forget what a process has put that is killed, within an access: as much of it as its
        feeder has not moved, a choice.
        """
        state: QueueState = self.state
        moved = 0
        if (count := len(state.buffer(process))) > 0:
            moved = current_port().choose([f"{n} moved" for n in range(count + 1)])
        for _ in range(moved):
            state = state.moved(process)
        if count:
            self.state = state.with_buffer(process, ())

    def _looked_at(self, *, may_miss: bool) -> QueueState:
        """The state as one sees it who looks at the pipe: feeders may just have moved an item.

        `may_miss`: that they have moved none as yet is one of the possibilities.
        """
        state: QueueState = self.state
        if state.messages or not state.buffers:
            return state
        if may_miss and current_port().choose(("no message yet", "a message")) == 0:
            return state
        return state.moved(self._feeder(state))

    def _feeder(self, state: QueueState) -> ThreadName:
        """The process whose feeder moves a message first: a choice."""
        processes = [process for process, _ in state.buffers]
        return processes[current_port().choose(processes) if len(processes) > 1 else 0]

    def _open(self) -> QueueState:
        state: QueueState = self.state
        if current_port().process in state.closed:
            raise ValueError(f"{self._name()} is closed")
        return state

    def _added(self, state: QueueState) -> QueueState:
        return state

    def _name(self) -> str:
        return f"Queue {self._location.name}"


class JoinableQueue(Queue):
    """`multiprocessing.JoinableQueue`."""

    def task_done(self) -> None:
        """Say that a task that was got is done. Raises `ValueError` if there was none."""

        def effect() -> None:
            state: QueueState = self.state
            if not state.unfinished:
                raise ValueError("task_done() called too many times")
            left = state.unfinished - 1
            self.state = state._replace(unfinished=left, joining=state.joining if left else Bag())

        self.operate("task_done", effect)

    def join(self) -> None:
        """Wait until no task is unfinished. Whoever is woken does not look again."""
        me = current_port().thread

        def begin() -> bool:
            state: QueueState = self.state
            if state.unfinished:
                self.state = state._replace(joining=state.joining.plus(me))
            return bool(state.unfinished)

        def wake() -> None:
            if me in self.state.joining:
                self.block()

        if self.operate("join", begin):
            self.operate("wake", wake)

    def _added(self, state: QueueState) -> QueueState:
        return state._replace(unfinished=state.unfinished + 1)


def _packed(value: Any) -> Any:
    """A message for a feeder, which copies it some time later, when nobody hears of errors."""
    try:
        return pack(value, late=True)
    except (RuntimeError, TypeError) as error:
        raise ModelError(
            f"put raises nothing here, but its feeder will, and the message is lost: {error}",
            remedy="put only what can be pickled",
        ) from None


def _items(real: Any) -> list[Any]:
    """What was put into a real queue, which keeps it."""
    found = [real.get() for _ in range(real._maxsize - real._sem.get_value())]
    if hasattr(real, "_unfinished_tasks"):
        for _ in found:
            real.task_done()
    for item in found:
        real.put(item)
    return found


def leaving(self: Any, run: Any, arguments: tuple[Any, ...], left: tuple[Any, ...]) -> None:
    """What a process runs where it has queues: its method, and then the wait for its feeders.

    After "joining processes that use queues" in the documentation of multiprocessing.
    """
    try:
        run(*arguments)
    finally:
        for each in left:
            each.leave()
