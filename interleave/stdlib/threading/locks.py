"""`Lock` and `RLock`, after docs.python.org/3.12/library/threading.html#lock-objects."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from interleave.errors import ModelError
from interleave.memory.port import AccessKind, current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.reentrant import Reentrant


class _Lockable(Primitive):
    """What both kinds of lock share: the arguments of `acquire`, and `with`."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock. Where it cannot: wait, or return False if not to wait for ever.

        A timeout may expire whenever the lock is not to be had, so that an acquire with one always
        has a step to take.
        """
        if timeout != -1 and (not blocking or timeout < 0):
            threading.Lock().acquire(blocking, timeout)  # raises what this Python raises
        waits = blocking and timeout == -1
        kind = "acquire" if waits else "try acquire"

        def effect() -> bool:
            if self.take():
                return True
            return self.block() if waits else False

        return bool(self.operate(kind, effect))

    def release(self) -> None:
        """Give the lock back. Raises `RuntimeError` as the real one does."""
        self.operate("release", self.give)

    @property
    def acquiring(self) -> AccessKind:
        """What a thread does that waits for it."""
        return AccessKind("acquire", current_port().locate(self._location))

    def is_owned(self) -> bool:
        """Whether a Condition takes the running thread for the owner, within an access."""
        raise NotImplementedError

    def is_free(self) -> bool:
        """Whether nobody holds it, within an access."""
        return not self.state

    def let_go(self) -> object:
        """Give it back altogether, within an access; what `take_back` is to be given."""
        raise NotImplementedError

    def take_back(self, before: Any) -> None:
        """Hold it as before `let_go`, within an access. It must be free."""
        raise NotImplementedError

    def take(self) -> bool:
        """Take it, within an access; False where it is not to be had."""
        raise NotImplementedError

    def give(self) -> None:
        """Give it back, within an access."""
        raise NotImplementedError

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Lock(_Lockable):
    """`threading.Lock`. State: whether it is locked. Any thread may release it."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return real.locked()

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = threading.Lock()
        if real.locked():
            made.acquire()
        return made

    @classmethod
    def describe(cls, state: Any) -> str:
        return "locked" if state else "unlocked"

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        # A lock has no owner: it is held by whoever took it last.
        takers = [thread for thread, before, after in history if after and not before]
        return tuple(takers[-1:]) if state else ()

    def locked(self) -> bool:
        return bool(self.operate("locked", lambda: self.state))

    def is_owned(self) -> bool:
        # It does not know who took it.
        return bool(self.state)

    def let_go(self) -> object:
        self.give()
        return None

    def take_back(self, before: Any) -> None:
        self.state = True

    def take(self) -> bool:
        if self.state:
            return False
        self.state = True
        return True

    def give(self) -> None:
        if not self.state:
            raise RuntimeError("release unlocked lock")
        self.state = False


class RLock(Reentrant, _Lockable):
    """`threading.RLock`."""

    not_owned = RuntimeError("cannot release un-acquired lock")

    @classmethod
    def initial(cls, real: Any) -> object:
        if real._is_owned():
            raise ModelError(
                "an RLock is held when the threads start", remedy="release it at the end of setup"
            )
        return None

    @classmethod
    def fresh(cls, real: Any) -> Any:
        return threading.RLock()
