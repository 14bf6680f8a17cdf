"""`Barrier`, after docs.python.org/3.12/library/threading.html#barrier-objects.

Where that is silent: Lib/threading.py of CPython 3.12.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from interleave.memory.identity import ThreadId
from interleave.memory.port import current_port
from interleave.stdlib.barriers import (
    BROKEN,
    DRAINING,
    FILLING,
    RESETTING,
    AnyBarrier,
    after_one_left,
)
from interleave.stdlib.timeouts import Waiting, begin_waiting, check_timeout

_NUMBERS = {FILLING: 0, DRAINING: 1, RESETTING: -1, BROKEN: -2}
"""Those that CPython has for the phases of a barrier."""


class BarrierState(NamedTuple):
    """What a barrier was made with, its phase, and how many threads are in it.

    `acting`: the thread that runs the action, while it does. Nobody else can come in or go then.
    """

    parties: int
    action: Callable[[], object] | None
    timeout: float | None
    phase: str = FILLING
    inside: int = 0
    acting: ThreadId | None = None


class Barrier(AnyBarrier):
    """`threading.Barrier`."""

    is_run = True
    under_lock = True
    without_lock = frozenset({"broken", "n_waiting"})

    @classmethod
    def initial(cls, real: Any) -> object:
        phase = next(each for each, number in _NUMBERS.items() if number == real._state)
        return BarrierState(real._parties, real._action, real._timeout, phase)

    @classmethod
    def fresh(cls, real: Any) -> Any:
        made = threading.Barrier(real._parties, real._action, real._timeout)
        made._state = real._state  # type: ignore[attr-defined]
        return made

    @classmethod
    def visit(cls, state: Any, visit: Callable[[Any, str], Any]) -> Any:
        return state._replace(action=visit(state.action, ".action"))

    @classmethod
    def describe(cls, state: Any) -> str:
        if state.phase == FILLING:
            return f"{state.inside} of {state.parties} waiting"
        return f"{state.phase}, {state.inside} inside" if state.inside else str(state.phase)

    @classmethod
    def holders(cls, state: Any, history: Iterable[tuple[int, Any, Any]]) -> tuple[int, ...]:
        return () if state.acting is None else (state.acting,)

    def wait(self, timeout: float | None = None) -> int:
        """Come in, and leave when as many as it is for have come: two steps but for the last one.

        A timeout may expire whenever it still fills, and breaks it. Raises `BrokenBarrierError`
        where it is broken, or reset while this thread is in it.
        """
        if timeout is None:
            timeout = self.state.timeout
        waiting = begin_waiting(timeout)
        place = self.operate("wait", lambda: self._come(timeout))
        if place + 1 < self.parties:
            self.operate("wait", lambda: self._leave(waiting))
        elif self.state.action is not None:
            self._act()
        return int(place)

    def _come(self, timeout: float | None) -> int:
        state = self._free()
        if state.phase in (DRAINING, RESETTING):
            self.block()
        if state.phase == BROKEN:
            raise threading.BrokenBarrierError
        place = state.inside
        state = state._replace(inside=place + 1)
        if place + 1 != state.parties:
            if timeout is not None:
                0.0 + timeout  # raises what adding it to the time would
            check_timeout(timeout)
            self.state = state
        elif state.action is None:
            self.state = after_one_left(state._replace(phase=DRAINING))
        else:
            self.state = state._replace(acting=current_port().thread)
        return place

    def _leave(self, waiting: Waiting) -> None:
        state = self._free()
        if state.phase == FILLING and waiting.timeout is None:
            self.block()
        if state.phase == FILLING:
            waiting.expire()
            state = state._replace(phase=BROKEN)
        self.state = after_one_left(state)
        if state.phase != DRAINING:
            raise threading.BrokenBarrierError

    def _act(self) -> None:
        """Run the action, and let the others go; where it raises, break the barrier."""
        phase = BROKEN
        try:
            self.state.action()
            phase = DRAINING
        finally:
            self.operate("wait", lambda: self._acted(phase))

    def _acted(self, phase: str) -> None:
        self.state = after_one_left(self.state._replace(phase=phase, acting=None))

    def reset(self) -> None:
        """Empty it: threads that are in it get `BrokenBarrierError`. One that drains goes on so."""

        def effect() -> None:
            state = self._free()
            if state.inside == 0:
                self.state = state._replace(phase=FILLING)
            elif state.phase in (FILLING, BROKEN):
                self.state = state._replace(phase=RESETTING)

        self.operate("reset", effect)

    def abort(self) -> None:
        """Break it."""

        def effect() -> None:
            self.state = self._free()._replace(phase=BROKEN)

        self.operate("abort", effect)

    def _free(self) -> BarrierState:
        """The state, once nobody runs the action: that is done under the lock of the barrier."""
        state: BarrierState = self.state
        if state.acting is not None:
            self.block()
        return state
