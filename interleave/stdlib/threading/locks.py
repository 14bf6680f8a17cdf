"""`Lock` and `RLock`, after docs.python.org/3.12/library/threading.html#lock-objects."""

from __future__ import annotations

import threading
from typing import Any

from interleave.errors import ModelError
from interleave.memory.identity import ThreadIdent
from interleave.memory.port import AccessKind, current_port
from interleave.stdlib.holding import Holdable, Unowned
from interleave.stdlib.reentrant import Reentrant
from interleave.stdlib.timeouts import as_plain


class _Lockable(Holdable):
    """What both kinds of lock share: the arguments of `acquire`, and what a Condition asks."""

    is_lock = True

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock: see `Holdable`."""
        plain = as_plain(timeout)
        if plain != -1 and (not blocking or plain < 0):
            threading.Lock().acquire(blocking, plain)  # raises what this Python raises
        ends = None if plain == -1 else timeout
        return self.take_or_wait(waits=blocking and ends is None, timeout=ends)

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


class Lock(Unowned, _Lockable):
    """`threading.Lock`."""

    @classmethod
    def initial(cls, real: Any) -> object:
        return real.locked()

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = threading.Lock()
        if real.locked():
            made.acquire()
        return made

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

    def give(self) -> None:
        if not self.state:
            raise RuntimeError("release unlocked lock")
        self.state = False


class RLock(Reentrant, _Lockable):
    """`threading.RLock`."""

    besides = frozenset({"_acquire_restore", "_is_owned", "_release_save"})
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

    # What a `Condition` that is written in Python asks of it: `rlock_release_save` and the like in
    # Modules/_threadmodule.c.

    def _is_owned(self) -> bool:
        return bool(self.operate("is owned", self.is_owned))

    def _release_save(self) -> tuple[int, ThreadIdent]:
        def effect() -> tuple[int, ThreadIdent]:
            if self.state is None:
                raise type(self.not_owned)(*self.not_owned.args)
            owner = ThreadIdent.of(self.state[0])
            return self.let_go(), owner

        found: tuple[int, ThreadIdent] = self.operate("release", effect)
        return found

    def _acquire_restore(self, before: tuple[int, ThreadIdent]) -> None:
        depth, owner = before

        def effect() -> None:
            if self.state is not None:
                self.block()
            self.state = (owner.thread, depth)

        self.operate("acquire", effect)
