"""`Event`, after docs.python.org/3.12/library/threading.html#event-objects.

Where that is silent: Lib/threading.py of CPython 3.12.
"""

from __future__ import annotations

import threading

from interleave.memory.port import current_port
from interleave.stdlib.events import AnyEvent, EventState
from interleave.stdlib.timeouts import begin_waiting, check_timeout

_WAITERS = "who waits"


class Event(AnyEvent):
    """`threading.Event`.

    Who waits is only kept where some code clears it: until then, who comes too early and who comes
    too late go on alike.
    """

    written_in_python = True
    under_lock = True
    can_be_left = True
    without_lock = frozenset({"is_set"})
    _real = threading.Event

    def isSet(self) -> bool:
        """`is_set`, by its old name."""
        return self.is_set()

    def _lower_flag(self) -> None:
        self.must_keep(_WAITERS)
        super()._lower_flag()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set: True. A timeout may expire whenever nobody has set it: False."""
        me = current_port().thread
        waiting = begin_waiting(timeout)

        def look() -> bool | None:
            state: EventState = self.state
            if state.is_set:
                return True
            if not self.keeps(_WAITERS):
                return self.block() if timeout is None else expire()
            self.state = state._replace(waiters=state.waiters.plus(me))
            return None

        def wake() -> bool:
            state: EventState = self.state
            if me not in state.waiters:
                return True
            if timeout is None:
                self.block()
            leave()
            return expire()

        def leave() -> None:
            state: EventState = self.state
            self.state = state._replace(waiters=state.waiters.minus(me))

        def expire() -> bool:
            check_timeout(timeout)
            waiting.expire()
            return False

        found = self.operate("wait", look)
        if found is not None:
            return bool(found)
        return bool(self.operate_or("wait", wake, leave))
