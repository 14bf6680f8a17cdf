"""The threads that a step makes, and those that begin in it."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping, Sequence
from typing import Any

from interleave.compiler import Code, is_library
from interleave.errors import ModelError
from interleave.machine.forking import Fork
from interleave.machine.halting import Ending
from interleave.machine.log import Log
from interleave.machine.making import Making
from interleave.machine.places import Places
from interleave.machine.references import is_referred_to
from interleave.machine.stack import Stack
from interleave.machine.step import FINISHED
from interleave.memory.identity import ThreadId
from interleave.memory.primitive import Primitive
from interleave.memory.values import Shared
from interleave.program import MoreThreads, Program, SpawnKey, ThreadInstance
from interleave.program.interning import LocalStates
from interleave.said import said_by
from interleave.stdlib.threads import call, name_of
from interleave.world.calls import CALL_PARTIAL

MOST_STARTED = 20
"""Threads that running threads make, at most."""


class Spawning:
    """Makes and begins threads, on behalf of the thread `me`."""

    def __init__(
        self,
        program: Program,
        me: ThreadInstance,
        locals_: LocalStates,
        places: Places,
        stack: Stack,
        log: Log,
        making: Making,
        ending: Ending,
    ) -> None:
        self.started: list[tuple[ThreadId, int]] = []
        """The threads that have begun in this step, each with its local state."""
        self.killed: list[int] = []
        """The local states of the threads that this step has ended, before it did."""
        self._program = program
        self._me = me
        self._locals = locals_
        self._places = places
        self._stack = stack
        self._log = log
        self._making = making
        self._ending = ending

    def thread_room(self, kind: Any, target: Any, daemon: bool, maker: Any, name: str) -> Any:
        """See `Port.thread_room`."""
        me = self._me
        function, _ = self._function(target)
        maker_name = me.name if maker is None else self._program.heap.lasting_name_of(maker)
        key = SpawnKey(maker_name, function, daemon, kind, me.process, name or name_of(target))
        for room in self._program.spawned.of(key):
            if room.state is None:
                return room
        return self._more(key)

    def task_room(self, function: types.FunctionType, label: str) -> Any:
        """The object of a task that this thread can make to run a function, which is free.

        One whose task is done is free when nothing refers to it any more.
        """
        from interleave.stdlib.asyncio.tasks import Task

        name = label or function.__name__
        key = SpawnKey(self._me.name, function, daemon=True, kind=Task, name=name)
        rooms = self._program.spawned.of(key)
        for room in rooms:
            if room.state is None:
                return room
        for room in rooms:
            if room.is_done() and not self._is_referred_to(room._number):
                return room
        return self._more(key)

    def loop_room(self, kind: Any, function: Any, name: str) -> Any:
        """See `Port.loop_room`. A loop that is closed is not used any more where nothing refers to
        it, its tasks included.
        """
        key = SpawnKey(self._me.name, function, daemon=True, kind=kind, name=name)
        rooms = self._program.spawned.of(key)
        for room in rooms:
            if room.state is None:
                return room
        for room in rooms:
            if room.state.is_closed and not self._is_referred_to(room._number):
                return room
        return self._more(key)

    def start_thread(
        self, thread: ThreadId, target: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """See `Port.start_thread`."""
        function, first = self._function(target)
        code = self._program.world.code(function)
        given = (*first, *args), tuple(kwargs.items())
        child = self._program.threads[thread]
        args, named = self._making.hand_over(
            given, f"a thread that runs {code.name}", coroutines=not child.kind.is_process
        )
        if child.kind.is_process:
            fork = Fork(self._program, self._me, child, self._places, self._making)
            args, named = fork.copy((args, named))
        try:
            bound = code.bind(*args, **dict(named))
        except TypeError as error:
            self._ending.halt(
                ModelError(
                    f"a thread cannot run {code.name}: {said_by(error)}", remedy="mend its `args`"
                )
            )
        self._begin(thread, code, bound)

    def start_task(
        self, thread: ThreadId, function: types.FunctionType, names: dict[str, Any]
    ) -> None:
        """Have a task begin in a function with these locals."""
        self._begin(thread, self._program.world.code(function), names)

    def kill(self, thread: ThreadId) -> None:
        """See `Port.kill`."""
        self.killed.append(self._places.at(len(self._program.heap.changing) + thread))
        self.started.append((thread, FINISHED))

    def _begin(self, thread: ThreadId, code: Code, names: dict[str, Any]) -> None:
        frames = self._stack.freeze_start(code, names, self._making.moved)
        if isinstance(frames, ModelError):
            self._ending.halt(frames)
        self.started.append((thread, self._locals.id_of((frames, (), ()))))
        self._program.findings.started[self._program.threads[thread].name] = None

    def _function(self, target: Any) -> tuple[types.FunctionType, tuple[Any, ...]]:
        """The function behind what a thread is to run: the model's, or one of a modelled module;
        and what goes before its arguments.
        """
        found: Any = self._program.world.to_flatten(target)
        if found is None and isinstance(target, types.FunctionType) and is_library(target):
            found = target, ()
        if found is None and _is_lambda(target):
            kind = self._me.kind
            self._ending.halt(
                ModelError(
                    "a thread is to run a lambda that was made in a comprehension or a lambda",
                    remedy="make it in a `for` loop, in a statement of its own: "
                    f"{kind.example.format('lambda: ...')}; or give a method what it needs: "
                    + kind.example_with_argument.format("self.work"),
                )
            )
        is_value = self._program.runtime.language.functions_are_values
        if found is None and (is_value or _is_of_shared(target)):
            found = _called(target)
        if found is None:
            self._ending.halt(
                ModelError(
                    f"a thread is to run {_named(target)}, which is no function of the model",
                    remedy="give it one that stands in the model file: "
                    + self._me.kind.example.format("self.work"),
                )
            )
        function: tuple[types.FunctionType, tuple[Any, ...]] = found
        return function

    def _more(self, key: SpawnKey) -> Any:
        """There are too few threads of a kind. Does not return."""
        if len(self._program.spawned) >= MOST_STARTED:
            self._ending.halt(
                ModelError(
                    f"threads make more than {MOST_STARTED} {key.kind.thread_kind}s",
                    remedy=f"start fewer: a {key.kind.thread_kind} that has ended keeps its room",
                )
            )
        self._ending.fail(MoreThreads(key))

    def _is_referred_to(self, number: int) -> bool:
        """Whether anything refers to a shared object, in the state as it is now. It looks at all of
        the state.
        """
        here = [self._places.at(place) for place in range(len(self._places.before))]
        frames = self._stack.freeze(self._making.moved)
        mine = (frames, tuple(self._log.entries), tuple(self.started))
        return is_referred_to(number, self._program.heap, self._locals, here, self._me.number, mine)


def _is_lambda(target: Any) -> bool:
    """Whether something is a function that a comprehension has made; others are compiled."""
    return isinstance(target, types.FunctionType) and target.__name__ == "<lambda>"


def _is_of_shared(target: Any) -> bool:
    """Whether something is a method of a shared object: an event's `set`; or what `print` means."""
    if isinstance(target, types.MethodType):
        return issubclass(type(target.__self__), Shared)
    return issubclass(type(target), Primitive)


def _called(target: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """What calls something that is no code of the model's, and what it is given first."""
    if isinstance(target, functools.partial):
        return CALL_PARTIAL, (target.func, target.args, target.keywords)
    return (call, (target,)) if callable(target) else None


def _named(value: object) -> str:
    name = getattr(value, "__qualname__", None) or repr(value)
    return "a lambda" if name.endswith("<lambda>") else name
