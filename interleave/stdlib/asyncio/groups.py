"""`TaskGroup`, after docs.python.org/3.12/library/asyncio-task.html#task-groups and
Lib/asyncio/taskgroups.py of CPython 3.12.
"""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from interleave.memory.coroutine import coroutine
from interleave.memory.made import Kind
from interleave.memory.port import current_port
from interleave.memory.primitive import Primitive
from interleave.stdlib.asyncio.futures import KeptException, park, resume, resumed
from interleave.stdlib.asyncio.handles import in_words
from interleave.stdlib.asyncio.tasks import create_task


class GroupState(NamedTuple):
    """`waits`: its parent is about to leave, and waits for the tasks that are left."""

    parent: Any = None
    tasks: tuple[Any, ...] = ()
    errors: tuple[KeptException, ...] = ()
    entered: bool = False
    exiting: bool = False
    aborting: bool = False
    parent_cancel_requested: bool = False
    waits: bool = False


class TaskGroup(Primitive):
    """`asyncio.TaskGroup`."""

    stands_for = (asyncio.TaskGroup,)

    is_internal = True

    is_run = True

    written_in_python = True

    @classmethod
    def describe(cls, state: Any) -> str:
        words = [f"{len(state.tasks)} tasks"]
        words += [f"{len(state.errors)} failed"] if state.errors else []
        words += ["cancelling"] if state.aborting else []
        return ", ".join(words)

    def holders(self, state: Any, history: Any) -> tuple[int, ...]:  # type: ignore[override]
        return tuple(task.runs for task in state.tasks)

    def __repr__(self) -> str:
        return "<TaskGroup>"

    @coroutine
    def __aenter__(self) -> TaskGroup:
        def effect() -> TaskGroup:
            if self.state.entered:
                raise RuntimeError(f"TaskGroup {self!r} has already been entered")
            self._set(parent=current_port().tasks.current(), entered=True)
            return self

        entered: TaskGroup = self.operate("enter group", effect)
        return entered

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> Any:
        """Make a task that the group waits for."""

        def check() -> None:
            state: GroupState = self.state
            if not state.entered:
                raise RuntimeError(f"TaskGroup {self!r} has not been entered")
            if state.exiting and not state.tasks:
                raise RuntimeError(f"TaskGroup {self!r} is finished")
            if state.aborting:
                raise RuntimeError(f"TaskGroup {self!r} is shutting down")

        self.operate("create_task", check)
        task = create_task(coro, context=context)

        def effect() -> None:
            self._set(tasks=(*self.state.tasks, task))
            task.call_when_done((task_is_done, (task, self)))

        self.operate("create_task", effect)
        return task

    @coroutine
    def __aexit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        cancelled = error if kind is asyncio.CancelledError else None

        def leave() -> bool:
            self._set(exiting=True)
            ours = False
            if self.state.parent_cancel_requested:
                ours = self.state.parent.forget_cancel() == 0
            if kind is not None and not self.state.aborting:
                self._abort()
            return ours

        if self.operate("leave group", leave):
            cancelled = None
        while self.operate("leave group", self._must_wait):
            try:
                resume(self, "leave group", self._go_on)
            except asyncio.CancelledError as again:
                if self.operate("leave group", self._abort_now):
                    cancelled = again
        errors = [kept.make() for kept in self.operate("leave group", self._take_errors)]
        if cancelled is not None and not errors:
            raise cancelled
        if kind is not None and kind is not asyncio.CancelledError:
            errors.append(error)
        if errors:
            raise BaseExceptionGroup("unhandled errors in a TaskGroup", errors) from None
        return False

    # Within an access

    def _set(self, **changes: Any) -> None:
        self.state = self.state._replace(**changes)

    def _must_wait(self) -> bool:
        if self.state.tasks:
            self._set(waits=True)
            park()
        return bool(self.state.tasks)

    def _go_on(self) -> None:
        try:
            resumed()
        finally:
            self._set(waits=False)

    def _take_errors(self) -> tuple[KeptException, ...]:
        errors: tuple[KeptException, ...] = self.state.errors
        self._set(errors=(), parent=None)
        return errors

    def _abort_now(self) -> bool:
        """Cancel all tasks, if that was not done; whether it was done now."""
        if self.state.aborting:
            return False
        self._abort()
        return True

    def _abort(self) -> None:
        self._set(aborting=True)
        for task in current_port().tasks.loop.in_any_order(self.state.tasks):
            task.request_cancel(())

    def one_is_done(self, task: Any) -> None:
        """A task is done."""
        state: GroupState = self.state
        left = tuple(each for each in state.tasks if each is not task)
        self._set(tasks=left)
        if state.waits and not left and state.parent.waiter_is_pending():
            state.parent.wake()
        kept = None if task.was_cancelled() else task.error()
        if kept is None:
            return
        self._set(errors=(*state.errors, kept))
        if not state.aborting and not state.parent_cancel_requested:
            self._abort()
            self._set(parent_cancel_requested=True)
            self.state.parent.request_cancel(())


@in_words("end of")
def task_is_done(task: Any, group: TaskGroup) -> None:
    """What the loop calls when a task of a group is done."""
    group.operate("", lambda: group.one_is_done(task))


def make_group() -> Any:
    """`asyncio.TaskGroup()` in a running task."""
    return current_port().make(Kind(TaskGroup), GroupState())
