"""How tasks stand in line: for a lock, an event, a queue.

After Lib/asyncio/locks.py and queues.py of CPython 3.12. There, a waiter is a future that nobody
else knows. Here the line has the task itself, and what became of that future is in the state of the
task (`tasks.Task`): it is pending, or the task was woken, or cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from interleave.memory.bag import Line
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.futures import park, resume, resumed

Waiters = Line[Any]


class Waited(Primitive):
    """A primitive that tasks wait for: fields of its state are lines, most often `waiters`.

    The first task that waits binds it to its loop, which is in a field of the state where there may
    be several loops: in `loop`, or where `_bound_by` says for a line.
    """

    written_in_python = True
    _bound_by: ClassVar[Mapping[str, str]] = {}

    def is_foreign(self, line: str = "waiters") -> bool:
        """Whether it is bound to another loop than that of the present task."""
        bound = getattr(self.state, self._bound_by.get(line, "loop"))
        return bound is not None and bound is not current_port().tasks.loop

    def of_other_loop(self) -> RuntimeError:
        """What Python raises then."""
        return RuntimeError(f"{type(self).__name__} is bound to a different event loop")

    def park_in_line(self, line: str = "waiters") -> None:
        """The present task is about to wait, as the last one. It must `stand_in_line` next. Raises
        `RuntimeError` where this is bound to another loop.
        """
        if self.is_foreign(line):
            raise self.of_other_loop()
        if (tasks := current_port().tasks).several:
            self.state = self.state._replace(**{self._bound_by.get(line, "loop"): tasks.loop})
        self._set_line(line, self._line(line).plus(park()))

    def go_on_from_line(self, line: str = "waiters") -> None:
        """The present task is resumed, and does not wait any more. Raises `CancelledError`."""
        task = current_port().tasks.current()
        try:
            resumed()
        finally:
            waiters = self._line(line)
            if task in waiters:
                self._set_line(line, waiters.minus(task))

    def stand_in_line(self, kind: str, effect: Callable[[], Any]) -> Any:
        """The operation in which the present task is suspended."""
        return resume(self, kind, effect)

    def _pending(self, line: str = "waiters") -> list[Any]:
        """Those in line who were neither woken nor cancelled, in order."""
        return [task for task in self._line(line) if task.waiter_is_pending()]

    def all_cancelled(self) -> bool:
        """Whether nobody waits who was not cancelled."""
        return all(task.waiter_was_cancelled() for task in self.state.waiters)

    def _line(self, line: str) -> Waiters:
        found: Waiters = getattr(self.state, line)
        return found

    def _set_line(self, line: str, waiters: Waiters) -> None:
        self.state = self.state._replace(**{line: waiters})


def is_woken() -> bool:
    """Whether the present task, which is about to go on, was woken and not cancelled since."""
    task = current_port().tasks.current()
    return not (task.waiter_is_pending() or task.waiter_was_cancelled())


def waiting(count: int) -> str:
    """How many wait, in words."""
    return f", {count} waiting" if count else ""
