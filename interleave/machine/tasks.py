"""What a step does with tasks and their event loop: the part of the port that asyncio needs.

A step of a task goes from where it is resumed to where it is suspended next, with all accesses in
between: the loop runs no other task meanwhile. Threads of the same model run at any time, so that a
step may end in the middle of a task; the state of the loop then says whose code it is running.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any

from interleave.compiler.generators import Generator
from interleave.machine.accesses import Accesses
from interleave.machine.spawning import Spawning
from interleave.machine.switching import Switches
from interleave.memory.coroutine import Coroutine
from interleave.memory.identity import ThreadId
from interleave.memory.port import AccessKind, Location
from interleave.program import Program, ThreadInstance

RESULT, EXCEPTION, CANCELLED = "result", "exception", "cancelled"
"""How a task ends: see `stdlib.asyncio.futures`."""


class NoLoop:
    """`Port.tasks` where no event loop runs."""

    in_loop = False
    task = None
    suspending = False
    declared = None
    made_loops: Sequence[Any] = ()
    several = False

    def __init__(self) -> None:
        self.made: list[Coroutine | Generator] = []

    def note(self, made: Coroutine | Generator) -> None:
        """A coroutine or generator was made."""
        self.made.append(made)

    def __getattr__(self, _: str) -> Any:
        raise RuntimeError("no running event loop")


class Tasks:
    """`Port.tasks` in a step of a thread of a program that has an event loop."""

    def __init__(
        self,
        program: Program,
        instance: ThreadInstance,
        switches: Switches,
        accesses: Accesses,
        spawning: Spawning,
    ) -> None:
        self._program = program
        self._me = instance
        self._switches = switches
        self._accesses = accesses
        self._spawning = spawning
        self.declared = program.loop
        """The loop of the tasks that the model declares, if it does."""
        self.task: Any = instance.task
        """The object of the task that this is a step of; None where it is none."""
        self.beside_threads = program.has_threads
        """Whether others than the loop run code."""
        self.made_loops = program.spawned.loops
        """Those that threads make."""
        self.several = bool(self.made_loops)
        """Whether there may be more than one."""
        self.in_loop = instance.kind.in_loop
        """Whether this is code that the loop runs."""
        self.made: list[Coroutine | Generator] = []
        """The coroutines and generators that the present block has made."""
        self.suspending = False
        """Whether the task can be left where it is, for the loop to run another one."""

    def note(self, made: Coroutine | Generator) -> None:
        """A coroutine or generator was made."""
        self.made.append(made)

    @property
    def loop(self) -> Any:
        """The loop that runs this; in a thread that none runs, that of the declared tasks. Raises
        `RuntimeError` where there is none.
        """
        if self._me.loop is not None:
            return self._me.loop
        return self.loop_of(self.task)

    def loop_of(self, owned: Any) -> Any:
        """The loop that a future or a handle belongs to; of None, that of the declared tasks."""
        made = owned.state.loop if self.several and owned is not None else None
        found = self.declared if made is None else made
        if found is None:
            raise RuntimeError("no running event loop")
        return found

    def as_owner(self, loop: Any) -> Any:
        """By what the state of a future or a handle says that it belongs to a loop."""
        return None if loop is self.declared else loop

    def is_in(self, loop: Any) -> bool:
        """Whether this is code that some loop runs."""
        return self.in_loop and self.loop is loop

    @property
    def runner(self) -> ThreadId:
        """The thread that runs this; of a loop that a thread has made, what runs the loop."""
        found = self.loop.state.runner if self.in_loop and self.several else None
        return self._me.number if found is None else found

    def current(self) -> Any:
        """The task whose code runs. Raises `RuntimeError` where there is none."""
        if self.task is None:
            raise RuntimeError("no running event loop")
        return self.task

    def current_or_none(self) -> Any:
        """The task whose code runs; None in a callback of the loop."""
        if not self.in_loop:
            raise RuntimeError("no running event loop")
        return self.task

    def waiting_for(self, future: Any) -> list[Any]:
        """The tasks that wait for a future."""
        return [
            task
            for task in self.all_tasks()
            if task.state is not None and task.state.awaits is future
        ]

    def all_tasks(self) -> list[Any]:
        """The objects of all tasks, those that are not made too."""
        return [each.task for each in self._program.threads if each.task is not None]

    def tasks_of(self, loop: Any) -> list[Any]:
        """The tasks of a loop."""
        made = (each for each in self.all_tasks() if each.state is not None)
        return [each for each in made if self.loop_of(each) is loop]

    def suspend(self) -> None:
        """The next access is one before which the loop may run others."""
        self._switches.suspend()
        self.suspending = True

    def does(self, words: str, location: Location | None) -> None:
        """What the present access does became known only now."""
        self._accesses.rename(AccessKind(words, location))

    def room(self, function: types.FunctionType, label: str) -> Any:
        """The object of a task that this thread can make to run a function, which is free."""
        return self._spawning.task_room(function, label)

    def start(self, thread: ThreadId, function: types.FunctionType, names: dict[str, Any]) -> None:
        """Have a task begin, as part of the current access."""
        self._spawning.start_task(thread, function, names)

    # For the step itself

    @property
    def is_new(self) -> bool:
        """Whether this is the first step of a task."""
        task = self.task
        if task is None or task.state.outcome is not None:
            return False
        return task.state.phase in ("submitted", "new")

    def step_ends(self, ended: tuple[str, Any] | None, *, suspended: bool) -> None:
        """A step of the loop's code is over; `ended` says how the task has ended, if it has."""
        if ended is not None and self.task is not None and not suspended:
            self.task.finish(*ended)
        me = self._me.number
        if suspended and not self.suspending:
            self.loop.note_running(me)
        elif self.loop.state.running == me:
            self.loop.note_running(None)

    def ended_by(self, error: BaseException) -> tuple[str, Any] | None:
        """How an exception that leaves the task ends it; None where this is no task."""
        if self.task is None:
            return None
        return (CANCELLED, error.args) if _is_cancelled(error) else (EXCEPTION, error)

    def is_for_others(self, error: BaseException) -> bool:
        """Whether an exception that leaves this code is no failure of the program.

        One that leaves a task that another task has made is there for whoever awaits it.
        """
        return self.task is not None and (self._me.room is not None or _is_cancelled(error))


def _is_cancelled(error: BaseException) -> bool:
    import asyncio  # few models need it

    return isinstance(error, asyncio.CancelledError)
