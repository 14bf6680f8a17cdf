"""Who waits for a primitive, in which order, and who has been woken: one value, for all of them.

To wait takes two steps, one to get in line and one to go on, and what is in between is part of the
state. It says who **waits**, since whoever wakes others wakes those who are in line then: not one
that is about to wait, and nobody twice. And it says who was **woken**: these have left the line, so
that the next one is woken by who comes next, but run when the scheduler comes to them, which may be
much later; until then others can come in between.

Where the real thing wakes the one that has waited longest, the order in which threads came is part
of the state (`FIRST_COME`). Where it wakes any of them, or only all at once, it must not be, or
states would be kept apart that behave alike (`IN_ANY_ORDER`). Those who were woken run in any
order.

Two kinds of waiting do with less. Where nothing asks who was woken (an event), a `Bag` of those who
wait is enough: who is not in it any more goes on. And where one waits in several lines at once, as
in a `select`, or can be cancelled there, as tasks, it is a record of its own that says what became
of it, and the lines are plain ones (`Line`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from interleave.memory.bag import Bag, Line
from interleave.memory.identity import ThreadId
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive


class WaitLine(NamedTuple):
    """The threads that wait, longest first where that matters, and those that were woken."""

    waiting: Line[ThreadId] | Bag[ThreadId]
    woken: Bag[ThreadId] = Bag()

    def joined(self, thread: ThreadId) -> WaitLine:
        """With one thread more that waits, as the last."""
        return self._replace(waiting=self.waiting.plus(thread))

    def left(self, thread: ThreadId) -> WaitLine:
        """Without a thread that goes on, woken or not."""
        return WaitLine(self.waiting.minus(thread), self.woken.minus(thread))

    def after_waking(self, *threads: ThreadId) -> WaitLine:
        """With some of those who wait woken."""
        still = self.waiting.where(lambda each: each not in threads)
        return WaitLine(still, self.woken.plus(*threads))


FIRST_COME = WaitLine(Line())
IN_ANY_ORDER = WaitLine(Bag())


class HasLine(Primitive):
    """A primitive that threads wait for: its state has a field `line`. All within accesses."""

    def get_in_line(self) -> None:
        """The running thread waits from here on. It must `leave_line` in its next access."""
        self._set_line(self.state.line.joined(current_port().thread))

    def leave_line(self) -> None:
        """The running thread goes on, as soon as it was woken."""
        me = current_port().thread
        if me not in self.state.line.woken:
            self.block()
        self._set_line(self.state.line.left(me))

    def wake(self, count: int | None = None) -> None:
        """Wake so many of those who wait, those who have waited longest; None: all."""
        line: WaitLine = self.state.line
        self._set_line(line.after_waking(*line.waiting[:count]))

    def _set_line(self, line: WaitLine) -> None:
        state: Any = self.state
        self.state = state._replace(line=line)
