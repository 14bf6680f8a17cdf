"""`sync.Mutex` and `sync.RWMutex`, after pkg.go.dev/sync and src/sync/rwmutex.go of Go 1.25."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from interleave.go.base import Fatal, GoPrimitive
from interleave.memory.identity import ThreadId
from interleave.memory.port import AccessKind, current_port
from interleave.memory.wait_line import IN_ANY_ORDER, HasLine, WaitLine
from interleave.stdlib.holding import Unowned


class Locker(GoPrimitive):
    """What all locks share: `Lock` and `Unlock`, which are also what `with` does."""

    def Lock(self) -> None:
        """Take the lock; wait while it is not to be had."""
        raise NotImplementedError

    def Unlock(self) -> None:
        """Give the lock back."""
        self.operate(self._called("Unlock"), self.give)

    def give(self) -> None:
        """Give the lock back, within an access."""
        raise NotImplementedError

    def _called(self, operation: str) -> str:
        return f"sync.{type(self).__name__}.{operation}"

    def __enter__(self) -> None:
        self.Lock()

    def __exit__(self, *_: object) -> None:
        self.Unlock()


class Mutex(Unowned, Locker):
    """`sync.Mutex`. Whoever comes first gets it: those who wait have no place in a line."""

    @classmethod
    def zero(cls) -> object:
        """Unlocked."""
        return False

    def Lock(self) -> None:
        def effect() -> None:
            if not self.take():
                self.block()

        self.operate(self._called("Lock"), effect)

    def TryLock(self) -> bool:
        """Take the lock if it is free; whether it was."""
        return bool(self.operate(self._called("TryLock"), self.take))

    def give(self) -> None:
        if not self.state:
            raise Fatal("sync: unlock of unlocked mutex")
        self.state = False


class RWState(NamedTuple):
    """The state of an `RWMutex`.

    `readers` hold it. `writer` holds it, or has announced itself and waits for them; in `line` are
    the readers that came since then. Those of them that were woken are among `readers`.
    """

    readers: int = 0
    writer: ThreadId | None = None
    line: WaitLine = IN_ANY_ORDER


class RWMutex(Locker, HasLine):
    """`sync.RWMutex`.

    A writer announces itself, then waits for the readers that are there; from then on nobody else
    becomes a reader. Its `Unlock` admits all readers that wait, before the next writer.
    """

    excludes = True

    @classmethod
    def zero(cls) -> object:
        """Unlocked."""
        return RWState()

    @classmethod
    def describe(cls, state: Any) -> str:
        readers = f"{state.readers} reading" if state.readers else ""
        writer = "" if state.writer is None else "a writer waits" if state.readers else "writing"
        waiting = f"{len(state.line.waiting)} to read" if state.line.waiting else ""
        return ", ".join(filter(None, (readers, writer, waiting))) or "unlocked"

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        found: tuple[int, ...] = cls._writing(state)
        if state.readers:
            for thread, before, after in history:
                found = cls.holders_after(found, thread, before, after)
        return tuple(dict.fromkeys(found))

    @classmethod
    def holders_after(
        cls, holders: tuple[int, ...], thread: int, before: Any, after: Any
    ) -> tuple[int, ...]:
        """As often as each reads."""
        if after.readers == 0:
            return cls._writing(after)
        reading = [*holders] if before.readers else []
        admitted = [each for each in after.line.woken if each not in before.line.woken]
        more = after.readers - before.readers
        if more < 0:
            # Any goroutine may unlock; one that does not read gives back for another one.
            reading.remove(thread if thread in reading else reading[0])
        else:
            reading += admitted or [thread] * more
        return tuple(reading)

    @classmethod
    def _writing(cls, state: Any) -> tuple[int, ...]:
        by_nobody = state.readers or state.writer is None or state.writer < 0  # or by setup
        return () if by_nobody else (state.writer,)

    @classmethod
    def is_held_to_read(cls, state: Any) -> bool:
        return bool(state.readers)

    def Lock(self) -> None:
        """Announce a writer, and wait for the readers: a step, and one more where there are any."""
        me = current_port().thread

        def announce() -> bool:
            state: RWState = self.state
            if state.writer is not None:
                # Writers wait for one another at a mutex, and the runtime says so.
                self.block(AccessKind("sync.Mutex.Lock", self.location))
            self.state = state._replace(writer=me)
            return state.readers == 0

        def wait() -> None:
            if self.state.readers:
                self.block()

        if not self.operate("sync.RWMutex.Lock", announce):
            self.operate("sync.RWMutex.Lock", wait)

    def TryLock(self) -> bool:
        """Take it for writing if nobody has it; whether nobody had."""

        def effect() -> bool:
            free = self.state.writer is None and self.state.readers == 0
            if free:
                self.state = self.state._replace(writer=current_port().thread)
            return free

        return bool(self.operate("sync.RWMutex.TryLock", effect))

    def give(self) -> None:
        state: RWState = self.state
        if state.writer is None:
            raise Fatal("sync: Unlock of unlocked RWMutex")
        self.state = RWState(state.readers + len(state.line.waiting), line=state.line)
        self.wake()

    def RLock(self) -> None:
        """Take it for reading: a step, and one more where a writer is there."""

        def read() -> bool:
            state: RWState = self.state
            if state.writer is None:
                self.state = state._replace(readers=state.readers + 1)
                return True
            self.get_in_line()
            return False

        if not self.operate("sync.RWMutex.RLock", read):
            self.operate("sync.RWMutex.RLock", self.leave_line)

    def TryRLock(self) -> bool:
        """Take it for reading if no writer is there; whether none was."""

        def effect() -> bool:
            state: RWState = self.state
            if state.writer is not None:
                return False
            self.state = state._replace(readers=state.readers + 1)
            return True

        return bool(self.operate("sync.RWMutex.TryRLock", effect))

    def RUnlock(self) -> None:
        """Give back what `RLock` took."""
        self.operate("sync.RWMutex.RUnlock", self.give_read)

    def give_read(self) -> None:
        """Give back what `RLock` took, within an access."""
        state: RWState = self.state
        if state.readers == 0:
            raise Fatal("sync: RUnlock of unlocked RWMutex")
        self.state = state._replace(readers=state.readers - 1)

    def RLocker(self) -> ReadLocker:
        """A lock whose `Lock` and `Unlock` are `RLock` and `RUnlock`."""
        return ReadLocker(self)


class ReadLocker(NamedTuple):
    """What `RWMutex.RLocker` gives."""

    mutex: RWMutex

    def __repr__(self) -> str:
        return f"{self.mutex!r}.RLocker()"

    def Lock(self) -> None:
        """`RLock`."""
        self.mutex.RLock()

    def Unlock(self) -> None:
        """`RUnlock`."""
        self.mutex.RUnlock()

    def give(self) -> None:
        """`RUnlock`, within an access."""
        self.mutex.give_read()
