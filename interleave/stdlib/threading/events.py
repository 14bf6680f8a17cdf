"""`Event`, after docs.python.org/3.12/library/threading.html#event-objects.

Where that is silent: Lib/threading.py of CPython 3.12.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from interleave.memory.bag import Bag
from interleave.memory.identity import ThreadId
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.timeouts import check_timeout

_WAITERS = "who waits"


class EventState(NamedTuple):
    """Whether it is set, and who waits since it was last set.

    Who waits is only kept where some code clears it: until then, who comes too early and who comes
    too late go on alike.
    """

    is_set: bool
    waiting: Bag[ThreadId] = Bag()


class Event(Primitive):
    """`threading.Event`."""

    written_in_python = True

    @classmethod
    def initial(cls, real: Any) -> object:
        return EventState(real.is_set())

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = threading.Event()
        if real.is_set():
            made.set()
        return made

    @classmethod
    def content(cls, state: Any) -> object:
        return state.is_set

    @classmethod
    def describe(cls, state: Any) -> str:
        return "set" if state.is_set else "not set"

    def is_set(self) -> bool:
        """Whether it is set."""
        return bool(self.operate("is_set", lambda: self.state.is_set))

    def isSet(self) -> bool:
        """`is_set`, by its old name."""
        return self.is_set()

    def set(self) -> None:
        """Set it, and wake all who wait, even if it is cleared before they run."""

        def effect() -> None:
            self.state = EventState(True)

        self.operate("set", effect)

    def clear(self) -> None:
        """Set it no longer."""

        def effect() -> None:
            self.must_keep(_WAITERS)
            self.state = self.state._replace(is_set=False)

        self.operate("clear", effect)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set: True. A timeout may expire whenever nobody has set it: False."""
        me = current_port().thread

        def look() -> bool | None:
            state: EventState = self.state
            if state.is_set:
                return True
            if not self.keeps(_WAITERS):
                return self.block() if timeout is None else expire()
            self.state = state._replace(waiting=state.waiting.plus(me))
            return None

        def wake() -> bool:
            state: EventState = self.state
            if me not in state.waiting:
                return True
            if timeout is None:
                self.block()
            self.state = state._replace(waiting=state.waiting.minus(me))
            return expire()

        def expire() -> bool:
            check_timeout(timeout)
            return False

        found = self.operate("wait", look)
        return bool(self.operate("wait", wake) if found is None else found)
